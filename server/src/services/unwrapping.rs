//! Unwrapping data keys: one call for all who wait for the same key, and the decision whether a refusal is of one workspace
//! alone.
//!
//! What must stay true: an answer means nothing if the root key has changed between our reading and KMS's answer. A refusal
//! of a workspace's data key is confirmed once, and counts for that workspace only after the key check has been asked about
//! the root key; until then nothing is opened. Every data key is listed before its row is read and until it is in the ring, so
//! that one which is destroyed meanwhile can be kept from getting there.

use super::{data_keys::check_value, failure::Failure, key_state::KeyState, workspace_locks::WorkspaceLocks};
use crate::store::{
    Store,
    house::{self, WrappedKey},
};
use app::model::lock::LockFace;
use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use sea_orm::DbErr;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, time::timeout};
use uuid::Uuid;
use vault::{DataKey, DataKeyId, Kms, KmsClass, KmsError, Scope, Standing, Unwrapped, Vault, WrapContext};

/// How long the key check may take to say whether the root key is refused too.
const ROOT_PATIENCE: Duration = Duration::from_secs(4);
/// How long the database may take to say what to unwrap.
const DATABASE_PATIENCE: Duration = Duration::from_secs(5);

/// Why a data key could not be had. All who wait for it are told the same.
#[derive(Clone, Debug)]
pub enum Unopened {
    /// Everything is locked.
    Locked,
    /// This workspace is locked alone.
    Workspace(Box<LockFace>),
    Kms(KmsError),
    Database(DbErr),
    /// There is no such data key (any more).
    Superseded,
    Inconsistent(&'static str),
}

impl From<Unopened> for Failure {
    fn from(unopened: Unopened) -> Self {
        match unopened {
            Unopened::Locked => Self::Locked,
            Unopened::Workspace(face) => Self::WorkspaceLocked(face),
            Unopened::Kms(error) => Self::Kms(error),
            Unopened::Database(error) => Self::Database(error),
            Unopened::Superseded => Self::Superseded,
            Unopened::Inconsistent(what) => Self::Inconsistent(what),
        }
    }
}

impl From<DbErr> for Unopened {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

impl From<vault::Locked> for Unopened {
    fn from(_: vault::Locked) -> Self {
        Self::Locked
    }
}

/// A query that may find the database silent.
async fn in_time<T>(query: impl Future<Output = Result<T, DbErr>>) -> Result<T, Unopened> {
    let silent = || Err(DbErr::Custom("the database did not answer in time".to_owned()));
    Ok(timeout(DATABASE_PATIENCE, query).await.unwrap_or_else(|_| silent())?)
}

/// How an unwrap that is under way will end.
type Ending = Shared<BoxFuture<'static, Result<Arc<DataKey>, Unopened>>>;

/// A wrapped data key with the epoch before it was read: an unwrap of it that a lock overtakes enters no ring.
struct Asked {
    listed: Listed,
    epoch: vault::Epoch,
    row: WrappedKey,
}

/// An unwrapped data key that is in no ring yet, with what the ring wants to know.
struct Fresh {
    _listed: Listed,
    epoch: vault::Epoch,
    sent: Duration,
    unwrapped: Unwrapped,
}

/// Unwraps data keys of this server.
pub struct Unwrapping {
    pub store: Store,
    pub state: Arc<KeyState>,
    pub kms: Kms,
    pub locks: Arc<WorkspaceLocks>,
    /// Rung when KMS refuses, so that the key check looks at once.
    pub doubt: Arc<Notify>,
    pub under_way: UnderWay,
}

/// The unwraps that are under way.
#[derive(Default)]
pub struct UnderWay {
    endings: Mutex<HashMap<DataKeyId, Ending>>,
    /// Data keys that are being read and unwrapped, and are not in the ring yet; once for each who does.
    listed: Arc<Mutex<Vec<DataKeyId>>>,
}

impl UnderWay {
    fn list(&self) -> MutexGuard<'_, HashMap<DataKeyId, Ending>> {
        self.endings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a data key on the list of those that may come into the ring.
struct Listed {
    id: DataKeyId,
    list: Arc<Mutex<Vec<DataKeyId>>>,
}

impl Listed {
    fn on(list: &Arc<Mutex<Vec<DataKeyId>>>, id: DataKeyId) -> Self {
        list.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        Self { id, list: Arc::clone(list) }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = list.iter().position(|id| *id == self.id) {
            list.swap_remove(at);
        }
    }
}

/// Takes an unwrap off the list when it ends, also in a panic.
struct Ended<'a>(&'a UnderWay, DataKeyId);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.list().remove(&self.1);
    }
}

impl Unwrapping {
    fn vault(&self) -> &Arc<Vault> {
        self.state.vault()
    }

