//! The only way out of a lock whose key never comes back: all that is under the key is destroyed, and the deployment begins
//! anew under the provider key.
//!
//! What must stay true: nothing is destroyed while the key works or can be brought back, nor while any server can use it, or
//! could when it was last heard of; and all of it goes in one transaction under the lock of the house, if root key and
//! generation are still those that were shown. That access is denied is believed only with a server that is locked for just
//! that: wrong credentials of whoever runs the command look the same.

use super::{
    audit::{Action, Audit, Entry, Object, OpenEntry, Outcome},
    data_keys::{DataKeys, FreshKey, check_value},
    failure::Failure,
    ids::new_id,
    key_state::{KeyState, cause_of},
    words,
    workspace_locks::WorkspaceLocks,
};
use crate::{
    config::Config,
    jobs::queue,
    store::{
        Store, database_now,
        entities::{
            data_key,
            encryption::{self, RootKind},
            file, job, lock_event, note,
            object_note::{self, ObjectNoteState},
            reset,
            server::{self, LOCKED, SILENT_FOR},
            workspace,
        },
        house,
        objects::{discard_all, discarded},
        sealed_tables::{self, OBJECTS},
    },
};
use app::model::job::JobFailure;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QuerySelect,
    QueryTrait,
};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;
use vault::{
    DataKeyId, DeploymentId, Kms, KmsClass, KmsError, Refusal, Scope, SystemClock, SystemEntropy, Vault, WrapContext,
};

/// Between the two questions to KMS: an answer of its own can be a slip.
const PAUSE: Duration = Duration::from_secs(1);
/// A server that has not been heard of for so long holds no lease any more, whatever its last word was; milliseconds. Longer
/// than any grace.
const LEASE_OVER: i64 = 16 * 60 * 1000;
/// The operation that is refused.
const DECRYPT: &str = "Decrypt";

/// Looks whether a reset is called for, and does it.
pub struct Reset {
    store: Store,
    keys: DataKeys,
    kms: Kms,
    provider_key: String,
}

/// What a reset would do, to be shown before it is done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The root key that is gone, with its generation.
    pub root: encryption::Model,
    /// What AWS says about it.
    pub answer: KmsError,
    pub loss: Loss,
    /// The ARN of the key under which the deployment begins anew.
    pub provider_key: String,
}

/// What is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    pub workspaces: u64,
    pub notes: u64,
    pub files: u64,
    /// Bytes of file content before encryption.
    pub bytes: u64,
}

/// Why nothing was destroyed.
#[derive(Debug, thiserror::Error)]
pub enum ResetRefused {
    #[error("this database belongs to the deployment {0}, not to KEYSTEAD_DEPLOYMENT_ID")]
    OtherDeployment(String),
    #[error(
        "the key works. To return the data to the provider key, press Delete Key on Data Encryption: nothing is lost then"
    )]
    KeyWorks,
    #[error("the data is under the provider key, and that works: there is nothing to be rescued from")]
    ProviderKeyWorks,
    #[error(
        "the key can still be brought back ({0}). Its owner enables it or cancels its deletion; the data then opens by itself"
    )]
    CanComeBack(KmsError),
    #[error(
        "AWS does not say that the key is gone ({0}). Try again when AWS can be reached with the server's own credentials"
    )]
    NoAnswer(KmsError),
    #[error(
        "the server {0} could use the key when it was last heard of. Are these the credentials of the servers? If that \
         server was stopped the hard way, this passes 16 minutes after"
    )]
    ServerIsOpen(String),
    #[error(
        "AWS denies access ({0}), and no server that runs is locked for that. Credentials that are not the servers' look \
         the same: start a server, and run the command again once it is locked"
    )]
    DeniedHereOnly(KmsError),
    #[error("what was typed is not the key's ARN")]
    NotConfirmed,
    #[error("the root key or the data keys have changed meanwhile")]
    Changed,
    #[error("KEYSTEAD_PROVIDER_KEY_ARN: the provider key cannot be used: {0}")]
    ProviderKey(Failure),
    #[error("the database failed: {0}")]
    Database(#[from] DbErr),
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The one that does not say that nothing has changed.
    #[error(
        "the database broke off while all was being destroyed ({0}). Run the command again: it says what the state is"
    )]
    Unsure(DbErr),
}

