//! Sessions in the database.
//!
//! What must stay true: only a SHA-256 of the session id is stored, so a copy of the table lets nobody in; a session ends 12
//! hours after it was last used and 7 days after sign-in, whatever the browser says; and it is written at most once a minute.

use crate::{
    services::accounts::Accounts,
    store::{Store, entities::session},
};
use async_trait::async_trait;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, SqlErr,
    sea_query::Expr,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{collections::HashMap, fmt, sync::Arc, time::Duration};
use time::OffsetDateTime;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tower_sessions::{
    Expiry, SessionManagerLayer, SessionStore,
    cookie::SameSite,
    session::{Id, Record},
    session_store::{self, Error},
};
use uuid::Uuid;
use vault::Clock;

/// The id of the signed-in user, in what a session keeps.
pub const USER: &str = "user";
/// The number of the user under which the session began: it ends when that grows.
pub const EPOCH: &str = "epoch";
/// When the user last proved who they are, in Unix milliseconds.
pub const PROVEN: &str = "proven";
pub const CONFIRMED: &str = "confirmed";
/// From where, and with what, the user signed in.
pub const ADDRESS: &str = "address";
pub const DEVICE: &str = "device";
/// Who has given a password and still owes a code: a [`Half`].
pub const HALF: &str = "half";
/// When the session was last used, in Unix milliseconds. Read from the row, never stored with the data.
pub const SEEN: &str = "seen";

const MINUTE_MS: i64 = 60 * 1000;
const IDLE_MS: i64 = 12 * 60 * MINUTE_MS;
const ABSOLUTE_MS: i64 = 7 * 24 * 60 * MINUTE_MS;
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// Half a sign-in.
#[derive(Serialize, Deserialize)]
pub struct Half {
    pub user: String,
    pub epoch: i64,
    /// When the password was given, in Unix milliseconds.
    pub at: i64,
}

/// A session as its user may see it.
pub struct Listed {
    /// The hash of its id, in hexadecimal: it lets nobody in.
    pub id: String,
    pub device: String,
    pub address: String,
    pub created_at: i64,
    pub last_seen_at: i64,
    pub is_this: bool,
}

/// The sessions of the deployment.
#[derive(Clone)]
pub struct Sessions {
    store: Store,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}

