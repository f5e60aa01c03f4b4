//! The account of a lock: what locked the data, how soon access ended, and when it returned.
//!
//! Each server tells its own times by its own clock. What is said of all of them runs from the first refusal that any of them
//! was given to the last of them, so it is never better than what a reader could have met.

use super::servers::on_servers;
use crate::{
    format,
    model::lock::{LockCause, LockIncident, Reset},
};

/// How a lock stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// At least one server is still locked.
    Locked,
    /// Every server can open data again, or has stopped meanwhile.
    Restored,
    /// Every server that felt it stopped before access returned.
    Stopped,
}

impl Outcome {
    /// The badge in the list.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Locked => "Locked now",
            Self::Restored => "Restored",
            Self::Stopped => "Server stopped",
        }
    }
}

impl LockCause {
    /// What had happened to the key.
    const fn past(self) -> &'static str {
        match self {
            Self::Disabled => "Your key was disabled in AWS",
            Self::PendingDeletion => "Your key was scheduled for deletion in AWS",
            Self::PendingImport => "Your key had no key material in AWS",
            Self::InvalidState => "Your key was in a state in AWS that did not allow its use",
            Self::AccessDenied => "Your key's policy did not let this deployment use it",
            Self::NotFound => "AWS did not know your key",
            Self::ProviderRefused => "AWS refused the provider key",
            Self::Unreachable => "AWS could not be reached",
            Self::OwnCredentials => "AWS did not accept this deployment's own credentials",
            Self::Damaged => "The stored data key was damaged",
            Self::Starting => "A server had no answer from AWS when it started",
        }
    }
}

impl LockCause {
    /// The same for a workspace that was locked alone.
    const fn past_of_workspace(self) -> &'static str {
        match self {
            Self::Disabled | Self::PendingDeletion | Self::PendingImport | Self::InvalidState | Self::NotFound => {
                "AWS refused your key for one workspace"
            }
            Self::AccessDenied => "Your key's policy did not allow one workspace",
            Self::ProviderRefused => "AWS refused the provider key for one workspace",
            Self::Unreachable | Self::Starting => "AWS gave no answer about one workspace",
            Self::OwnCredentials => "AWS did not accept this deployment's own credentials",
            Self::Damaged => "The stored data key of one workspace was damaged",
        }
    }
}

impl LockIncident {
    /// The heading in the list.
    pub const fn heading(&self) -> &'static str {
        match self.workspace {
            None => self.cause.past(),
            Some(_) => self.cause.past_of_workspace(),
        }
    }

    /// When the first refusal arrived at any server; `None` if AWS did not refuse.
    pub fn refused_at(&self) -> Option<i64> {
        self.servers.iter().filter_map(|server| server.refused_at).min()
    }

    /// When it began: with the first refusal, or else when the first server stopped opening data.
    pub fn began_at(&self) -> i64 {
        let confirmed = self.servers.iter().map(|server| server.confirmed_at).min();
        self.refused_at().or(confirmed).unwrap_or_default()
    }

    /// How it stands.
    pub fn outcome(&self) -> Outcome {
        if self.servers.iter().any(|server| server.restored_at.is_none() && server.gone_at.is_none()) {
            Outcome::Locked
        } else if self.servers.iter().any(|server| server.restored_at.is_some()) {
            Outcome::Restored
        } else {
            Outcome::Stopped
        }
    }

    /// How soon access ended, and on how many servers.
    pub fn ended(&self) -> String {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let ended = self.servers.iter().filter(|server| server.ended_at.is_some() || server.gone_at.is_some()).count();
        let on = on_servers(count(ended), count(self.servers.len())).unwrap_or_default();
        if ended < self.servers.len() {
            return format!("Access has ended {on}.");
        }
        let last = self.servers.iter().map(|server| server.ended_at.or(server.gone_at)).max().flatten();
        match self.refused_at().zip(last).and_then(|(refused, last)| format::between(refused, last)) {
            Some(later) => format!("Access ended {later} after AWS refused, {on}."),
            None => format!("Access ended {on}."),
        }
    }

    /// When the last server could open data again, and how long after the beginning; `None` while one is locked.
    pub fn restored(&self) -> Option<(i64, Option<String>)> {
        if self.outcome() != Outcome::Restored {
            return None;
        }
        let last = self.servers.iter().filter_map(|server| server.restored_at).max()?;
        Some((last, format::between(self.began_at(), last)))
    }
}