    /// Data keys that may come into the ring by an answer that is still to come. Ask for them before you look into the ring.
    pub fn to_come(&self) -> Vec<DataKeyId> {
        self.under_way.listed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The data key, unwrapped and in the ring. Who asks while it is being unwrapped waits for the same call, also for its
    /// failure.
    pub async fn key(self: &Arc<Self>, id: DataKeyId) -> Result<Arc<DataKey>, Unopened> {
        let ending = self.under_way.list().entry(id).or_insert_with(|| self.begin(id)).clone();
        ending.await
    }

    /// The current data key of a scope, unwrapped and in the ring.
    pub async fn current(self: &Arc<Self>, scope: Scope) -> Result<Arc<DataKey>, Unopened> {
        let id = in_time(house::current_key(self.store.read(), scope)).await?.ok_or(Unopened::Superseded)?;
        self.key(DataKeyId(id)).await
    }

    /// On a task of its own: whoever asked first may go away.
    fn begin(self: &Arc<Self>, id: DataKeyId) -> Ending {
        let unwrapping = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _ended = Ended(&unwrapping.under_way, id);
            match unwrapping.vault().key(id) {
                // Another has unwrapped it between this caller's look into the ring and now.
                Ok(Some(key)) => Ok(key),
                Ok(None) => unwrapping.unwrap(id).await,
                Err(locked) => Err(locked.into()),
            }
        });
        let ending = async move { task.await.unwrap_or(Err(Unopened::Inconsistent("an unwrap ended in a panic"))) };
        ending.boxed().shared()
    }

    async fn unwrap(&self, id: DataKeyId) -> Result<Arc<DataKey>, Unopened> {
        let asked = self.read(id).await?;
        if let Scope::Workspace(workspace) = Scope::from_uuid(asked.row.scope)
            && let Some(face) = self.locks.face(workspace)
        {
            return Err(Unopened::Workspace(Box::new(face)));
        }
        self.ask(id, asked, false).await
    }

    /// Unwraps a key again that is in the ring, so that its term goes on. A single attempt: the caller's timer is the retry.
    ///
    /// # Errors
    /// [`Unopened::Kms`] when it was not answered; [`Unopened::Workspace`] when its workspace is locked by the answer.
    pub async fn renew(&self, id: DataKeyId) -> Result<Arc<DataKey>, Unopened> {
        let asked = self.read(id).await?;
        self.ask(id, asked, true).await
    }

    /// Asks KMS, and does what its answer means.
    async fn ask(&self, id: DataKeyId, asked: Asked, once: bool) -> Result<Arc<DataKey>, Unopened> {
        let (scope, asked_at) = (Scope::from_uuid(asked.row.scope), self.vault().clock().wall_ms());
        match self.attempt(id, asked, once).await {
            Ok(fresh) => self.admit(fresh, scope),
            Err(unopened) => self.settle(id, scope, asked_at, unopened).await,
        }
    }

    /// Asks KMS about a workspace that is locked alone; the key is thrown away unless the workspace is unlocked by it.
    pub async fn ask_about(&self, workspace: Uuid) -> Result<(), Unopened> {
        let scope = Scope::Workspace(workspace);
        let Some(id) = in_time(house::current_key(self.store.read(), scope)).await? else {
            self.locks.forget(workspace);
            return Ok(());
        };
        let asked = self.attempt_once(DataKeyId(id)).await;
        if self.locks.heard(workspace, asked.is_ok()) {
            self.admit(asked?, scope)?;
        } else if asked.is_ok() {
            // Thrown away here, it must not stay in what was last read either.
            self.kms.let_connections_go();
        }
        Ok(())
    }

    /// Whether KMS refuses the data key of a workspace while it accepts the root key. It is asked now, also if the workspace is
    /// locked alone: what it was locked for may be past.
    ///
    /// # Errors
    /// When that cannot be known now, or everything is locked.
    pub async fn is_refused(&self, workspace: Uuid) -> Result<bool, Unopened> {
        let current = in_time(house::current_key(self.store.read(), Scope::Workspace(workspace))).await?;
        let Some(id) = current.map(DataKeyId) else { return Ok(false) };
        if !self.locks.holds(workspace) {
            match self.renew(id).await {
                Ok(_) | Err(Unopened::Superseded) => return Ok(false),
                Err(Unopened::Workspace(_)) => {}
                Err(unopened) => return Err(unopened),
            }
        }
        let sent = self.vault().clock().boot();
        let error = match self.attempt_once(id).await {
            Ok(_) => {
                // Thrown away here, as it is for a workspace that stays locked.
                self.kms.let_connections_go();
                return Ok(false);
            }
            Err(Unopened::Superseded) => return Ok(false),
            Err(Unopened::Kms(error)) => error,
            Err(unopened) => return Err(unopened),
        };
        if !matches!(error.class, KmsClass::Refused(_) | KmsClass::Tampered) {
            return Err(Unopened::Kms(error));
        }
        self.doubt.notify_one();
        match timeout(ROOT_PATIENCE, self.root_settled(sent)).await {
            Ok(()) if self.vault().is_open() => Ok(true),
            Ok(()) => Err(Unopened::Locked),
            Err(_) => Err(Unopened::Kms(error)),
        }
    }

    fn admit(&self, fresh: Fresh, scope: Scope) -> Result<Arc<DataKey>, Unopened> {
        let key = self.vault().admit(fresh.epoch, fresh.unwrapped.key, scope, fresh.sent)?;
        // It may have been locked alone between the question and now.
        if let Scope::Workspace(workspace) = scope
            && let Some(face) = self.locks.face(workspace)
        {
            self.vault().revoke(scope);
            return Err(Unopened::Workspace(Box::new(face)));
        }
        Ok(key)
    }

    async fn read(&self, id: DataKeyId) -> Result<Asked, Unopened> {
        let listed = Listed::on(&self.under_way.listed, id);
        let epoch = self.vault().epoch();
        let row = in_time(house::wrapped_key(self.store.read(), id.0)).await?.ok_or(Unopened::Superseded)?;
        Ok(Asked { listed, epoch, row })
    }

    async fn attempt_once(&self, id: DataKeyId) -> Result<Fresh, Unopened> {
        let asked = self.read(id).await?;
        self.attempt(id, asked, true).await
    }

    /// Asks KMS. An answer about a root key that has been replaced meanwhile means nothing, so then it is asked again.
    async fn attempt(&self, id: DataKeyId, mut asked: Asked, once: bool) -> Result<Fresh, Unopened> {
        loop {
            let Asked { listed, epoch, row } = asked;
            let scope = Scope::from_uuid(row.scope);
            let context = WrapContext { deployment: self.vault().deployment(), scope, data_key: id };
            let expected = check_value(&row.check_value)
                .map_err(|_| Unopened::Inconsistent("a check value is not 32 bytes long"))?;
            let sent = self.vault().clock().boot();
            let answer = if once {
                self.kms.check(&row.root_key_arn, &context, id, &row.wrapped, &expected).await
            } else {
                self.kms.unwrap(&row.root_key_arn, &context, id, &row.wrapped, &expected).await
            };
            match answer {
                Ok(unwrapped) => return Ok(Fresh { _listed: listed, epoch, sent, unwrapped }),
                Err(error) => {
                    // As for a key check: the generation alone grows with each workspace that is made or deleted.
                    asked = self.read(id).await?;
                    if asked.row.is_same(&row) {
                        return Err(Unopened::Kms(error));
                    }
                }
            }
        }
    }

    /// What a failed attempt means. `asked_at` is when it began, in Unix milliseconds.
    async fn settle(
        &self,
        id: DataKeyId,
        scope: Scope,
        asked_at: i64,
        unopened: Unopened,
    ) -> Result<Arc<DataKey>, Unopened> {
        let Unopened::Kms(error) = unopened else { return Err(unopened) };
        let Scope::Workspace(workspace) = scope else {
            if matches!(error.class, KmsClass::Refused(_)) {
                self.doubt.notify_one();
            }
            return Err(Unopened::Kms(error));
        };
        match error.class {
            KmsClass::Refused(_) | KmsClass::Tampered => self.confirm(id, workspace, asked_at).await,
            KmsClass::OwnCredentials | KmsClass::Unreachable { .. } => Err(Unopened::Kms(error)),
        }
    }

    /// Asks once more after a refusal, and has the root key checked meanwhile. A damaged answer, too, is asked for again: one
    /// malformed reply must not end anybody's work, and nothing is opened with it.
    async fn confirm(&self, id: DataKeyId, workspace: Uuid, refused_at: i64) -> Result<Arc<DataKey>, Unopened> {
        self.doubt.notify_one();
        tokio::time::sleep(self.locks.times().confirm).await;
        let sent = self.vault().clock().boot();
        let error = match self.attempt_once(id).await {
            Ok(fresh) => return self.admit(fresh, Scope::Workspace(workspace)),
            Err(Unopened::Kms(error)) => error,
            Err(unopened) => return Err(unopened),
        };
        if !matches!(error.class, KmsClass::Refused(_) | KmsClass::Tampered) {
            return Err(Unopened::Kms(error));
        }
        if error.class == KmsClass::Tampered {
            tracing::error!(event = "data_key_tampered", scope = %workspace, code = error.code, "a data key is damaged");
        }
        // Whether it is the root key that is refused, a key check says that was sent after this second refusal was. If it
        // cannot, the workspace is closed all the same.
        self.doubt.notify_one();
        let _ = timeout(ROOT_PATIENCE, self.root_settled(sent)).await;
        if self.vault().is_open() {
            Err(Unopened::Workspace(Box::new(self.locks.lock(workspace, refused_at, &error))))
        } else {
            Err(Unopened::Locked)
        }
    }

    /// Waits until everything is locked, or a key check that was sent after `sent` has passed and nothing is suspect.
    async fn root_settled(&self, sent: Duration) {
        let mut checks = self.state.watch();
        loop {
            let passed = self.state.last_success().is_some_and(|success| success >= sent);
            match self.vault().standing() {
                Standing::Locked => return,
                Standing::Open if passed => return,
                Standing::Open | Standing::Suspect => {}
            }
            if checks.changed().await.is_err() {
                return;
            }
        }
    }
}