impl Reset {
    /// For the deployment in this database. Starts no task: what runs meanwhile are the servers.
    ///
    /// # Errors
    /// When the database cannot be read, or belongs to another deployment than the one that is configured.
    pub async fn open(config: &Config, store: Store, kms: Kms) -> Result<Self, ResetRefused> {
        let stored = house::root(store.read()).await?.deployment_id;
        if config.deployment_id.as_ref().is_some_and(|given| given.as_str() != stored) {
            return Err(ResetRefused::OtherDeployment(stored));
        }
        let deployment = DeploymentId::new(&stored).map_err(|_| ResetRefused::OtherDeployment(stored))?;
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy::new()));
        let vault = Arc::new(Vault::new(deployment, clock, entropy, config.outage_grace));
        let locks = Arc::new(WorkspaceLocks::new(Arc::clone(&vault), config.workspace_keys));
        let keys = DataKeys::new(store.clone(), Arc::new(KeyState::new(vault)), kms.clone(), locks, Arc::default());
        Ok(Self { store, keys, kms, provider_key: config.provider_key_arn.as_str().to_owned() })
    }

    /// Asks AWS twice, and counts what would be lost. Changes nothing.
    ///
    /// # Errors
    /// Why a reset is not called for.
    pub async fn plan(&self) -> Result<Plan, ResetRefused> {
        let root = house::root(self.store.read()).await?;
        gone(root.root_kind, self.ask().await?)?;
        sleep(PAUSE).await;
        let answer = gone(root.root_kind, self.ask().await?)?;
        Self::is_called_for(self.store.read(), &root, &answer).await?;
        let loss = loss(self.store.read()).await?;
        Ok(Plan { root, answer, loss, provider_key: self.provider_key.clone() })
    }

    /// Destroys everything that `plan` has counted, and what has come since. `typed` is what a person has typed.
    ///
    /// # Errors
    /// Why nothing has changed; or [`ResetRefused::Unsure`].
    pub async fn destroy(&self, plan: &Plan, typed: &str) -> Result<Loss, ResetRefused> {
        if typed.trim() != plan.root.root_key_arn {
            return Err(ResetRefused::NotConfirmed);
        }
        // A person takes their time: perhaps the key has come back.
        let again = self.plan().await?;
        let fresh = self.keys.generate(Scope::Organization, &self.provider_key).await;
        let fresh = fresh.map_err(ResetRefused::ProviderKey)?;
        let open = self.open_in_audit(&plan.root, &again.answer).await?;
        let transaction = self.store.begin().await?;
        let lost = match self.replace_all(&transaction, plan, &again.answer, &fresh, open).await {
            Ok(lost) => lost,
            Err(refused) => {
                transaction.rollback().await?;
                return Err(refused);
            }
        };
        transaction.commit().await.map_err(ResetRefused::Unsure)?;
        let Loss { workspaces, notes, files, bytes } = lost;
        tracing::error!(
            event = "locked_data_destroyed",
            workspaces,
            notes,
            files,
            bytes,
            "all data that was locked under a key that is gone was destroyed"
        );
        Ok(lost)
    }

    /// The organization's data key, unwrapped and let go again; `None` if that worked.
    async fn ask(&self) -> Result<Option<KmsError>, Failure> {
        let damaged =
            KmsError { class: KmsClass::Tampered, code: None, request_id: None, denial: None, operation: DECRYPT };
        let Some(row) = house::organization_key(self.store.read()).await? else { return Ok(Some(damaged)) };
        let Ok(expected) = check_value(&row.check_value) else { return Ok(Some(damaged)) };
        let id = DataKeyId(row.id);
        let deployment = self.keys.vault().deployment();
        let context = WrapContext { deployment, scope: Scope::Organization, data_key: id };
        Ok(self.kms.unwrap(&row.root_key_arn, &context, id, &row.wrapped, &expected).await.err())
    }

    /// What the servers know of the key must not speak against it.
    async fn is_called_for(
        on: &impl ConnectionTrait,
        root: &encryption::Model,
        answer: &KmsError,
    ) -> Result<(), ResetRefused> {
        no_server_is_open(on).await?;
        if answer.class == KmsClass::Refused(Refusal::AccessDenied) && !is_denied_elsewhere(on, root, answer).await? {
            return Err(ResetRefused::DeniedHereOnly(answer.clone()));
        }
        Ok(())
    }

    async fn replace_all(
        &self,
        transaction: &DatabaseTransaction,
        plan: &Plan,
        answer: &KmsError,
        fresh: &FreshKey,
        open: OpenEntry,
    ) -> Result<Loss, ResetRefused> {
        let root = house::lock(transaction).await?;
        if (root.generation, &root.root_key_arn) != (plan.root.generation, &plan.root.root_key_arn) {
            return Err(ResetRefused::Changed);
        }
        Self::is_called_for(transaction, &root, answer).await?;
        // Whoever writes holds a data key first, here as everywhere: this waits for the last of them.
        house::take_all_keys(transaction).await?;
        let lost = loss(transaction).await?;
        delete_rows(transaction).await?;
        let job = queue::unfinished(transaction).await?;
        queue::abandon(transaction, &words::write(JobFailure::DataDestroyed)).await?;
        let now = self.keys.vault().clock().wall_ms();
        let generation = house::put_in_force(transaction, &self.provider_key, RootKind::Provider, now, None).await?;
        let key = fresh.row(Scope::Organization, generation, now);
        data_key::Entity::insert(key).exec_without_returning(transaction).await?;
        self.note(transaction, &root, answer, lost, now).await?;
        self.note_in_audit(transaction, job, lost, open).await?;
        Ok(lost)
    }

    /// Opens the reset in the audit log: without this entry nothing is destroyed.
    async fn open_in_audit(&self, root: &encryption::Model, answer: &KmsError) -> Result<OpenEntry, ResetRefused> {
        let entry = Entry::by_operator(Action::Reset).detail(cause_of(answer.class));
        let entry = entry.key(&root.root_key_arn, answer.request_id.as_deref());
        let operation = new_id(self.keys.vault()).map_err(Failure::from)?;
        Ok(Audit::of_command(self.store.clone()).open(operation, entry).await?)
    }

    /// Closes it, as the last thing in the transaction, and says what has ended with it.
    async fn note_in_audit(
        &self,
        transaction: &DatabaseTransaction,
        job: Option<job::Model>,
        lost: Loss,
        mut open: OpenEntry,
    ) -> Result<(), DbErr> {
        if let Some(job) = job {
            let say = |entry: Entry| entry.detail(JobFailure::DataDestroyed);
            Audit::close_for_job(transaction, job.id, Outcome::Failed, say).await?;
            let ended = Entry::by_operator(Action::JobEnded).on(&Object::Job(job.id)).outcome(Outcome::Failed);
            Audit::append(transaction, ended.detail(JobFailure::DataDestroyed)).await?;
        }
        open.say(|entry| entry.amount(lost.workspaces));
        open.close_within(transaction, Outcome::Succeeded).await
    }

    /// Writes the account of it, which stays.
    async fn note(
        &self,
        transaction: &DatabaseTransaction,
        root: &encryption::Model,
        answer: &KmsError,
        lost: Loss,
        now: i64,
    ) -> Result<(), Failure> {
        let count = |count: u64| Set(i64::try_from(count).unwrap_or(i64::MAX));
        let account = reset::ActiveModel {
            id: Set(new_id(self.keys.vault())?),
            at: Set(now),
            root_key_arn: Set(root.root_key_arn.clone()),
            cause: Set(words::write(cause_of(answer.class))),
            code: Set(answer.code.clone()),
            request_id: Set(answer.request_id.clone()),
            workspaces: count(lost.workspaces),
            notes: count(lost.notes),
            files: count(lost.files),
            bytes: count(lost.bytes),
            files_cleaned_at: Set(None),
        };
        reset::Entity::insert(account).exec_without_returning(transaction).await?;
        Ok(())
    }
}

