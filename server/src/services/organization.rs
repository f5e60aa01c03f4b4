//! The organization as every page shows it.

use super::{
    access::{self, Reading},
    key_state::KeyState,
    workspace_locks::WorkspaceLocks,
};
use crate::store::Store;
use app::{
    model::{
        error::ApiError,
        identity::Deployment,
        lock::{KeyNotice, LockFace},
    },
    ports::{OrganizationPort, Principal},
};
use async_trait::async_trait;
use std::sync::Arc;
use uuid::Uuid;

/// The organization and its deployment.
pub struct Organization {
    pub store: Store,
    pub deployment: Deployment,
    pub state: Arc<KeyState>,
    pub workspace_locks: Arc<WorkspaceLocks>,
}

impl Organization {
    /// Why a workspace is locked on this server, if it is, for whoever has been let in.
    pub fn face_of(&self, workspace: Uuid) -> Option<LockFace> {
        self.state.face().or_else(|| self.workspace_locks.face(workspace))
    }
}

#[async_trait]
impl OrganizationPort for Organization {
    fn deployment(&self) -> Deployment {
        self.deployment.clone()
    }

    fn lock(&self) -> Option<LockFace> {
        self.state.face()
    }

    async fn lock_of(&self, who: &Principal, workspace: &str) -> Result<Option<LockFace>, ApiError> {
        let found = access::workspace::<Reading>(self.store.read(), who, workspace).await;
        Ok(self.face_of(found.map_err(|failure| failure.tell(None))?.id()))
    }

    fn notice(&self, who: &Principal) -> Option<KeyNotice> {
        access::administrator(who).ok().and_then(|_| self.state.notice())
    }
}
