//! The row of this server: that it is alive, and whether it can open data.

use crate::store::{Store, database_now, entities::server};
use sea_orm::{ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, QueryFilter, sea_query::OnConflict};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;
use vault::Vault;

const EVERY: Duration = Duration::from_secs(5);
/// A server that has been silent for this long has gone; milliseconds.
const GONE: i64 = 24 * 60 * 60 * 1000;

/// Keeps the row of one server.
pub struct Heartbeat {
    pub store: Store,
    pub vault: Arc<Vault>,
    /// The id of this server.
    pub server: Uuid,
}

impl Heartbeat {
    /// Beats until it is dropped.
    pub async fn run(self) {
        loop {
            if let Err(error) = self.beat().await {
                tracing::warn!(event = "heartbeat_missed", %error, "the row of this server could not be written");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    async fn beat(&self) -> Result<(), DbErr> {
        let now = database_now(self.store.write()).await?;
        let row = server::ActiveModel {
            id: Set(self.server),
            name: Set(String::new()),
            version: Set(env!("CARGO_PKG_VERSION").to_owned()),
            started_at: Set(now),
            heartbeat_at: Set(now),
            key_state: Set(self.key_state().to_owned()),
            key_state_at: Set(0),
            verified_at: Set(None),
        };
        let update = OnConflict::column(server::Column::Id)
            .update_columns([server::Column::HeartbeatAt, server::Column::KeyState])
            .to_owned();
        server::Entity::insert(row).on_conflict(update).exec_without_returning(self.store.write()).await?;
        let gone = server::Column::HeartbeatAt.lt(now - GONE);
        server::Entity::delete_many().filter(gone).exec(self.store.write()).await?;
        Ok(())
    }

    fn key_state(&self) -> &'static str {
        match (self.vault.is_open(), self.vault.is_suspect()) {
            (false, _) => "locked",
            (true, true) => "suspect",
            (true, false) => "open",
        }
    }
}
