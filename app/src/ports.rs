//! What the pages need from the server.
//!
//! `server` implements these traits and puts one [`Ports`] into the Leptos context of each request. A server function
//! authenticates, calls one port and returns a shared type. Every method takes the [`Principal`] it acts for: the store
//! decides what that principal may see, so that no page can forget to ask.

use crate::model::{
    audit::{AuditFilter, AuditPage},
    encryption::DataEncryption,
    error::ApiError,
    identity::{Deployment, Me, Role},
    key_test::{Activation, KeyTest},
    lock::{KeyNotice, LockFace},
    membership::{OwnerlessWorkspace, WorkspaceMembers},
    organization::General,
    workspace::{FileEntry, Note, Page, Saved, Workspace, WorkspaceRole, WorkspaceSummary},
};
use async_trait::async_trait;
use leptos::prelude::use_context;
use std::sync::Arc;

mod people;

pub use people::{AccountPort, MembersPort, Shown, SignInStep};

/// Who acts. Made only by the server, from a session that it has just read.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The user's id, as the server writes it.
    pub user_id: String,
    pub name: String,
    pub email: String,
    pub role: Role,
    /// Where the request comes from, if one does: for the audit log.
    pub address: Option<String>,
    /// When they last proved who they are, in Unix milliseconds.
    pub proven_at: i64,
}

impl Principal {
    /// What the page may show of the principal.
    pub fn me(&self) -> Me {
        Me { name: self.name.clone(), email: self.email.clone(), role: self.role }
    }
}

/// Everything a server function can call, for one request.
#[derive(Clone)]
pub struct Ports {
    pub session: Arc<dyn SessionPort>,
    pub account: Arc<dyn AccountPort>,
    pub members: Arc<dyn MembersPort>,
    pub organization: Arc<dyn OrganizationPort>,
    pub workspaces: Arc<dyn WorkspacesPort>,
    pub workspace_members: Arc<dyn WorkspaceMembersPort>,
    pub encryption: Arc<dyn EncryptionPort>,
    pub audit: Arc<dyn AuditPort>,
}

impl Ports {
    /// The ports of the request being answered.
    ///
    /// # Errors
    /// [`ApiError::Internal`] outside of a request.
    pub fn current() -> Result<Self, ApiError> {
        use_context::<Self>().ok_or(ApiError::Internal)
    }
}

/// The ports and the signed-in principal of the request being answered.
///
/// # Errors
/// [`ApiError::SignedOut`] if nobody is signed in.
pub async fn authenticated() -> Result<(Ports, Principal), ApiError> {
    let ports = Ports::current()?;
    let principal = ports.session.principal().await?.ok_or(ApiError::SignedOut)?;
    Ok((ports, principal))
}

/// The session of this request.
#[async_trait]
pub trait SessionPort: Send + Sync {
    /// Who is signed in, if anyone is.
    async fn principal(&self) -> Result<Option<Principal>, ApiError>;
    /// Checks e-mail and password, and gives the session a new id.
    async fn sign_in(&self, email: &str, password: &str) -> Result<SignInStep, ApiError>;
    /// Whether a password was given here a moment ago, and a code is owed.
    async fn owes_code(&self) -> Result<bool, ApiError>;
    /// Checks a code of the second factor, and signs in.
    async fn give_code(&self, code: &str) -> Result<(), ApiError>;
    /// Checks the password, or a code, of whoever is signed in: proof that counts for a while.
    async fn give_proof(&self, secret: &str) -> Result<(), ApiError>;
    /// For how many seconds the last proof still counts.
    async fn proof_left(&self) -> Result<u32, ApiError>;
    /// Ends the session.
    async fn sign_out(&self) -> Result<(), ApiError>;
}

/// The organization.
#[async_trait]
pub trait OrganizationPort: Send + Sync {
    async fn deployment(&self) -> Result<Deployment, ApiError>;
    /// What the General settings show beside it. Members are told how many servers there are; administrators, which.
    async fn general(&self, who: &Principal) -> Result<General, ApiError>;
    /// Gives the organization another name, for administrators.
    async fn rename(&self, who: &Principal, name: &str) -> Result<(), ApiError>;
    /// Why data is locked on this server, if it is.
    fn lock(&self) -> Option<LockFace>;
    /// Why this workspace is locked on this server, if it is: alone, or with everything.
    async fn lock_of(&self, who: &Principal, workspace: &str) -> Result<Option<LockFace>, ApiError>;
    /// What an administrator should know about the key before it bites. Others are told nothing.
    fn notice(&self, who: &Principal) -> Option<KeyNotice>;
}