impl Reset {
    /// What was destroyed.
    pub fn destroyed(&self) -> String {
        let workspaces = format::counted(self.workspaces, "workspace", "workspaces");
        let notes = format::counted(self.notes, "note", "notes");
        let files = format::counted(self.files, "file", "files");
        format!("{workspaces}, {notes} and {files} ({}) were destroyed for good.", format::bytes(self.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::lock::ServerLock;

    const REFUSED: i64 = 1_795_441_267_000;

    fn server(ended_after: Option<i64>, restored_after: Option<i64>) -> ServerLock {
        ServerLock {
            server: "one".to_owned(),
            refused_at: Some(REFUSED),
            confirmed_at: REFUSED + 1_000,
            ended_at: ended_after.map(|after| REFUSED + after),
            restored_at: restored_after.map(|after| REFUSED + after),
            gone_at: None,
        }
    }

    fn incident(servers: Vec<ServerLock>) -> LockIncident {
        LockIncident {
            cause: LockCause::Disabled,
            workspace: None,
            root_key_arn: "arn".to_owned(),
            code: None,
            request_id: None,
            servers,
        }
    }

    #[test]
    fn the_end_is_the_last_servers_end() {
        let lock = incident(vec![server(Some(1_000), None), server(Some(4_000), None), server(Some(2_500), None)]);
        assert_eq!(lock.ended(), "Access ended 4 seconds after AWS refused, on 3 of 3 servers.");
        let one = incident(vec![server(Some(1_200), None)]);
        assert_eq!(one.ended(), "Access ended 1 second after AWS refused, on 1 of 1 server.");
        let quick = incident(vec![server(Some(300), None)]);
        assert_eq!(quick.ended(), "Access ended less than a second after AWS refused, on 1 of 1 server.");
    }

    #[test]
    fn transfers_that_are_still_being_cut_are_not_passed_over() {
        let lock = incident(vec![server(Some(1_000), None), server(None, None)]);
        assert_eq!(lock.ended(), "Access has ended on 1 of 2 servers so far.");
        assert_eq!(lock.outcome(), Outcome::Locked);
        assert_eq!(lock.restored(), None);
    }

    #[test]
    fn without_a_refusal_nothing_is_said_of_one() {
        let mut silent = server(Some(1_000), None);
        silent.refused_at = None;
        assert_eq!(incident(vec![silent]).ended(), "Access ended on 1 of 1 server.");
        // A server that starts with a refused key is locked before anybody has refused anything.
        let started = incident(vec![server(Some(-2_000), None)]);
        assert_eq!(started.ended(), "Access ended on 1 of 1 server.");
    }

    #[test]
    fn access_has_returned_when_the_last_server_has_it_or_is_gone() {
        let both = incident(vec![server(Some(1_000), Some(60_000)), server(Some(1_000), Some(126_000))]);
        assert_eq!(both.outcome(), Outcome::Restored);
        assert_eq!(both.restored(), Some((REFUSED + 126_000, Some("2 minutes 6 seconds".to_owned()))));
        let some = incident(vec![server(Some(1_000), Some(60_000)), server(Some(1_000), None)]);
        assert_eq!(some.outcome(), Outcome::Locked);
        let mut stopped = server(None, None);
        stopped.gone_at = Some(REFUSED + 9_000);
        assert_eq!(incident(vec![stopped.clone()]).outcome(), Outcome::Stopped);
        assert_eq!(incident(vec![stopped, server(Some(1_000), Some(60_000))]).outcome(), Outcome::Restored);
    }

    #[test]
    fn what_was_destroyed_is_counted() {
        let mut reset =
            Reset { at: 0, root_key_arn: "arn".to_owned(), workspaces: 3, notes: 1, files: 4, bytes: 1_500 };
        assert_eq!(reset.destroyed(), "3 workspaces, 1 note and 4 files (1.5 KB) were destroyed for good.");
        reset = Reset { workspaces: 1, notes: 0, files: 0, bytes: 0, ..reset };
        assert_eq!(reset.destroyed(), "1 workspace, 0 notes and 0 files (0 bytes) were destroyed for good.");
    }
}