impl Sessions {
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// The name of the cookie. `__Host-` makes browsers insist on TLS, this host and the root path.
    pub const fn cookie_name(https: bool) -> &'static str {
        if https { "__Host-keystead" } else { "keystead" }
    }

    /// The layer that reads and writes the cookie. The cookie lives as long as a session can at most.
    pub fn layer(&self, https: bool) -> SessionManagerLayer<Self> {
        SessionManagerLayer::new(self.clone())
            .with_name(Self::cookie_name(https))
            .with_secure(https)
            .with_http_only(true)
            .with_same_site(SameSite::Lax)
            .with_path("/")
            .with_expiry(Expiry::OnInactivity(time::Duration::milliseconds(ABSOLUTE_MS)))
    }

    /// Whether a session that was last used at `seen` is due to be written again.
    pub fn is_due(&self, seen: i64) -> bool {
        self.clock.wall_ms() - seen >= MINUTE_MS
    }

    /// Notes that a session is being used.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch(&self, id: &Id) -> Result<(), DbErr> {
        let Some(row) = self.live(id).await? else { return Ok(()) };
        let now = self.clock.wall_ms();
        session::Entity::update_many()
            .col_expr(session::Column::LastSeenAt, Expr::value(now))
            .col_expr(session::Column::ExpiresAt, Expr::value(expires_at(row.created_at, now)))
            .filter(session::Column::IdHash.eq(row.id_hash))
            .exec(self.store.write())
            .await?;
        Ok(())
    }

    /// The user of a session and the number it began under, if the session still lives. Does not count as use.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holder_of(&self, id: &Id) -> Result<Option<(Uuid, i64)>, DbErr> {
        let row = self.live(id).await?;
        Ok(row.and_then(|row| Some((row.user_id?, number(&row.data, EPOCH)))))
    }

    /// The live sessions of a user, the one used last first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_user(&self, user: Uuid, epoch: i64, this: Option<Id>) -> Result<Vec<Listed>, DbErr> {
        let now = self.clock.wall_ms();
        let rows = session::Entity::find()
            .filter(session::Column::UserId.eq(user))
            .order_by_desc(session::Column::LastSeenAt)
            .all(self.store.read())
            .await?;
        let this = this.as_ref().map(hash);
        let live = rows.into_iter().filter(|row| expires_at(row.created_at, row.last_seen_at) > now);
        let listed = live.filter(|row| number(&row.data, EPOCH) == epoch).map(|row| Listed {
            is_this: this.as_ref() == Some(&row.id_hash),
            id: hex::encode(&row.id_hash),
            device: text(&row.data, DEVICE),
            address: text(&row.data, ADDRESS),
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
        });
        Ok(listed.collect())
    }

    /// Ends one session of a user, in the transaction that notes it; `false` if they have no such session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end(&self, on: &impl ConnectionTrait, user: Uuid, id: &str) -> Result<bool, DbErr> {
        let Ok(id_hash) = hex::decode(id) else { return Ok(false) };
        let one = session::Entity::delete_many()
            .filter(session::Column::UserId.eq(user))
            .filter(session::Column::IdHash.eq(id_hash));
        Ok(one.exec(on).await?.rows_affected == 1)
    }

    /// Ends all sessions of a user but this one, in the transaction that notes it. Gives how many there were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_others(&self, on: &impl ConnectionTrait, user: Uuid, this: &Id) -> Result<u64, DbErr> {
        let others = session::Entity::delete_many()
            .filter(session::Column::UserId.eq(user))
            .filter(session::Column::IdHash.ne(hash(this)));
        Ok(others.exec(on).await?.rows_affected)
    }

    /// Deletes the sessions that have ended, and old attempts to sign in, now and then, until `closing`.
    pub async fn sweep(self, accounts: Arc<Accounts>, closing: CancellationToken) {
        let mut ticks = interval(SWEEP_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = closing.cancelled() => return,
                _ = ticks.tick() => {}
            }
            match self.delete_expired().await {
                Ok(0) => {}
                Ok(deleted) => tracing::debug!(deleted, "expired sessions deleted"),
                Err(error) => tracing::warn!(event = "database_failed", %error, "expired sessions were not deleted"),
            }
            if let Err(error) = accounts.sweep().await {
                tracing::warn!(event = "database_failed", %error, "old attempts to sign in were not deleted");
            }
        }
    }

    async fn delete_expired(&self) -> Result<u64, DbErr> {
        let expired = session::Column::ExpiresAt.lte(self.clock.wall_ms());
        Ok(session::Entity::delete_many().filter(expired).exec(self.store.write()).await?.rows_affected)
    }

    async fn live(&self, id: &Id) -> Result<Option<session::Model>, DbErr> {
        let row = session::Entity::find_by_id(hash(id)).one(self.store.read()).await?;
        let now = self.clock.wall_ms();
        Ok(row.filter(|row| expires_at(row.created_at, row.last_seen_at) > now))
    }

    async fn insert(&self, record: &Record) -> Result<(), DbErr> {
        let now = self.clock.wall_ms();
        let row = session::ActiveModel {
            id_hash: Set(hash(&record.id)),
            user_id: Set(user(record)),
            data: Set(stored(record)),
            created_at: Set(now),
            last_seen_at: Set(now),
            expires_at: Set(expires_at(now, now)),
        };
        session::Entity::insert(row).exec_without_returning(self.store.write()).await?;
        Ok(())
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        loop {
            match self.insert(record).await {
                Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
                    record.id = Id::default();
                }
                other => return other.map_err(|error| backend(&error)),
            }
        }
    }

    /// A session that has been ended meanwhile stays ended.
    async fn save(&self, record: &Record) -> session_store::Result<()> {
        session::Entity::update_many()
            .col_expr(session::Column::UserId, Expr::value(user(record)))
            .col_expr(session::Column::Data, Expr::value(stored(record)))
            .filter(session::Column::IdHash.eq(hash(&record.id)))
            .exec(self.store.write())
            .await
            .map_err(|error| backend(&error))?;
        Ok(())
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let Some(row) = self.live(id).await.map_err(|error| backend(&error))? else { return Ok(None) };
        let mut data: HashMap<String, Value> =
            serde_json::from_str(&row.data).map_err(|error| Error::Decode(error.to_string()))?;
        data.insert(SEEN.to_owned(), row.last_seen_at.into());
        let ends = expires_at(row.created_at, row.last_seen_at);
        let expiry_date = OffsetDateTime::from_unix_timestamp(ends / 1000).map_err(|e| Error::Decode(e.to_string()))?;
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        session::Entity::delete_by_id(hash(id)).exec(self.store.write()).await.map_err(|error| backend(&error))?;
        Ok(())
    }
}

