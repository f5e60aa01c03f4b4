//! Plaintext data keys by id, and new ones.
//!
//! What must stay true: which key is a scope's current one is read inside the transaction that writes, never remembered;
//! only the plaintext is remembered, in the vault's key ring. No call to KMS is made while a transaction is open.

use super::{
    failure::Failure,
    ids::new_id,
    key_state::KeyState,
    opened,
    unwrapping::{UnderWay, Unwrapping},
    workspace_locks::WorkspaceLocks,
};
use crate::store::{
    Store,
    entities::{
        data_key::{self, DataKeyState},
        encryption,
    },
    house,
};
use app::model::{error::ApiError, lock::LockFace};
use sea_orm::{ActiveValue::Set, DatabaseTransaction};
use std::sync::Arc;
use tokio::sync::Notify;
use uuid::Uuid;
use vault::{DataKey, DataKeyId, Kms, KmsClass, KmsError, Place, Scope, Vault, WrapContext, Zeroizing};

/// How often a write looks for the current key before it gives up. Each turn means that a job has just changed it.
const TURNS: usize = 8;
/// How often rows are read whose data key is gone by the time they are opened.
const READS: usize = 3;

/// The data keys of the deployment.
pub struct DataKeys {
    store: Store,
    vault: Arc<Vault>,
    state: Arc<KeyState>,
    kms: Kms,
    unwrapping: Arc<Unwrapping>,
    /// Rung when KMS refuses, so that the key check looks at once.
    doubt: Arc<Notify>,
}

/// A transaction that writes in one scope, with the data key to seal under. The key cannot be destroyed before it ends.
pub struct Writing {
    pub transaction: DatabaseTransaction,
    pub key: Arc<DataKey>,
    pub scope: Scope,
}

impl Writing {
    /// The id that every row written here names.
    pub fn key_id(&self) -> Uuid {
        self.key.id().0
    }
}

/// A data key that exists in memory only: generated and wrapped, not yet in the database.
pub struct FreshKey {
    pub key: DataKey,
    pub wrapped: Vec<u8>,
    /// The root key it is wrapped by.
    pub root_key_arn: String,
    /// The request ids of the wrapping, and of the unwrapping for comparison.
    pub wrapped_by: Option<String>,
    pub checked_by: Option<String>,
}

impl FreshKey {
    /// The row for it, as the current key of `scope`.
    pub fn row(&self, scope: Scope, generation: i64, now: i64) -> data_key::ActiveModel {
        data_key::ActiveModel {
            id: Set(self.key.id().0),
            scope: Set(scope.as_uuid()),
            state: Set(DataKeyState::Current),
            wrapped: Set(self.wrapped.clone()),
            check_value: Set(self.key.check_value().to_vec()),
            generation: Set(generation),
            created_at: Set(now),
        }
    }
}

impl DataKeys {
    pub fn new(store: Store, state: Arc<KeyState>, kms: Kms, locks: Arc<WorkspaceLocks>, doubt: Arc<Notify>) -> Self {
        let vault = Arc::clone(state.vault());
        let unwrapping = Unwrapping {
            store: store.clone(),
            state: Arc::clone(&state),
            kms: kms.clone(),
            locks,
            doubt: Arc::clone(&doubt),
            under_way: UnderWay::default(),
        };
        Self { store, vault, state, kms, unwrapping: Arc::new(unwrapping), doubt }
    }

    /// What unwraps the keys.
    pub fn unwrapping(&self) -> &Arc<Unwrapping> {
        &self.unwrapping
    }

    /// Whether this workspace is locked alone.
    pub fn is_locked_alone(&self, workspace: Uuid) -> bool {
        self.unwrapping.locks.holds(workspace)
    }

    /// Why the data is locked, if it is.
    pub fn face(&self) -> Option<LockFace> {
        self.state.face()
    }

    /// Why the data of a workspace is locked, if it is: with everything, or alone.
    pub fn face_in(&self, workspace: Uuid) -> Option<LockFace> {
        self.face().or_else(|| self.unwrapping.locks.face(workspace))
    }

    /// Lets nobody at what is locked, also where there happens to be nothing to open: what is shown and what is said of the
    /// lock must not differ.
    ///
    /// # Errors
    /// [`Failure::Locked`], or [`Failure::WorkspaceLocked`] for one that is locked alone.
    pub fn must_be_open(&self, scope: Scope) -> Result<(), Failure> {
        if !self.vault.is_open() {
            return Err(Failure::Locked);
        }
        match scope {
            Scope::Organization => Ok(()),
            Scope::Workspace(workspace) => match self.unwrapping.locks.face(workspace) {
                Some(face) => Err(Failure::WorkspaceLocked(Box::new(face))),
                None => Ok(()),
            },
        }
    }

    pub fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// The data key `id`, from the ring or unwrapped now.
    ///
    /// # Errors
    /// [`Failure::Locked`], [`Failure::WorkspaceLocked`], [`Failure::Kms`], a database failure, or [`Failure::Superseded`]
    /// if there is no such key.
    pub async fn key(&self, id: Uuid) -> Result<Arc<DataKey>, Failure> {
        let id = DataKeyId(id);
        let key = match self.vault.key(id)? {
            Some(key) => key,
            None => self.unwrapping.key(id).await?,
        };
        opened::note(&key);
        Ok(key)
    }

    fn refused(&self, error: KmsError) -> Failure {
        if matches!(error.class, KmsClass::Refused(_)) {
            self.doubt.notify_one();
        }
        Failure::Kms(error)
    }

