//! Items that will not open: noted with their reason, left as they are, and no reason to stop.

use super::{halt::Halt, queue::Claim, reencrypt::KeyPair, worker::Worker};
use crate::{
    services::{failure::Failure, ids::new_id, words},
    store::{entities::set_aside, sealed_tables},
};
use app::model::job::SetAsideReason;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Alias, Expr, ExprTrait, LockType, OnConflict, Query},
};
use std::collections::HashSet;
use uuid::Uuid;

/// A row that does not open, as it was read.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    pub table: &'static str,
    pub id: Uuid,
    pub rev: i64,
}

impl Claim {
    /// Takes back what this job has set aside whose row is gone or names another data key by now: somebody has deleted it, or
    /// saved it anew.
    pub(super) async fn withdraw(&self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        for table in sealed_tables::names() {
            let row = |column| Expr::col((Alias::new(table), Alias::new(column)));
            let still = Query::select()
                .expr(Expr::val(1))
                .from(Alias::new(table))
                .and_where(row("id").eq(Expr::col((set_aside::Entity, set_aside::Column::ItemId))))
                .and_where(row("data_key_id").eq(Expr::col((set_aside::Entity, set_aside::Column::DataKeyId))))
                .take();
            set_aside::Entity::delete_many()
                .filter(set_aside::Column::JobId.eq(self.job.id))
                .filter(set_aside::Column::ItemTable.eq(table))
                .filter(Expr::exists(still).not())
                .exec(transaction)
                .await?;
        }
        Ok(())
    }

    /// Whether a row of `table` names one of these data keys that this job has not set aside under it. Cost: an index range of
    /// the rows that still name one.
    pub(super) async fn names_otherwise(
        &self,
        transaction: &DatabaseTransaction,
        table: &str,
        keys: &[Uuid],
    ) -> Result<bool, DbErr> {
        let row = |column| Expr::col((Alias::new(table), Alias::new(column)));
        let noted = Query::select()
            .expr(Expr::val(1))
            .from(set_aside::Entity)
            .and_where(set_aside::Column::JobId.eq(self.job.id))
            .and_where(set_aside::Column::ItemTable.eq(table))
            .and_where(Expr::col((set_aside::Entity, set_aside::Column::ItemId)).eq(row("id")))
            .and_where(Expr::col((set_aside::Entity, set_aside::Column::DataKeyId)).eq(row("data_key_id")))
            .take();
        let other = Query::select()
            .expr(row("id"))
            .from(Alias::new(table))
            .and_where(row("data_key_id").is_in(keys.iter().copied()))
            .and_where(Expr::exists(noted).not())
            .limit(1)
            .take();
        Ok(transaction.query_one(&other).await?.is_some())
    }
}

impl Worker {
    /// Sets an item aside, once; `false` if it is not as it was read any more: what somebody has deleted or saved meanwhile is
    /// theirs.
    pub(super) async fn set_aside(
        &self,
        claim: &Claim,
        transaction: &DatabaseTransaction,
        item: Item,
        pair: &KeyPair,
        reason: SetAsideReason,
    ) -> Result<bool, Halt> {
        let Item { table, id, rev } = item;
        let row = |column| Expr::col(Alias::new(column));
        // Held until the transaction ends, so that it is still so then.
        let still = Query::select()
            .expr(Expr::val(1))
            .from(Alias::new(table))
            .and_where(row("id").eq(id))
            .and_where(row("rev").eq(rev))
            .and_where(row("data_key_id").eq(pair.old.id().0))
            .lock(LockType::Share)
            .take();
        if transaction.query_one(&still).await?.is_none() {
            return Ok(false);
        }
        let reason = words::write(reason);
        tracing::error!(event = "item_set_aside", table, %id, reason, "an item does not open and is left as it is");
        let note = set_aside::ActiveModel {
            id: Set(new_id(self.vault()).map_err(Failure::from)?),
            job_id: Set(claim.job.id),
            item_table: Set(table.to_owned()),
            item_id: Set(id),
            scope: Set(pair.scope.as_uuid()),
            data_key_id: Set(pair.old.id().0),
            reason: Set(reason),
            at: Set(self.vault().clock().wall_ms()),
        };
        let once =
            OnConflict::columns([set_aside::Column::JobId, set_aside::Column::ItemTable, set_aside::Column::ItemId])
                .update_columns([set_aside::Column::DataKeyId, set_aside::Column::Reason, set_aside::Column::At])
                .to_owned();
        set_aside::Entity::insert(note).on_conflict(once).exec_without_returning(transaction).await?;
        Ok(true)
    }

    /// What this job has set aside before a restart, each with the data key it was under.
    pub(super) async fn set_aside_before(&self, claim: &Claim) -> Result<HashSet<(Uuid, Uuid)>, Halt> {
        let query = set_aside::Entity::find()
            .select_only()
            .column(set_aside::Column::ItemId)
            .column(set_aside::Column::DataKeyId)
            .filter(set_aside::Column::JobId.eq(claim.job.id));
        let ids: Vec<(Uuid, Uuid)> = query.into_tuple().all(self.store.read()).await?;
        Ok(ids.into_iter().collect())
    }

    /// The data keys of what this job has set aside: they are kept.
    pub(super) async fn keys_set_aside(
        &self,
        claim: &Claim,
        transaction: &DatabaseTransaction,
    ) -> Result<HashSet<Uuid>, Halt> {
        let query = set_aside::Entity::find()
            .select_only()
            .column(set_aside::Column::DataKeyId)
            .distinct()
            .filter(set_aside::Column::JobId.eq(claim.job.id));
        let ids: Vec<Uuid> = query.into_tuple().all(transaction).await?;
        Ok(ids.into_iter().collect())
    }
}