fn backend(error: &DbErr) -> Error {
    Error::Backend(error.to_string())
}

fn hash(id: &Id) -> Vec<u8> {
    Sha256::digest(id.0.to_le_bytes()).to_vec()
}

fn expires_at(created_at: i64, last_seen_at: i64) -> i64 {
    (created_at + ABSOLUTE_MS).min(last_seen_at + IDLE_MS)
}

fn read(data: &str, key: &str) -> Option<Value> {
    serde_json::from_str::<HashMap<String, Value>>(data).ok()?.remove(key)
}

fn number(data: &str, key: &str) -> i64 {
    read(data, key).and_then(|value| value.as_i64()).unwrap_or_default()
}

fn text(data: &str, key: &str) -> String {
    read(data, key).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn user(record: &Record) -> Option<Uuid> {
    record.data.get(USER).and_then(Value::as_str).and_then(|id| Uuid::try_parse(id).ok())
}

fn stored(record: &Record) -> String {
    let kept: serde_json::Map<_, _> =
        record.data.iter().filter(|(key, _)| *key != SEEN).map(|(key, value)| (key.clone(), value.clone())).collect();
    Value::Object(kept).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicI64, Ordering};

    #[derive(Default)]
    struct HeldClock(AtomicI64);

    impl Clock for HeldClock {
        fn boot(&self) -> Duration {
            Duration::ZERO
        }

        fn wall_ms(&self) -> i64 {
            self.0.load(Ordering::Relaxed)
        }
    }

    async fn sessions() -> (Sessions, Arc<HeldClock>) {
        let store = Store::connect("sqlite::memory:").await.unwrap();
        store.migrate().await.unwrap();
        let clock = Arc::new(HeldClock::default());
        (Sessions::new(store, clock.clone()), clock)
    }

    fn record() -> Record {
        Record { id: Id::default(), data: HashMap::default(), expiry_date: OffsetDateTime::UNIX_EPOCH }
    }

    #[tokio::test]
    async fn only_a_hash_of_the_id_is_stored() {
        let (sessions, _) = sessions().await;
        let mut record = record();
        sessions.create(&mut record).await.unwrap();
        let rows = session::Entity::find().all(sessions.store.read()).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].id_hash, Sha256::digest(record.id.0.to_le_bytes()).to_vec());
        assert!(!rows[0].data.contains(&record.id.to_string()));
    }

    #[tokio::test]
    async fn an_unused_session_ends_after_twelve_hours_and_a_used_one_goes_on() {
        let (sessions, clock) = sessions().await;
        let mut record = record();
        sessions.create(&mut record).await.unwrap();
        clock.0.store(IDLE_MS - 1, Ordering::Relaxed);
        assert!(sessions.load(&record.id).await.unwrap().is_some());
        sessions.touch(&record.id).await.unwrap();
        clock.0.store(2 * IDLE_MS - 2, Ordering::Relaxed);
        assert!(sessions.load(&record.id).await.unwrap().is_some());
        clock.0.store(2 * IDLE_MS - 1, Ordering::Relaxed);
        assert!(sessions.load(&record.id).await.unwrap().is_none());
        assert_eq!(sessions.delete_expired().await.unwrap(), 1);
    }

    #[tokio::test]
    async fn every_session_ends_after_seven_days() {
        let (sessions, clock) = sessions().await;
        let mut record = record();
        sessions.create(&mut record).await.unwrap();
        for hours in (6..7 * 24).step_by(6) {
            clock.0.store(hours * 60 * MINUTE_MS, Ordering::Relaxed);
            sessions.touch(&record.id).await.unwrap();
        }
        clock.0.store(ABSOLUTE_MS - 1, Ordering::Relaxed);
        assert!(sessions.load(&record.id).await.unwrap().is_some());
        clock.0.store(ABSOLUTE_MS, Ordering::Relaxed);
        assert!(sessions.load(&record.id).await.unwrap().is_none());
    }
}
