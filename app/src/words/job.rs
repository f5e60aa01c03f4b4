//! What a change of key is doing, why it waits, and how it ended.

use crate::model::job::{JobFailure, JobKind, JobStage, JobState, JobView, PauseReason, SetAsideReason};

impl JobView {
    /// The heading of the job's card.
    pub const fn title(&self) -> &'static str {
        match (self.state, self.kind) {
            (JobState::Failed, _) if self.was_destroyed() => "The data of this change was destroyed",
            (JobState::Failed, JobKind::Activate) => "Your key was not activated",
            (JobState::Failed, JobKind::Delete) => "Your key was not deleted",
            (JobState::Complete, JobKind::Activate) => "All data is re-encrypted under your key",
            (JobState::Complete, JobKind::Delete) => "All data is back under the provider key",
            (_, JobKind::Activate) => "Re-encrypting your data",
            (_, JobKind::Delete) => "Returning your data to the provider key",
        }
    }

    const fn was_destroyed(&self) -> bool {
        matches!(self.failure, Some(JobFailure::DataDestroyed))
    }

    /// One sentence for people who cannot see the card change.
    pub const fn announcement(&self) -> &'static str {
        match (self.state, self.stage) {
            (JobState::Failed, _) if self.was_destroyed() => "Failed. The data was destroyed by the operator.",
            (JobState::Failed, _) => "Failed. The old key is still in control and nothing has changed.",
            (JobState::Complete, _) => "Complete. All data is re-encrypted.",
            (JobState::Paused, _) => "Paused. It goes on by itself.",
            (JobState::Running, JobStage::Control) => "Running. The new key is taking control.",
            (JobState::Running, JobStage::Reencrypt) => "Running. The new key is in control; data is being rewritten.",
            (JobState::Running, JobStage::Finish | JobStage::Done) => "Running. The old data keys are being destroyed.",
        }
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
            Self::ObjectStore => {
                "The object store does not answer, or is full. The job goes on by itself when it can write again; tell your operator if it stays so."
            }
            Self::WaitingForUploads => {
                "Uploads that began earlier are still running under an old data key. The job finishes by itself when they end."
            }
        }
    }
}

impl JobFailure {
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
