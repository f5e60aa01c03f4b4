//! Stage 1: the new root key takes control.
//!
//! Every data key is unwrapped with the old root key, wrapped with the new one, and unwrapped again for comparison, all
//! outside of any transaction. Then, under the lock of the house, the data keys are read again, and the swap happens only
//! if each was prepared. Until that commits nothing has changed; after it the old root key opens nothing in the database.

use super::{account::begin_anew, halt::Halt, queue::Claim, worker::Worker};
use crate::{
    services::{
        audit::{Audit, Outcome},
        data_keys::check_value,
    },
    store::{
        entities::{
            data_key,
            encryption::RootKind,
            job::JobKind,
            job_key::{self, JobKeyStep},
        },
        house,
    },
};
use app::model::job::{JobFailure, PauseReason};
use futures::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture, stream};
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, sea_query::Expr};
use std::collections::HashMap;
use uuid::Uuid;
use vault::{DataKeyId, KmsClass, KmsError, Refusal, Scope, WrapContext};

/// How many data keys are with KMS at once.
const AT_ONCE: usize = 16;

/// A data key wrapped by the new root key, with the request ids of the three answers it took.
struct Rewrapped {
    wrapped: Vec<u8>,
    opened_by: Option<String>,
    wrapped_by: Option<String>,
    checked_by: Option<String>,
}

/// Data keys by id.
type Prepared = HashMap<Uuid, Rewrapped>;

impl Worker {
    /// Runs stage 1 to its end.
    pub(super) async fn take_control(&self, claim: &Claim) -> Result<(), Halt> {
        let mut prepared = Prepared::new();
        loop {
            let keys = house::all_keys(self.store.read()).await?;
            self.prepare(claim, &keys, &mut prepared).await?;
            crate::crash::point("control.prepared");
            let transaction = self.store.begin().await?;
            if self.swap(claim, &transaction, &prepared).await? {
                if !self.vault().is_open() {
                    // The key was taken away meanwhile: it must not be what hands the data over.
                    transaction.rollback().await?;
                    return Err(Halt::wait(PauseReason::Locked));
                }
                crate::crash::point("control.before_swap");
                transaction.commit().await?;
                crate::crash::point("control.after_swap");
                return Ok(());
            }
            // A data key has appeared meanwhile: prepare it, and try once more.
            transaction.rollback().await?;
        }
    }

    async fn prepare(&self, claim: &Claim, keys: &[data_key::Model], prepared: &mut Prepared) -> Result<(), Halt> {
        let total = i64::try_from(keys.len()).unwrap_or(i64::MAX);
        let missing = keys.iter().filter(|key| !prepared.contains_key(&key.id));
        let calls: Vec<BoxFuture<'_, Result<(Uuid, Rewrapped), Halt>>> = missing
            .map(|key| async move { Ok((key.id, self.keys.while_open(self.rewrap(claim, key)).await?)) }.boxed())
            .collect();
        let mut wrapping = stream::iter(calls).buffer_unordered(AT_ONCE);
        while let Some((id, wrapped)) = wrapping.try_next().await? {
            prepared.insert(id, wrapped);
            let done = i64::try_from(prepared.len()).unwrap_or(i64::MAX);
            if done % 64 == 0 {
                claim.keys(self.store.write(), total, done.min(total)).await?;
                self.changed();
            }
        }
        claim.keys(self.store.write(), total, total).await
    }