/// AWS's answer, if it means that the key is gone for ever, or that what is stored cannot be opened by it.
fn gone(kind: RootKind, answer: Option<KmsError>) -> Result<KmsError, ResetRefused> {
    let Some(error) = answer else {
        return Err(match kind {
            RootKind::Customer => ResetRefused::KeyWorks,
            RootKind::Provider => ResetRefused::ProviderKeyWorks,
        });
    };
    match error.class {
        KmsClass::Refused(Refusal::NotFound | Refusal::AccessDenied) | KmsClass::Tampered => Ok(error),
        KmsClass::Refused(Refusal::Disabled | Refusal::InvalidState) => Err(ResetRefused::CanComeBack(error)),
        KmsClass::OwnCredentials | KmsClass::Unreachable { .. } => Err(ResetRefused::NoAnswer(error)),
    }
}

/// A server with other credentials than ours may well be able to use the key.
async fn no_server_is_open(on: &impl ConnectionTrait) -> Result<(), ResetRefused> {
    let since = database_now(on).await? - LEASE_OVER;
    let open = server::Entity::find()
        .filter(server::Column::HeartbeatAt.gt(since))
        .filter(server::Column::KeyState.ne(LOCKED))
        .one(on)
        .await?;
    open.map_or(Ok(()), |server| Err(ResetRefused::ServerIsOpen(format!("{} ({})", server.name, server.id))))
}

