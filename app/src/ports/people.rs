//! What the pages about people need from the server: the members of the organization, and one's own account.

use super::Principal;
use crate::model::{
    error::ApiError,
    identity::Role,
    people::{Account, FreshInvitation, InvitationView, MemberList, SetUp},
};
use async_trait::async_trait;

/// How far a sign-in has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInStep {
    Done,
    /// The password is right; a code of the second factor is owed.
    CodeNeeded,
}

/// A secret that only one answer shows.
#[derive(Clone, Debug)]
pub enum Shown {
    Invitation(FreshInvitation),
    RecoveryCodes(Vec<String>),
}

/// The members of the organization. Everybody may look; only administrators may change anything.
#[async_trait]
pub trait MembersPort: Send + Sync {
    async fn list(&self, who: &Principal) -> Result<MemberList, ApiError>;
    async fn change_role(&self, who: &Principal, member: &str, role: Role) -> Result<(), ApiError>;
    async fn set_disabled(&self, who: &Principal, member: &str, disabled: bool) -> Result<(), ApiError>;
    async fn remove(&self, who: &Principal, member: &str) -> Result<(), ApiError>;
    async fn reset_second_factor(&self, who: &Principal, member: &str) -> Result<(), ApiError>;
    async fn invite(&self, who: &Principal, email: &str, role: Role) -> Result<FreshInvitation, ApiError>;
    /// A new link for somebody whose invitation is still open.
    async fn invite_again(&self, who: &Principal, invitation: &str) -> Result<FreshInvitation, ApiError>;
    async fn withdraw(&self, who: &Principal, invitation: &str) -> Result<(), ApiError>;
    /// What an invitation is, for whoever has its link.
    async fn invitation(&self, token: &str) -> Result<InvitationView, ApiError>;
    /// Makes the account of whoever has the link.
    async fn accept(&self, token: &str, name: &str, password: &str) -> Result<(), ApiError>;
}

/// The account of whoever is signed in.
#[async_trait]
pub trait AccountPort: Send + Sync {
    async fn account(&self) -> Result<Account, ApiError>;
    /// Ends all other sessions.
    async fn change_password(&self, current: &str, new: &str) -> Result<(), ApiError>;
    async fn end_session(&self, id: &str) -> Result<(), ApiError>;
    async fn end_other_sessions(&self) -> Result<(), ApiError>;
    /// Begins to set up a second factor, which is not asked for before it has been confirmed.
    async fn begin_second_factor(&self) -> Result<(), ApiError>;
    async fn cancel_second_factor(&self) -> Result<(), ApiError>;
    /// What to give an authenticator app, if something was begun.
    async fn second_factor_set_up(&self) -> Result<Option<SetUp>, ApiError>;
    /// Puts it in force. Gives the recovery codes.
    async fn confirm_second_factor(&self, code: &str) -> Result<Vec<String>, ApiError>;
    async fn new_recovery_codes(&self) -> Result<Vec<String>, ApiError>;
    async fn remove_second_factor(&self) -> Result<(), ApiError>;
    /// Lets the person at the identity provider sign in no more.
    async fn disconnect_single_sign_on(&self) -> Result<(), ApiError>;
}