    /// At most three calls to KMS.
    async fn rewrap(&self, claim: &Claim, row: &data_key::Model) -> Result<Rewrapped, Halt> {
        let id = DataKeyId(row.id);
        let scope = Scope::from_uuid(row.scope);
        let context = WrapContext { deployment: self.vault().deployment(), scope, data_key: id };
        let expected = check_value(&row.check_value).map_err(|_| damaged(None, scope))?;
        let (old, new) = (&claim.job.from_arn, &claim.job.to_arn);
        let opened = self.kms.unwrap(old, &context, id, &row.wrapped, &expected).await;
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) => return Err(self.old_root(error, scope, old).await),
        };
        let wrapped = self.kms.wrap(new, &context, &opened.key).await;
        let wrapped = wrapped.map_err(|error| new_root(error, scope))?;
        let again = self.kms.unwrap(new, &context, id, &wrapped.blob, &expected).await;
        let again = again.map_err(|error| new_root(error, scope))?;
        Ok(Rewrapped {
            wrapped: wrapped.blob,
            opened_by: opened.request_id,
            wrapped_by: wrapped.request_id,
            checked_by: again.request_id,
        })
    }

    async fn swap(&self, claim: &Claim, transaction: &DatabaseTransaction, prepared: &Prepared) -> Result<bool, Halt> {
        let root = house::lock(transaction).await?;
        if root.root_key_arn != claim.job.from_arn {
            return Err(Halt::Lost);
        }
        let keys = house::all_keys(transaction).await?;
        if keys.iter().any(|key| !prepared.contains_key(&key.id)) {
            return Ok(false);
        }
        let now = self.vault().clock().wall_ms();
        let mut account = Vec::with_capacity(keys.len());
        let mut request = None;
        for key in keys {
            let Some(anew) = prepared.get(&key.id) else { return Ok(false) };
            data_key::Entity::update_many()
                .col_expr(data_key::Column::Wrapped, Expr::value(anew.wrapped.clone()))
                .filter(data_key::Column::Id.eq(key.id))
                .exec(transaction)
                .await?;
            if key.scope.is_nil() {
                request = anew.wrapped_by.as_deref();
            }
            account.push(job_key::ActiveModel {
                job_id: Set(claim.job.id),
                data_key_id: Set(key.id),
                scope: Set(key.scope),
                step: Set(JobKeyStep::Rewrapped),
                opened_by: Set(anew.opened_by.clone()),
                wrapped_by: Set(anew.wrapped_by.clone()),
                checked_by: Set(anew.checked_by.clone()),
                at: Set(now),
                destroyed_at: Set(None),
                gone_at: Set(None),
            });
        }
        let (arn, kind) = (claim.job.to_arn.as_str(), kind_after(claim.job.kind));
        let generation = house::put_in_force(transaction, arn, kind, now, claim.job.requested_by).await?;
        claim.took_control(transaction, generation, now).await?;
        if claim.job.turned_at.is_some() {
            // Until now it could have become again what it came out of, whose account this is.
            begin_anew(transaction, claim.job.id).await?;
        }
        claim.keys_by(transaction, account).await?;
        // The audit log comes last: see there.
        Audit::close_for_job(transaction, claim.job.id, Outcome::Succeeded, |entry| entry.request(request)).await?;
        Ok(true)
    }

    async fn old_root(&self, error: KmsError, scope: Scope, old: &str) -> Halt {
        match (error.class, scope) {
            // Only a denial can be about one workspace, by its encryption context; every other refusal is of the key.
            (KmsClass::Refused(Refusal::AccessDenied), Scope::Workspace(id)) if self.root_works(old).await => {
                Halt::Fail { failure: JobFailure::OldRootRefused, code: error.code, scope: Some(id) }
            }
            (KmsClass::Tampered, scope) => damaged(error.code, scope),
            _ => Halt::from(error),
        }
    }

    /// Whether the organization's own data key still unwraps.
    async fn root_works(&self, arn: &str) -> bool {
        let Ok(Some(row)) = house::organization_key(self.store.read()).await else { return false };
        let Ok(expected) = check_value(&row.check_value) else { return false };
        let id = DataKeyId(row.id);
        let context = WrapContext { deployment: self.vault().deployment(), scope: Scope::Organization, data_key: id };
        self.kms.check(arn, &context, id, &row.wrapped, &expected).await.is_ok()
    }
}

/// Whose key is the root key after the swap.
fn kind_after(kind: JobKind) -> RootKind {
    match kind {
        JobKind::Activate => RootKind::Customer,
        // A retry begins after this stage.
        JobKind::Delete | JobKind::Retry => RootKind::Provider,
    }
}

fn new_root(error: KmsError, scope: Scope) -> Halt {
    let workspace = (scope != Scope::Organization).then(|| scope.as_uuid());
    match error.class {
        KmsClass::Refused(_) => Halt::Fail { failure: JobFailure::NewRootRefused, code: error.code, scope: workspace },
        KmsClass::Tampered => damaged(error.code, scope),
        _ => Halt::from(error),
    }
}

fn damaged(code: Option<String>, scope: Scope) -> Halt {
    let workspace = (scope != Scope::Organization).then(|| scope.as_uuid());
    Halt::Fail { failure: JobFailure::DamagedDataKey, code, scope: workspace }
}
