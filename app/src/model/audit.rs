//! The audit log as it crosses the wire: who did what, when, from where, to what, and how it ended.
//!
//! Actions and outcomes are closed sets of words. What must stay true: an entry holds ids, addresses and words, never anything
//! that people have put into a workspace.

use serde::{Deserialize, Serialize};

/// What is noted. The words are those of the database and of an export, and stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    SignIn,
    SignInFailed,
    /// Attempts that were turned away before their password was looked at: counted by minute and address.
    SignInThrottled,
    SignOut,
    PasswordChanged,
    SessionEnded,
    SecondFactorAdded,
    SecondFactorRemoved,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    /// Password or second factor were given again before a grave action.
    ProofGiven,
    MemberInvited,
    InvitationAccepted,
    InvitationWithdrawn,
    MemberRoleChanged,
    MemberDisabled,
    MemberEnabled,
    MemberRemoved,
    UserAddedByOperator,
    /// An operator gave somebody a new password or took their second factor away.
    UserChangedByOperator,
    FirstAdministratorMade,
    /// Somebody signed in by single sign-on who was not known before.
    UserAddedBySingleSignOn,
    /// The identity provider gives somebody another role; refused if no administrator would be left.
    RoleChangedBySingleSignOn,
    SingleSignOnConnected,
    SingleSignOnDisconnected,
    WorkspaceCreated,
    WorkspaceDeleted,
    WorkspaceMemberAdded,
    WorkspaceMemberRoleChanged,
    WorkspaceMemberRemoved,
    KeyTested,
    KeyActivation,
    KeyDeletion,
    JobStarted,
    JobEnded,
    JobPaused,
    JobResumed,
    Locked,
    Unlocked,
    SettingChanged,
    AuditExported,
    Reset,
    BackupBegun,
    BackupEnded,
}

impl Action {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 44] = [
        Self::SignIn,
        Self::SignInFailed,
        Self::SignInThrottled,
        Self::SignOut,
        Self::PasswordChanged,
        Self::SessionEnded,
        Self::SecondFactorAdded,
        Self::SecondFactorRemoved,
        Self::RecoveryCodesMade,
        Self::RecoveryCodeUsed,
        Self::ProofGiven,
        Self::MemberInvited,
        Self::InvitationAccepted,
        Self::InvitationWithdrawn,
        Self::MemberRoleChanged,
        Self::MemberDisabled,
        Self::MemberEnabled,
        Self::MemberRemoved,
        Self::UserAddedByOperator,
        Self::UserChangedByOperator,
        Self::FirstAdministratorMade,
        Self::UserAddedBySingleSignOn,
        Self::RoleChangedBySingleSignOn,
        Self::SingleSignOnConnected,
        Self::SingleSignOnDisconnected,
        Self::WorkspaceCreated,
        Self::WorkspaceDeleted,
        Self::WorkspaceMemberAdded,
        Self::WorkspaceMemberRoleChanged,
        Self::WorkspaceMemberRemoved,
        Self::KeyTested,
        Self::KeyActivation,
        Self::KeyDeletion,
        Self::JobStarted,
        Self::JobEnded,
        Self::JobPaused,
        Self::JobResumed,
        Self::Locked,
        Self::Unlocked,
        Self::SettingChanged,
        Self::AuditExported,
        Self::Reset,
        Self::BackupBegun,
        Self::BackupEnded,
    ];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::SignInFailed => "sign_in_failed",
            Self::SignInThrottled => "sign_in_throttled",
            Self::SignOut => "sign_out",
            Self::PasswordChanged => "password_changed",
            Self::SessionEnded => "session_ended",
            Self::SecondFactorAdded => "second_factor_added",
            Self::SecondFactorRemoved => "second_factor_removed",
            Self::RecoveryCodesMade => "recovery_codes_made",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::ProofGiven => "proof_given",
            Self::MemberInvited => "member_invited",
            Self::InvitationAccepted => "invitation_accepted",
            Self::InvitationWithdrawn => "invitation_withdrawn",
            Self::MemberRoleChanged => "member_role_changed",
            Self::MemberDisabled => "member_disabled",
            Self::MemberEnabled => "member_enabled",
            Self::MemberRemoved => "member_removed",
            Self::UserAddedByOperator => "user_added_by_operator",
            Self::UserChangedByOperator => "user_changed_by_operator",
            Self::FirstAdministratorMade => "first_administrator_made",
            Self::UserAddedBySingleSignOn => "user_added_by_single_sign_on",
            Self::RoleChangedBySingleSignOn => "role_changed_by_single_sign_on",
            Self::SingleSignOnConnected => "single_sign_on_connected",
            Self::SingleSignOnDisconnected => "single_sign_on_disconnected",
            Self::WorkspaceCreated => "workspace_created",
            Self::WorkspaceDeleted => "workspace_deleted",
            Self::WorkspaceMemberAdded => "workspace_member_added",
            Self::WorkspaceMemberRoleChanged => "workspace_member_role_changed",
            Self::WorkspaceMemberRemoved => "workspace_member_removed",
            Self::KeyTested => "key_tested",
            Self::KeyActivation => "key_activation",
            Self::KeyDeletion => "key_deletion",
            Self::JobStarted => "job_started",
            Self::JobEnded => "job_ended",
            Self::JobPaused => "job_paused",
            Self::JobResumed => "job_resumed",
            Self::Locked => "locked",
            Self::Unlocked => "unlocked",
            Self::SettingChanged => "setting_changed",
            Self::AuditExported => "audit_exported",
            Self::Reset => "reset",
            Self::BackupBegun => "backup_begun",
            Self::BackupEnded => "backup_ended",
        }
    }

    /// Whether it is about keys: the head of the log is signed at once then, not only at the next minute.
    pub const fn is_about_keys(self) -> bool {
        matches!(
            self,
            Self::KeyTested
                | Self::KeyActivation
                | Self::KeyDeletion
                | Self::JobStarted
                | Self::JobEnded
                | Self::Locked
                | Self::Unlocked
                | Self::Reset
        )
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was begun and can fail midway: another entry with the same operation says how it ended.
    Opened,
    Succeeded,
    /// It was turned down: by us, or by AWS.
    Refused,
    /// It was begun and did not get to its end.
    Failed,
    /// The server that had begun it went away. What became of it is not known from this entry.
    Abandoned,
}