    /// Reads rows and opens them, again if a job has meanwhile sealed them anew and destroyed the key they were read with.
    pub async fn reading<T, F>(&self, read: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut outcome = read().await;
        for _ in 1..READS {
            let superseded = match &outcome {
                Err(Failure::Superseded) => true,
                Err(Failure::Locked) => self.vault.is_open(),
                _ => false,
            };
            if !superseded {
                break;
            }
            outcome = read().await;
        }
        outcome
    }

    /// What was opened, or `None` if it is damaged: one damaged item must not hide the others of a list.
    pub fn unless_damaged<T>(table: &str, id: Uuid, opened: Result<T, Failure>) -> Result<Option<T>, Failure> {
        match opened {
            Ok(opened) => Ok(Some(opened)),
            Err(Failure::Damaged(error)) => {
                tracing::error!(event = "data_damaged", table, %id, %error, "stored data does not open");
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Begins to write in `scope`, under its current data key.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] if the scope does not exist; otherwise as [`Self::key`].
    pub async fn begin(&self, scope: Scope) -> Result<Writing, Failure> {
        Ok(self.begin_writing(scope, false).await?.0)
    }

    /// As [`Self::begin`], after taking the lock of the house: for writes that also change data keys. The lock comes
    /// before the hold on the current key, as it does everywhere, so that nobody waits in a circle.
    pub async fn begin_under_lock(&self, scope: Scope) -> Result<(Writing, encryption::Model), Failure> {
        let (writing, root) = self.begin_writing(scope, true).await?;
        Ok((writing, root.ok_or(Failure::Inconsistent("the lock of the house has no row"))?))
    }

    async fn begin_writing(&self, scope: Scope, lock: bool) -> Result<(Writing, Option<encryption::Model>), Failure> {
        let not_found = || Failure::Refused(ApiError::NotFound);
        let mut id = house::current_key(self.store.read(), scope).await?.ok_or_else(not_found)?;
        for _ in 0..TURNS {
            let key = self.key(id).await?;
            let transaction = self.store.begin().await?;
            let root = if lock { Some(house::lock(&transaction).await?) } else { None };
            let held = house::hold_current_key(&transaction, scope).await?;
            if held == Some(id) {
                return Ok((Writing { transaction, key, scope }, root));
            }
            transaction.rollback().await?;
            // PostgreSQL finds no key if the one that the statement saw was replaced before it could be held.
            let current = match held {
                Some(current) => Some(current),
                None => house::current_key(self.store.read(), scope).await?,
            };
            id = current.ok_or_else(not_found)?;
        }
        Err(Failure::Inconsistent("the current data key changes all the time"))
    }

    /// Works with a data key that is in no ring yet, and gives up at a lock, which would not reach that key there.
    ///
    /// # Errors
    /// [`Failure::Locked`] at a lock; otherwise those of the work.
    pub fn while_open<T, E: From<Failure>>(
        &self,
        work: impl Future<Output = Result<T, E>> + Send,
    ) -> impl Future<Output = Result<T, E>> + Send {
        // Calls to KMS are large futures.
        let work = Box::pin(work);
        async move {
            if !self.vault.is_open() {
                return Err(Failure::Locked.into());
            }
            tokio::select! {
                done = work => done,
                () = self.vault.locked() => Err(Failure::Locked.into()),
            }
        }
    }

    /// A new data key for `scope`, wrapped by the root key `arn` and unwrapped again for comparison.
    ///
    /// # Errors
    /// When KMS does not wrap it, or does not give the same key back.
    pub async fn generate(&self, scope: Scope, arn: &str) -> Result<FreshKey, Failure> {
        let id = DataKeyId(new_id(&self.vault)?);
        let key = DataKey::generate(id, self.vault.entropy())?;
        let context = WrapContext { deployment: self.vault.deployment(), scope, data_key: id };
        let wrapped = self.kms.wrap(arn, &context, &key).await.map_err(|error| self.refused(error))?;
        let again = self.kms.unwrap(arn, &context, id, &wrapped.blob, &key.check_value()).await;
        let again = again.map_err(|error| self.refused(error))?;
        Ok(FreshKey {
            key,
            wrapped: wrapped.blob,
            root_key_arn: arn.to_owned(),
            wrapped_by: wrapped.request_id,
            checked_by: again.request_id,
        })
    }

    /// Seals one column of one row.
    pub fn seal(
        &self,
        writing: &Writing,
        table: &str,
        id: Uuid,
        column: &str,
        plaintext: &str,
    ) -> Result<Vec<u8>, Failure> {
        let place = Place { deployment: self.vault.deployment(), scope: writing.scope, table, id, column };
        Ok(vault::seal(&writing.key, &place, plaintext.as_bytes(), self.vault.entropy())?)
    }

    /// Opens one column of one row. The column held text when it was sealed.
    pub fn open(
        &self,
        key: &DataKey,
        scope: Scope,
        table: &str,
        id: Uuid,
        column: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<String>, Failure> {
        let place = Place { deployment: self.vault.deployment(), scope, table, id, column };
        let opened = vault::open(key, &place, sealed)?;
        let text = std::str::from_utf8(&opened).map_err(|_| Failure::Inconsistent("a sealed text is not UTF-8"))?;
        Ok(Zeroizing::new(text.to_owned()))
    }
}

/// The stored check value, whose length the database does not know.
pub fn check_value(stored: &[u8]) -> Result<[u8; 32], Failure> {
    stored.try_into().map_err(|_| Failure::Inconsistent("a check value is not 32 bytes long"))
}
