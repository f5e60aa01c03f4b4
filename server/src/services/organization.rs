//! The organization as every page shows it.

use super::{access, accounts::Accounts, key_state::KeyState};
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

/// The organization and its deployment.
pub struct Organization {
    pub deployment: Deployment,
    pub state: Arc<KeyState>,
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

    fn lock_of(&self, _workspace: &str) -> Option<LockFace> {
        self.state.face()
    }

    fn notice(&self, _who: &Principal) -> Option<KeyNotice> {
        None
    }

    async fn members(&self, who: &Principal) -> Result<Vec<MemberEntry>, ApiError> {
        let known = access::user_id(who);
        known.map_err(|failure| failure.tell(None))?;
        self.accounts.members().await
    }
}
