//! The audit log in words.

use crate::model::audit::{Action, Actor, AuditEntry, Outcome};

impl Action {
    /// What has happened.
    pub const fn label(self) -> &'static str {
        match self {
            Self::SignIn => "Signed in",
            Self::SignInFailed => "Sign-in failed",
            Self::SignInThrottled => "Sign-ins turned away",
            Self::SignOut => "Signed out",
            Self::PasswordChanged => "Password changed",
            Self::SessionEnded => "Session ended",
            Self::SecondFactorAdded => "Second factor added",
            Self::SecondFactorRemoved => "Second factor removed",
            Self::RecoveryCodesMade => "Recovery codes made",
            Self::RecoveryCodeUsed => "Recovery code used",
            Self::ProofGiven => "Proof given again",
            Self::MemberInvited => "Member invited",
            Self::InvitationAccepted => "Invitation accepted",
            Self::InvitationWithdrawn => "Invitation withdrawn",
            Self::MemberRoleChanged => "Member's role changed",
            Self::MemberDisabled => "Member disabled",
            Self::MemberEnabled => "Member enabled",
            Self::MemberRemoved => "Member removed",
            Self::UserAddedByOperator => "User added by the operator",
            Self::UserChangedByOperator => "User changed by the operator",
            Self::FirstAdministratorMade => "First administrator made",
            Self::UserAddedBySingleSignOn => "User added by single sign-on",
            Self::RoleChangedBySingleSignOn => "Role changed by single sign-on",
            Self::SingleSignOnConnected => "Single sign-on connected",
            Self::SingleSignOnDisconnected => "Single sign-on disconnected",
            Self::WorkspaceCreated => "Workspace created",
            Self::WorkspaceDeleted => "Workspace deleted",
            Self::WorkspaceMemberAdded => "Workspace member added",
            Self::WorkspaceMemberRoleChanged => "Workspace member's role changed",
            Self::WorkspaceMemberRemoved => "Workspace member removed",
            Self::KeyTested => "Key tested",
            Self::KeyActivation => "Key activation",
            Self::KeyDeletion => "Key deletion",
            Self::JobStarted => "Change of key started",
            Self::JobEnded => "Change of key ended",
            Self::JobPaused => "Change of key paused",
            Self::JobResumed => "Change of key resumed",
            Self::Locked => "Data locked",
            Self::Unlocked => "Data unlocked",
            Self::SettingChanged => "Setting changed",
            Self::AuditExported => "Audit log exported",
            Self::Reset => "Locked data destroyed",
            Self::BackupBegun => "Backup begun",
            Self::BackupEnded => "Backup ended",
        }
    }
}

impl Outcome {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Opened => "Begun",
            Self::Succeeded => "Succeeded",
            Self::Refused => "Refused",
            Self::Failed => "Failed",
            Self::Abandoned => "Abandoned",
        }
    }

    /// The class of its badge.
    pub const fn badge(self) -> &'static str {
        match self {
            Self::Succeeded => "badge good",
            Self::Opened => "badge",
            Self::Refused => "badge warn",
            Self::Failed | Self::Abandoned => "badge bad",
        }
    }
}

impl Actor {
    /// Whom the list names.
    pub fn label(&self) -> String {
        match self {
            Self::Member { name, .. } => name.clone(),
            Self::System => "Keystead itself".to_owned(),
            Self::Operator => "The operator".to_owned(),
            Self::Nobody => "Somebody not signed in".to_owned(),
            Self::Other(word) => word.clone(),
        }
    }
}

impl AuditEntry {
    /// What has happened; a word of a later version as it is.
    pub fn heading(&self) -> String {
        let what = self.action.map_or_else(|| spaced(&self.action_word), |action| action.label().to_owned());
        match self.amount {
            Some(amount) if self.action == Some(Action::SignInThrottled) => {
                format!("{what}: {}", crate::format::count(amount.unsigned_abs()))
            }
            _ => what,
        }
    }

    pub fn outcome_label(&self) -> String {
        self.outcome.map_or_else(|| spaced(&self.outcome_word), |outcome| outcome.label().to_owned())
    }
}

/// What kind of thing an id is of.
pub fn object_kind(word: &str) -> &'static str {
    match word {
        "user" => "User",
        "workspace" => "Workspace",
        "workspace_member" => "Workspace and user",
        "job" => "Change of key",
        "key_test" => "Test",
        "session" => "Session",
        "invitation" => "Invitation",
        "backup" => "Backup",
        "setting" => "Setting",
        _ => "Object",
    }
}

/// A word of the database with spaces in it.
pub fn spaced(word: &str) -> String {
    word.replace('_', " ")
}
