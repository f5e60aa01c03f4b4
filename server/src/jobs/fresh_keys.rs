//! Stage 2 begins with a fresh current data key for every scope. The old ones become retiring.
//!
//! A scope whose current key is of the job's generation or a later one has its fresh key already, so a repeat after a crash
//! makes none twice, and a workspace that was created after the swap is left alone.

use super::{halt::Halt, queue::Claim, worker::Worker};
use crate::{
    services::{data_keys::FreshKey, failure::Failure},
    store::{
        entities::{
            data_key::{self, DataKeyState},
            job_key::{self, JobKeyStep},
        },
        house,
    },
};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use sea_orm::{
    ActiveEnum, ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use uuid::Uuid;
use vault::Scope;

/// Scopes that get their fresh keys in one transaction.
const BATCH: u64 = 64;
/// How many data keys are with KMS at once.
const AT_ONCE: usize = 16;

impl Worker {
    /// Makes fresh keys until every scope has one. A scope that KMS refuses waits alone: the reason is given back.
    pub(super) async fn make_fresh_keys(&self, claim: &Claim) -> Result<Option<Halt>, Halt> {
        // None of them is made while this goes on, so that each is met once; one that is refused stays as it is, and behind.
        let (mut after, mut refused) = (Uuid::nil(), None);
        loop {
            let stale = data_key::Entity::find()
                .filter(data_key::Column::State.eq(DataKeyState::Current))
                .filter(data_key::Column::Generation.lt(claim.job.generation))
                .filter(data_key::Column::Id.gt(after))
                .order_by_asc(data_key::Column::Id)
                .limit(BATCH)
                .all(self.store.read())
                .await?;
            let Some(last) = stale.last() else { return Ok(refused) };
            after = last.id;
            let calls: Vec<BoxFuture<'_, (data_key::Model, Result<FreshKey, Failure>)>> =
                stale.into_iter().map(|old| self.fresh_key(claim, old).boxed()).collect();
            let mut generating = stream::iter(calls).buffer_unordered(AT_ONCE);
            let mut fresh = Vec::new();
            while let Some((old, generated)) = generating.next().await {
                match generated {
                    Ok(key) => fresh.push((old, key)),
                    Err(failure) => refused = Some(self.alone(failure, old.scope)?),
                }
            }
            crate::crash::point("fresh_keys.made");
            self.put_in_force(claim, &fresh).await?;
            self.changed();
        }
    }

    async fn fresh_key(&self, claim: &Claim, old: data_key::Model) -> (data_key::Model, Result<FreshKey, Failure>) {
        let generated = self.keys.generate(Scope::from_uuid(old.scope), &claim.job.to_arn);
        let generated = self.keys.while_open(generated).await;
        (old, generated)
    }

    async fn put_in_force(&self, claim: &Claim, fresh: &[(data_key::Model, FreshKey)]) -> Result<(), Halt> {
        let transaction = self.store.begin().await?;
        let root = house::lock(&transaction).await?;
        if root.root_key_arn != claim.job.to_arn {
            return Err(Halt::Lost);
        }
        claim.hold(&transaction).await?;
        let generation = house::next_generation(&transaction).await?;
        let now = self.vault().clock().wall_ms();
        let mut account = Vec::with_capacity(fresh.len());
        for (old, fresh) in fresh {
            let retired = data_key::Entity::update_many()
                .col_expr(data_key::Column::State, Expr::value(DataKeyState::Retiring.to_value()))
                .filter(data_key::Column::Id.eq(old.id))
                .filter(data_key::Column::State.eq(DataKeyState::Current))
                .exec(&transaction)
                .await?;
            // The workspace may have been deleted meanwhile; then it needs no key.
            if retired.rows_affected == 1 {
                let row = fresh.row(Scope::from_uuid(old.scope), generation, now);
                data_key::Entity::insert(row).exec_without_returning(&transaction).await?;
                account.push(job_key::ActiveModel {
                    job_id: Set(claim.job.id),
                    data_key_id: Set(fresh.key.id().0),
                    scope: Set(old.scope),
                    step: Set(JobKeyStep::Made),
                    opened_by: Set(None),
                    wrapped_by: Set(fresh.wrapped_by.clone()),
                    checked_by: Set(fresh.checked_by.clone()),
                    at: Set(now),
                    destroyed_at: Set(None),
                    gone_at: Set(None),
                });
            }
        }
        claim.keys_by(&transaction, account).await?;
        crate::crash::point("fresh_keys.before_commit");
        transaction.commit().await?;
        crate::crash::point("fresh_keys.after_commit");
        Ok(())
    }

    /// The retiring data keys with their scopes, in a steady order.
    pub(super) async fn retiring(&self) -> Result<Vec<(Uuid, Uuid)>, Halt> {
        let query = data_key::Entity::find()
            .select_only()
            .column(data_key::Column::Id)
            .column(data_key::Column::Scope)
            .filter(data_key::Column::State.eq(DataKeyState::Retiring))
            .order_by_asc(data_key::Column::Id);
        Ok(query.into_tuple().all(self.store.read()).await?)
    }
}
