//! The journal of locks: each lock of this server with its cause and times, in the log and in the database.
//!
//! It follows the vault itself, so a lease that simply runs out is noted like any other lock.

use super::{failure::Failure, ids::new_id, key_state::cause_word};
use crate::store::{Store, entities::lock_event, house};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use std::sync::Arc;
use tokio::sync::watch;
use uuid::Uuid;
use vault::{LockState, Vault};

/// Writes the journal of one server.
#[derive(Clone)]
pub struct LockJournal {
    pub store: Store,
    pub vault: Arc<Vault>,
    /// The id of this server.
    pub server: Uuid,
    /// Bumped when the lock has changed.
    pub changed: watch::Sender<u64>,
}

impl LockJournal {
    /// Follows the vault until it is dropped.
    pub async fn run(self) {
        let mut open = self.vault.watch();
        while open.changed().await.is_ok() {
            let _ = *open.borrow_and_update();
            self.changed.send_modify(|version| *version += 1);
            let noted = match self.vault.lock_state() {
                Some(lock) => self.locked(&lock).await,
                None => self.unlocked().await,
            };
            if let Err(failure) = noted {
                tracing::warn!(event = "lock_not_noted", error = %failure, "the lock history is incomplete");
            }
        }
    }

    /// Notes that a lock now has another cause.
    pub async fn cause_changed(&self, lock: &LockState) {
        if let Err(failure) = self.locked(lock).await {
            tracing::warn!(event = "lock_not_noted", error = %failure, "the lock history is incomplete");
        }
        self.changed.send_modify(|version| *version += 1);
    }

    async fn locked(&self, lock: &LockState) -> Result<(), Failure> {
        let cause = cause_word(lock.cause);
        let (code, request_id) = (lock.code.as_deref(), lock.request_id.as_deref());
        tracing::error!(event = "locked", cause, code, request_id, "the data is locked");
        self.close().await?;
        let root = house::root(self.store.read()).await?;
        let event = lock_event::ActiveModel {
            id: Set(new_id(&self.vault)?),
            server_id: Set(self.server),
            server_name: Set(String::new()),
            scope: Set(None),
            root_kind: Set(root.root_kind),
            deletion_at: Set(None),
            ended_at: Set(None),
            last_byte_at: Set(None),
            cut: Set(0),
            gone_at: Set(None),
            root_key_arn: Set(root.root_key_arn),
            cause: Set(cause.to_owned()),
            code: Set(lock.code.clone()),
            request_id: Set(lock.request_id.clone()),
            refused_at: Set(lock.refused_at),
            locked_at: Set(lock.since),
            restored_at: Set(None),
        };
        lock_event::Entity::insert(event).exec_without_returning(self.store.write()).await?;
        Ok(())
    }

    async fn unlocked(&self) -> Result<(), Failure> {
        tracing::info!(event = "unlocked", "the data can be read");
        self.close().await
    }

    async fn close(&self) -> Result<(), Failure> {
        let now = self.vault.clock().wall_ms();
        lock_event::Entity::update_many()
            .col_expr(lock_event::Column::RestoredAt, Expr::value(now))
            .filter(lock_event::Column::ServerId.eq(self.server))
            .filter(lock_event::Column::RestoredAt.is_null())
            .exec(self.store.write())
            .await?;
        Ok(())
    }
}
