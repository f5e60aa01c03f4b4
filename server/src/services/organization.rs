//! The organization: its name, its deployment, and the servers that run it.
//!
//! What must stay true: a name that an administrator has given is the same on every server with the next request, so it is
//! read each time; and only administrators are told what servers are called.

use super::{
    access::{self, Reading},
    audit::{Action, Audit, Entry, Object},
    failure::Failure,
    key_state::KeyState,
    lock_history,
    workspace_locks::WorkspaceLocks,
};
use crate::store::{
    Store, database_now,
    entities::{organization, server},
};
use app::{
    model::{
        error::{ApiError, Invalid},
        identity::{Deployment, Role},
        lock::{KeyNotice, LockFace},
        organization::{General, ServerLine, ServerState},
    },
    ports::{OrganizationPort, Principal},
};
use async_trait::async_trait;
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait, QueryOrder, sea_query::OnConflict};
use std::sync::Arc;
use uuid::Uuid;

/// The longest name, in characters.
const NAME_CHARS: usize = 120;
/// The id of the one row.
const ROW: i32 = 1;
/// What the audit log calls the setting.
const NAME: &str = "organization_name";

/// A name as it is kept; `None` if it is empty, too long or has control characters.
pub fn checked_name(text: &str) -> Option<String> {
    let name = text.trim();
    let fits = !name.is_empty() && name.chars().count() <= NAME_CHARS && !name.chars().any(char::is_control);
    fits.then(|| name.to_owned())
}

/// What the organization is called now.
#[derive(Clone)]
pub struct OrganizationName {
    pub store: Store,
    /// The name of the configuration, which holds until an administrator gives another.
    pub configured: String,
}

impl OrganizationName {
    /// The name. Cost: one row by its primary key.
    pub async fn now(&self) -> Result<String, DbErr> {
        let row = organization::Entity::find_by_id(ROW).one(self.store.read()).await?;
        Ok(row.map_or_else(|| self.configured.clone(), |row| row.name))
    }
}

/// The organization and its deployment.
pub struct Organization {
    pub store: Store,
    pub name: OrganizationName,
    /// As it is configured.
    pub configured: Deployment,
    /// The id of this server.
    pub server: Uuid,
    pub state: Arc<KeyState>,
    pub workspace_locks: Arc<WorkspaceLocks>,
}

impl Organization {
    /// Why a workspace is locked on this server, if it is, for whoever has been let in.
    pub fn face_of(&self, workspace: Uuid) -> Option<LockFace> {
        self.state.face().or_else(|| self.workspace_locks.face(workspace))
    }

    async fn rename_to(&self, who: &Principal, name: &str) -> Result<(), Failure> {
        access::administrator(who)?;
        let name = checked_name(name).ok_or(Failure::Refused(Invalid::OrganizationName.into()))?;
        let transaction = self.store.begin().await?;
        let row = organization::ActiveModel { id: Set(ROW), name: Set(name) };
        let known = OnConflict::column(organization::Column::Id).update_column(organization::Column::Name).to_owned();
        organization::Entity::insert(row).on_conflict(known).exec_without_returning(&transaction).await?;
        let entry = Entry::by(who, Action::SettingChanged).on(&Object::Setting(NAME));
        Audit::commit(transaction, entry).await?;
        tracing::info!(event = "organization_renamed", by = who.user_id, "the organization has another name");
        Ok(())
    }

    async fn look(&self, who: &Principal) -> Result<General, Failure> {
        access::user_id(who)?;
        let on = self.store.read();
        let now = database_now(on).await?;
        let may_change = who.role == Role::Administrator;
        let lines = if may_change {
            let rows = server::Entity::find().order_by_asc(server::Column::Name).order_by_asc(server::Column::Id);
            rows.all(on).await?.into_iter().map(|row| self.line(row, now)).collect()
        } else {
            Vec::new()
        };
        Ok(General { servers: lock_history::servers(on, now).await?, lines, may_change })
    }

    fn line(&self, row: server::Model, now: i64) -> ServerLine {
        let heard_ms_ago = u64::try_from(now - row.heartbeat_at).unwrap_or_default();
        let state = match row.key_state.as_str() {
            _ if now - row.heartbeat_at >= server::SILENT_FOR => ServerState::Silent,
            server::OPEN => ServerState::Open,
            server::SUSPECT => ServerState::Suspect,
            _ => ServerState::Locked,
        };
        ServerLine {
            is_this: row.id == self.server,
            name: row.name,
            version: row.version,
            state,
            since: row.key_state_at,
            heard_ms_ago,
            started_at: row.started_at,
            verified_at: row.verified_at,
        }
    }
}

fn told<T>(outcome: Result<T, Failure>) -> Result<T, ApiError> {
    outcome.map_err(|failure| failure.tell(None))
}

#[async_trait]
impl OrganizationPort for Organization {
    async fn deployment(&self) -> Result<Deployment, ApiError> {
        let organization = told(self.name.now().await.map_err(Failure::from))?;
        Ok(Deployment { organization, ..self.configured.clone() })
    }

    async fn general(&self, who: &Principal) -> Result<General, ApiError> {
        told(self.look(who).await)
    }

    async fn rename(&self, who: &Principal, name: &str) -> Result<(), ApiError> {
        told(self.rename_to(who, name).await)
    }

    fn lock(&self) -> Option<LockFace> {
        self.state.face()
    }

    async fn lock_of(&self, who: &Principal, workspace: &str) -> Result<Option<LockFace>, ApiError> {
        let found = access::workspace::<Reading>(self.store.read(), who, workspace).await;
        Ok(self.face_of(told(found)?.id()))
    }

    fn notice(&self, who: &Principal) -> Option<KeyNotice> {
        access::administrator(who).ok().and_then(|_| self.state.notice())
    }
}

#[cfg(test)]
mod tests {
    use super::checked_name;

    #[test]
    fn a_name_is_short_and_one_line() {
        assert_eq!(checked_name(" Northwind Läbs ").as_deref(), Some("Northwind Läbs"));
        assert_eq!(checked_name(&"ä".repeat(120)).map(|name| name.chars().count()), Some(120));
        for name in ["", "  ", "a\r\nBcc: b@example.com", "a\0b", &"ä".repeat(121)] {
            assert_eq!(checked_name(name), None, "{name:?}");
        }
    }
}
