//! What a change of key is doing, why it waits, and how it ended.

use crate::{
    format,
    model::job::{JobFailure, JobKind, JobStage, JobState, JobSummary, JobView, PauseReason, SetAsideReason},
};

impl JobView {
    /// Whether it is known how much there is to rewrite. Until then all amounts are 0, and mean nothing.
    pub const fn is_counted(&self) -> bool {
        !self.items.is_empty()
    }

    /// The heading of the job's card.
    pub const fn title(&self) -> &'static str {
        match (self.state, self.kind, self.set_aside.is_empty()) {
            (JobState::Failed, ..) => self.kind.failed(self.failure),
            (JobState::Complete, JobKind::Activate, true) => "All data is re-encrypted under your key",
            (JobState::Complete, JobKind::Activate, false) => "All data that opens is re-encrypted under your key",
            (JobState::Complete, JobKind::Delete, true) => "All data is back under the provider key",
            (JobState::Complete, JobKind::Delete, false) => "All data that opens is back under the provider key",
            (JobState::Complete, JobKind::Retry, true) => "What was set aside is re-encrypted",
            (JobState::Complete, JobKind::Retry, false) => "Some of what was set aside still does not open",
            (_, JobKind::Retry, _) => "Trying again what was set aside",
            (_, JobKind::Activate, _) => "Re-encrypting your data",
            (_, JobKind::Delete, _) => "Returning your data to the provider key",
        }
    }

    /// One sentence for people who cannot see the card change.
    pub const fn announcement(&self) -> &'static str {
        match (self.state, self.stage) {
            (JobState::Failed, _) if matches!(self.failure, Some(JobFailure::DataDestroyed)) => {
                "Failed. The data was destroyed by the operator."
            }
            (JobState::Failed, _) => "Failed. The old key is still in control and nothing has changed.",
            (JobState::Complete, _) if !self.set_aside.is_empty() => "Complete. Some items were set aside.",
            (JobState::Complete, _) if matches!(self.kind, JobKind::Retry) => {
                "Complete. What was set aside is re-encrypted."
            }
            (JobState::Complete, _) => "Complete. All data is re-encrypted.",
            (JobState::Paused, _) if matches!(self.waiting, Some(PauseReason::Administrator)) => {
                "Paused by an administrator. It goes on when it is resumed."
            }
            (JobState::Paused, _) => "Paused. It goes on by itself.",
            (JobState::Running, JobStage::Control | JobStage::Reencrypt) if matches!(self.kind, JobKind::Retry) => {
                "Running. What was set aside is being tried again."
            }
            (JobState::Running, JobStage::Control) => "Running. The new key is taking control.",
            (JobState::Running, JobStage::Reencrypt) => "Running. The new key is in control; data is being rewritten.",
            (JobState::Running, JobStage::Finish | JobStage::Done) => "Running. The old data keys are being destroyed.",
        }
    }
}

impl JobKind {
    /// What has not happened when such a job failed.
    const fn failed(self, why: Option<JobFailure>) -> &'static str {
        match (why, self) {
            (Some(JobFailure::DataDestroyed), _) => "The data of this change was destroyed",
            (_, Self::Activate) => "Your key was not activated",
            (_, Self::Delete) => "Your key was not deleted",
            (_, Self::Retry) => "What was set aside was not tried again",
        }
    }
}

impl JobSummary {
    /// What happened, as the heading of a line.
    pub const fn title(&self) -> &'static str {
        match (self.state, self.kind) {
            (JobState::Failed, kind) => kind.failed(self.failure),
            (_, JobKind::Activate) => "Your key was activated",
            (_, JobKind::Delete) => "Your key was deleted",
            (_, JobKind::Retry) => "What was set aside was tried again",
        }
    }

    /// The badge of the line.
    pub const fn outcome(&self) -> &'static str {
        match (self.state, self.set_aside) {
            (JobState::Complete, 0) => "Completed",
            (JobState::Complete, _) => "Items set aside",
            _ => "Not completed",
        }
    }

    /// What it did, or why it did not.
    pub fn account(&self) -> String {
        if let (JobState::Failed, Some(why)) = (self.state, self.failure) {
            return why.message().to_owned();
        }
        let set_aside = match self.set_aside {
            0 => String::new(),
            1 => " 1 item would not open and was set aside.".to_owned(),
            many => format!(" {} items would not open and were set aside.", format::count(many)),
        };
        let took =
            format::between(self.created_at, self.finished_at).map_or(String::new(), |took| format!(" in {took}"));
        format!(
            "{} and {} ({}) were rewritten{took}.{set_aside}",
            format::counted(self.records, "record", "records"),
            format::counted(self.files, "file", "files"),
            format::bytes(self.bytes),
        )
    }
}

