//! The organization as every page shows it.

use super::{access, accounts::Accounts, key_state::KeyState, workspace_locks::WorkspaceLocks};
use app::{
    model::{
        error::ApiError,
        identity::{Deployment, MemberEntry},
        lock::{KeyNotice, LockFace},
    },
    ports::{OrganizationPort, Principal},
};
use async_trait::async_trait;
use std::sync::Arc;
use uuid::Uuid;

/// The organization and its deployment.
pub struct Organization {
    pub deployment: Deployment,
    pub state: Arc<KeyState>,
    pub workspace_locks: Arc<WorkspaceLocks>,
    pub accounts: Arc<Accounts>,
}

#[async_trait]
impl OrganizationPort for Organization {
    fn deployment(&self) -> Deployment {
        self.deployment.clone()
    }

    fn lock(&self) -> Option<LockFace> {
        self.state.face()
    }

    fn lock_of(&self, workspace: &str) -> Option<LockFace> {
        self.state.face().or_else(|| self.workspace_locks.face(Uuid::try_parse(workspace).ok()?))
    }

    fn notice(&self, who: &Principal) -> Option<KeyNotice> {
        access::administrator(who).ok().and_then(|_| self.state.notice())
    }

    async fn members(&self, who: &Principal) -> Result<Vec<MemberEntry>, ApiError> {
        let known = access::user_id(who);
        known.map_err(|failure| failure.tell(None))?;
        self.accounts.members().await
    }
}