impl Outcome {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 5] = [Self::Succeeded, Self::Refused, Self::Failed, Self::Opened, Self::Abandoned];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Succeeded => "succeeded",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        }
    }
}

/// Who acted, as they were then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    Member {
        id: String,
        name: String,
        email: String,
    },
    /// The program by itself.
    System,
    /// Somebody with the operator's access, by a command.
    Operator,
    /// Somebody who was not signed in.
    Nobody,
    /// A word of a later version.
    Other(String),
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub sequence: i64,
    /// Unix milliseconds, by the clock of the database.
    pub at: i64,
    /// `None` for a word of a later version, which is in `action_word`.
    pub action: Option<Action>,
    pub action_word: String,
    pub outcome: Option<Outcome>,
    pub outcome_word: String,
    /// What links an entry that was opened to the one that closes it.
    pub operation: Option<String>,
    pub actor: Actor,
    pub address: Option<String>,
    /// What kind of thing it was done to, and its id.
    pub object: Option<(String, String)>,
    /// A word that says more, such as the role that was given or the cause of a lock.
    pub detail: Option<String>,
    /// How many, where that says more.
    pub amount: Option<i64>,
    /// The KMS key, its region, and AWS's id of the request, as `CloudTrail` has them.
    pub key_arn: Option<String>,
    pub region: Option<String>,
    pub request_id: Option<String>,
    /// The server that wrote it.
    pub server: Option<String>,
    /// SHA-256 over this entry and the hash of the one before, in hexadecimal.
    pub hash: String,
}

/// Which entries are asked for: as it stands in the address. What is empty or unreadable filters nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditFilter {
    /// From this day on, `2026-11-25`, or from this minute on, `2026-11-25T13:41`; UTC.
    pub from: String,
    /// To the end of this day or minute.
    pub to: String,
    /// An e-mail address as it was then, a user's id, or one of `system`, `operator` and `nobody`.
    pub actor: String,
    pub action: String,
    pub outcome: String,
}

/// One page, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditPage {
    pub entries: Vec<AuditEntry>,
    /// Where the older ones begin, if there are any.
    pub older: Option<String>,
    /// Where the newer ones begin, if there are any.
    pub newer: Option<String>,
    /// The newest head that was signed.
    pub signed: Option<SignedHead>,
    /// Which fields of the filter could not be read.
    pub unreadable: Vec<String>,
}

/// A head that was signed by wrapping it with the provider key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedHead {
    pub sequence: i64,
    pub hash: String,
    pub at: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_and_outcome_is_offered_by_the_word_it_has_on_the_wire() {
        let word = |value: String| value.trim_matches('"').to_owned();
        for action in Action::ALL {
            assert_eq!(word(leptos::serde_json::to_string(&action).unwrap()), action.word());
            assert!(action.word().len() <= 40, "the column is not longer");
        }
        for outcome in Outcome::ALL {
            assert_eq!(word(leptos::serde_json::to_string(&outcome).unwrap()), outcome.word());
        }
        let different: std::collections::HashSet<_> = Action::ALL.into_iter().collect();
        // A new action is offered too: it would stand after this one.
        assert_eq!((different.len(), Action::BackupEnded as usize + 1), (Action::ALL.len(), Action::ALL.len()));
    }
}