impl PauseReason {
    /// Why the job waits, and what makes it go on.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Locked => "The key cannot be used now. The job goes on by itself when AWS accepts the key again.",
            Self::ScopeRefused => {
                "AWS refuses the data key of at least one workspace; all other data is done. Allow it in the key policy again, or delete that workspace."
            }
            Self::KmsUnreachable => "AWS KMS does not answer. The job goes on by itself when it does.",
            Self::Database => "The database does not answer. The job goes on by itself when it does.",
            Self::DatabaseFull => {
                "The database has no room left. The job goes on by itself when there is; your operator must make some."
            }
            Self::ObjectStore => {
                "The object store does not answer. The job goes on by itself when it does; tell your operator if it stays so."
            }
            Self::ObjectStoreFull => {
                "The object store has no room left. The job goes on by itself when there is; your operator must make some."
            }
            Self::WaitingForUploads => {
                "Uploads that began earlier are still running under an old data key. The job finishes by itself when they end."
            }
            Self::Backup => {
                "A backup is being made, and old files stay until it ends. The job finishes by itself then."
            }
            Self::Administrator => "It was paused by an administrator, and goes on when one resumes it.",
        }
    }
}

impl JobFailure {
    /// What is said of a deletion that could not take control, while the activation that it had turned round goes on.
    pub const TURNED_BACK: &str = "The provider's key could not take control, so your key still is, and your data goes on being rewritten under it. Tell your operator; then Delete Key can be pressed again.";

    /// Why it failed, and what to do.
    pub const fn message(self) -> &'static str {
        match self {
            Self::OldRootRefused => {
                "AWS refused to open a data key with the key in control now. Allow it in that key's policy, or delete the workspace it belongs to, then try again."
            }
            Self::NewRootRefused => {
                "AWS refused to use the new key for a data key. Check the new key's state and policy with Test Key, then try again."
            }
            Self::DamagedDataKey => {
                "A stored data key does not open to what it should. Tell your operator: it must be restored from a backup of the database."
            }
            Self::Unreachable => {
                "AWS gave no answer for two minutes, so the change was given up. Nothing has changed. Try again when AWS can be reached."
            }
            Self::Cancelled => "Delete Key was pressed before the new key had taken control. Nothing has changed.",
            Self::DataDestroyed => {
                "The key was gone for ever, and the operator destroyed the data that was locked under it. New data is under the provider key."
            }
        }
    }
}

impl SetAsideReason {
    /// What is wrong with these items.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Malformed => "not in the form of encrypted data",
            Self::UnknownKey => "encrypted under a data key that is not theirs or cannot be had",
            Self::DoesNotBelongHere => "encrypted for another place than where they are stored",
            Self::Tampered => "changed after they were encrypted",
            Self::Missing => "gone from the object store",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(state: JobState, failure: Option<JobFailure>, set_aside: u64) -> JobSummary {
        JobSummary {
            id: "x".to_owned(),
            kind: JobKind::Activate,
            state,
            failure,
            requested_by: "Ada".to_owned(),
            created_at: 0,
            finished_at: 90_000,
            records: 1_204,
            files: 1,
            bytes: 2_000_000,
            set_aside,
        }
    }

    #[test]
    fn a_complete_job_says_what_it_did_and_what_it_left() {
        let done = "1,204 records and 1 file (2 MB) were rewritten in 1 minute 30 seconds.";
        assert_eq!(ended(JobState::Complete, None, 0).account(), done);
        assert_eq!(
            ended(JobState::Complete, None, 1).account(),
            format!("{done} 1 item would not open and was set aside.")
        );
        assert_eq!(ended(JobState::Complete, None, 2).outcome(), "Items set aside");
        assert_eq!(ended(JobState::Complete, None, 0).title(), "Your key was activated");
    }

    #[test]
    fn a_failed_job_says_why() {
        let job = ended(JobState::Failed, Some(JobFailure::Cancelled), 0);
        assert_eq!((job.title(), job.outcome()), ("Your key was not activated", "Not completed"));
        assert_eq!(job.account(), JobFailure::Cancelled.message());
        let job = ended(JobState::Failed, Some(JobFailure::DataDestroyed), 0);
        assert_eq!(job.title(), "The data of this change was destroyed");
    }
}