/// Workspaces, notes and files, for their members as far as their role goes. Lists are newest first and come in pages of at most 50.
#[async_trait]
pub trait WorkspacesPort: Send + Sync {
    async fn list(&self, who: &Principal, after: Option<&str>) -> Result<Page<WorkspaceSummary>, ApiError>;
    async fn get(&self, who: &Principal, workspace: &str) -> Result<Workspace, ApiError>;
    async fn create(&self, who: &Principal, name: &str, description: &str) -> Result<Workspace, ApiError>;
    /// Editors may change the description; only owners give a name.
    async fn update(
        &self,
        who: &Principal,
        workspace: &str,
        rev: i64,
        name: Option<&str>,
        description: &str,
    ) -> Result<Saved<Workspace>, ApiError>;
    async fn delete(&self, who: &Principal, workspace: &str) -> Result<(), ApiError>;

    async fn notes(&self, who: &Principal, workspace: &str, after: Option<&str>) -> Result<Page<Note>, ApiError>;
    async fn create_note(&self, who: &Principal, workspace: &str, text: &str) -> Result<Note, ApiError>;
    async fn update_note(
        &self,
        who: &Principal,
        workspace: &str,
        note: &str,
        rev: i64,
        text: &str,
    ) -> Result<Saved<Note>, ApiError>;
    async fn delete_note(&self, who: &Principal, workspace: &str, note: &str) -> Result<(), ApiError>;

    async fn files(&self, who: &Principal, workspace: &str, after: Option<&str>) -> Result<Page<FileEntry>, ApiError>;
    async fn rename_file(
        &self,
        who: &Principal,
        workspace: &str,
        file: &str,
        name: &str,
    ) -> Result<FileEntry, ApiError>;
    async fn delete_file(&self, who: &Principal, workspace: &str, file: &str) -> Result<(), ApiError>;
}

/// Who is a member of a workspace. Owners decide it; administrators do only for a workspace that nobody owns.
#[async_trait]
pub trait WorkspaceMembersPort: Send + Sync {
    async fn members(
        &self,
        who: &Principal,
        workspace: &str,
        after: Option<&str>,
    ) -> Result<WorkspaceMembers, ApiError>;
    /// Adds the person of the organization who has this e-mail.
    async fn add_member(
        &self,
        who: &Principal,
        workspace: &str,
        email: &str,
        role: WorkspaceRole,
    ) -> Result<(), ApiError>;
    async fn change_role(
        &self,
        who: &Principal,
        workspace: &str,
        user: &str,
        role: WorkspaceRole,
    ) -> Result<(), ApiError>;
    /// Takes a member out. Everybody may take out themselves; says whether they did.
    async fn remove_member(&self, who: &Principal, workspace: &str, user: &str) -> Result<bool, ApiError>;
    /// The oldest workspaces without an owner who can sign in, at most 50, for administrators.
    async fn ownerless(&self, who: &Principal) -> Result<Vec<OwnerlessWorkspace>, ApiError>;
    /// Makes the person with this e-mail an owner of a workspace that has none.
    async fn give_owner(&self, who: &Principal, workspace: &str, email: &str) -> Result<(), ApiError>;
    /// Deletes a workspace whose data key KMS refuses, for administrators.
    async fn delete_refused(&self, who: &Principal, workspace: &str) -> Result<(), ApiError>;
}

/// Whose key protects the data. Members may look; only administrators may test or change a key.
#[async_trait]
pub trait EncryptionPort: Send + Sync {
    /// What the page shows, with the test of a key that has the id `test`, if there is one that `who` may see.
    async fn view(&self, who: &Principal, test: Option<&str>) -> Result<DataEncryption, ApiError>;
    /// Has every live server run the preflight for `arn`. Nothing changes.
    async fn test_key(&self, who: &Principal, arn: &str) -> Result<KeyTest, ApiError>;
    /// Does the same and, if nothing fails, starts the job that puts `arn` in force.
    async fn activate(&self, who: &Principal, arn: &str) -> Result<Activation, ApiError>;
    /// Starts the job that puts the provider key back in force. `arn` must be the active key's.
    async fn delete_key(&self, who: &Principal, arn: &str) -> Result<(), ApiError>;
    /// Pauses the unfinished job until somebody resumes it.
    async fn pause_job(&self, who: &Principal) -> Result<(), ApiError>;
    /// Lets a job that was paused by an administrator go on.
    async fn resume_job(&self, who: &Principal) -> Result<(), ApiError>;
    /// Starts a job that tries again what the last one has set aside.
    async fn retry_set_aside(&self, who: &Principal) -> Result<(), ApiError>;
}

/// The audit log, for administrators.
#[async_trait]
pub trait AuditPort: Send + Sync {
    /// The newest entries that the filter lets through, or those before or after what an earlier page has named.
    async fn page(
        &self,
        who: &Principal,
        filter: &AuditFilter,
        older: Option<&str>,
        newer: Option<&str>,
    ) -> Result<AuditPage, ApiError>;
}
