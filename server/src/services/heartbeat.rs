//! The row of this server: that it is alive, and how it stands to the root key.
//!
//! A change of standing is written at once, because the other servers look at it.

use super::{Services, key_state::KeyState, lock_history};
use crate::store::{
    Store, database_now,
    entities::{
        lock_event,
        server::{self, LOCKED, OPEN, SUSPECT},
    },
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, OnConflict},
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;
use uuid::Uuid;
use vault::Standing;

const EVERY: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(2);
/// A server that has been silent for this long is forgotten; milliseconds.
const FORGOTTEN_AFTER: i64 = 24 * 60 * 60 * 1000;
/// The locks of a server that has been silent for this long are closed; milliseconds.
const STOPPED_AFTER: i64 = 60 * 1000;

impl Services {
    /// How many servers of the deployment run now, this one among them.
    pub async fn live_servers(&self) -> u64 {
        let on = self.store.read();
        match async { lock_history::servers(on, database_now(on).await?).await }.await {
            Ok(servers) => servers.live.max(1),
            Err(error) => {
                tracing::warn!(event = "database_failed", %error, "the servers could not be counted");
                1
            }
        }
    }
}

/// Keeps the row of one server.
#[derive(Clone)]
pub struct Heartbeat {
    pub store: Store,
    pub state: Arc<KeyState>,
    /// The id of this server.
    pub server: Uuid,
    /// What operators call it.
    pub name: String,
}

impl Heartbeat {
    /// Beats until it is dropped.
    pub async fn run(self) {
        let mut standing = self.state.vault().watch();
        let mut changed_at = self.now();
        loop {
            let stands = *standing.borrow_and_update();
            let beaten = timeout(PATIENCE, self.beat(stands, changed_at)).await;
            if !matches!(beaten, Ok(Ok(()))) {
                let error = beaten.err().map_or_else(|| "the database failed".to_owned(), |late| late.to_string());
                tracing::warn!(event = "heartbeat_missed", error, "the row of this server could not be written");
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                _ = standing.changed() => changed_at = self.now(),
            }
        }
    }

    fn now(&self) -> i64 {
        self.state.vault().clock().wall_ms()
    }

    async fn beat(&self, stands: Standing, changed_at: i64) -> Result<(), DbErr> {
        let on = self.store.write();
        let now = database_now(on).await?;
        let verified = self.state.verified_ms_ago().and_then(|ago| i64::try_from(ago).ok());
        let row = server::ActiveModel {
            id: Set(self.server),
            name: Set(self.name.clone()),
            version: Set(env!("CARGO_PKG_VERSION").to_owned()),
            started_at: Set(now),
            heartbeat_at: Set(now),
            key_state: Set(word(stands).to_owned()),
            key_state_at: Set(changed_at),
            verified_at: Set(verified.map(|ago| self.now() - ago)),
        };
        let update = OnConflict::column(server::Column::Id)
            .update_columns([
                server::Column::HeartbeatAt,
                server::Column::KeyState,
                server::Column::KeyStateAt,
                server::Column::VerifiedAt,
            ])
            .to_owned();
        server::Entity::insert(row).on_conflict(update).exec_without_returning(on).await?;
        self.close_for_the_stopped(now).await?;
        let forgotten = server::Column::HeartbeatAt.lt(now - FORGOTTEN_AFTER);
        server::Entity::delete_many().filter(forgotten).exec(on).await?;
        Ok(())
    }

    /// A server that was killed while it was locked cannot say any more that it has stopped.
    async fn close_for_the_stopped(&self, now: i64) -> Result<(), DbErr> {
        let alive = server::Entity::find()
            .select_only()
            .column(server::Column::Id)
            .filter(server::Column::HeartbeatAt.gt(now - STOPPED_AFTER))
            .into_query();
        self.close(now, lock_event::Column::ServerId.not_in_subquery(alive)).await
    }

    /// Takes leave: this server has stopped.
    pub async fn leave(&self) -> Result<(), DbErr> {
        server::Entity::delete_by_id(self.server).exec(self.store.write()).await?;
        self.close(self.now(), lock_event::Column::ServerId.eq(self.server)).await
    }

    async fn close(&self, now: i64, whose: impl sea_orm::sea_query::IntoCondition) -> Result<(), DbErr> {
        lock_event::Entity::update_many()
            .col_expr(lock_event::Column::GoneAt, Expr::value(now))
            .filter(lock_event::Column::RestoredAt.is_null())
            .filter(lock_event::Column::GoneAt.is_null())
            .filter(whose)
            .exec(self.store.write())
            .await?;
        Ok(())
    }
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Open => OPEN,
        Standing::Suspect => SUSPECT,
        Standing::Locked => LOCKED,
    }
}
