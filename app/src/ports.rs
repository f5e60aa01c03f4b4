//! What the pages need from the server.
//!
//! `server` implements these traits and puts one [`Ports`] into the Leptos context of each request. A server function
//! authenticates, calls one port and returns a shared type. Every method takes the [`Principal`] it acts for: the store
//! decides what that principal may see, so that no page can forget to ask.

use crate::model::{
    encryption::DataEncryption,
    error::ApiError,
    identity::{Deployment, Me, MemberEntry, Role},
    lock::{KeyNotice, LockFace},
    preflight::Preflight,
    workspace::{FileEntry, Note, Page, Saved, Workspace, WorkspaceSummary},
};
use async_trait::async_trait;
use leptos::prelude::use_context;
use std::sync::Arc;

/// Who acts. Made only by the server, from a session that it has just read.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The user's id, as the server writes it.
    pub user_id: String,
    pub name: String,
    pub email: String,
    pub role: Role,
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
    pub organization: Arc<dyn OrganizationPort>,
    pub workspaces: Arc<dyn WorkspacesPort>,
    pub encryption: Arc<dyn EncryptionPort>,
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
    async fn sign_in(&self, email: &str, password: &str) -> Result<(), ApiError>;
    /// Ends the session.
    async fn sign_out(&self) -> Result<(), ApiError>;
}

/// The organization and its members.
#[async_trait]
pub trait OrganizationPort: Send + Sync {
    fn deployment(&self) -> Deployment;
    /// Why data is locked on this server, if it is.
    fn lock(&self) -> Option<LockFace>;
    /// Why this workspace is locked on this server, if it is: alone, or with everything. The id may be one that is none.
    fn lock_of(&self, workspace: &str) -> Option<LockFace>;
    /// What an administrator should know about the key before it bites. Others are told nothing.
    fn notice(&self, who: &Principal) -> Option<KeyNotice>;
    async fn members(&self, who: &Principal) -> Result<Vec<MemberEntry>, ApiError>;
}

/// Workspaces, notes and files. Lists are newest first and come in pages of at most 50.
#[async_trait]
pub trait WorkspacesPort: Send + Sync {
    async fn list(&self, who: &Principal, after: Option<&str>) -> Result<Page<WorkspaceSummary>, ApiError>;
    async fn get(&self, who: &Principal, workspace: &str) -> Result<Workspace, ApiError>;
    async fn create(&self, who: &Principal, name: &str, description: &str) -> Result<Workspace, ApiError>;
    async fn update(
        &self,
        who: &Principal,
        workspace: &str,
        rev: i64,
        name: &str,
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

/// Whose key protects the data. Members may look; only administrators may test or change a key.
#[async_trait]
pub trait EncryptionPort: Send + Sync {
    async fn view(&self, who: &Principal) -> Result<DataEncryption, ApiError>;
    /// Runs the preflight for `arn`. Nothing changes.
    async fn test_key(&self, who: &Principal, arn: &str) -> Result<Preflight, ApiError>;
    /// Runs the preflight and, if nothing fails, starts the job that puts `arn` in force.
    async fn activate(&self, who: &Principal, arn: &str) -> Result<(), ApiError>;
    /// Starts the job that puts the provider key back in force. `arn` must be the active key's.
    async fn delete_key(&self, who: &Principal, arn: &str) -> Result<(), ApiError>;
    /// Pauses the unfinished job until somebody resumes it.
    async fn pause_job(&self, who: &Principal) -> Result<(), ApiError>;
    /// Lets a job that was paused by an administrator go on.
    async fn resume_job(&self, who: &Principal) -> Result<(), ApiError>;
    /// Starts a job that tries again what the last one has set aside.
    async fn retry_set_aside(&self, who: &Principal) -> Result<(), ApiError>;
}