/// Whether a server that runs is locked because access to this very key is denied.
async fn is_denied_elsewhere(
    on: &impl ConnectionTrait,
    root: &encryption::Model,
    answer: &KmsError,
) -> Result<bool, DbErr> {
    let since = database_now(on).await? - SILENT_FOR;
    let running = server::Entity::find()
        .select_only()
        .column(server::Column::Id)
        .filter(server::Column::HeartbeatAt.gt(since))
        .filter(server::Column::KeyState.eq(LOCKED))
        .into_query();
    let denied = lock_event::Entity::find()
        .filter(lock_event::Column::ServerId.in_subquery(running))
        .filter(lock_event::Column::Scope.is_null())
        .filter(lock_event::Column::RestoredAt.is_null())
        .filter(lock_event::Column::RootKeyArn.eq(root.root_key_arn.as_str()))
        .filter(lock_event::Column::Cause.eq(words::write(cause_of(answer.class))))
        .one(on)
        .await?;
    Ok(denied.is_some())
}

async fn loss(on: &impl ConnectionTrait) -> Result<Loss, DbErr> {
    let workspaces = sealed_tables::count(on, "workspaces", None).await?;
    let notes = sealed_tables::count(on, "notes", None).await?;
    let objects = sealed_tables::count(on, OBJECTS, None).await?;
    Ok(Loss {
        workspaces: workspaces.items.unsigned_abs(),
        notes: notes.items.unsigned_abs(),
        files: objects.items.unsigned_abs(),
        bytes: objects.bytes.unsigned_abs(),
    })
}

/// Deletes every row with sealed data and every data key, in the order that the foreign keys allow. The objects become
/// garbage, which names no data key, so that the servers remove them from the store.
async fn delete_rows(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    let now = database_now(transaction).await?;
    file::Entity::delete_many().exec(transaction).await?;
    discard_all(transaction, None, now).await?;
    // Uploads under way lose their note, and with it the right to finish.
    object_note::Entity::update_many()
        .set(discarded())
        .filter(object_note::Column::State.eq(ObjectNoteState::Writing))
        .exec(transaction)
        .await?;
    note::Entity::delete_many().exec(transaction).await?;
    workspace::Entity::delete_many().exec(transaction).await?;
    data_key::Entity::delete_many().exec(transaction).await?;
    Ok(())
}
