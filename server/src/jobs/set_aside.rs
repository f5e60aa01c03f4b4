//! Items that will not open: noted with their reason, left as they are, and no reason to stop.

use super::{halt::Halt, queue::Claim, reencrypt::KeyPair, worker::Worker};
use crate::{
    services::{failure::Failure, ids::new_id, words},
    store::entities::set_aside,
};
use app::model::job::SetAsideReason;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, sea_query::OnConflict,
};
use std::collections::HashSet;
use uuid::Uuid;

impl Worker {
    /// Sets an item aside, once.
    pub(super) async fn set_aside(
        &self,
        claim: &Claim,
        transaction: &DatabaseTransaction,
        table: &str,
        id: Uuid,
        pair: &KeyPair,
        reason: SetAsideReason,
    ) -> Result<(), Halt> {
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
        Ok(())
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
    pub(super) async fn keys_set_aside(&self, claim: &Claim) -> Result<HashSet<Uuid>, Halt> {
        let query = set_aside::Entity::find()
            .select_only()
            .column(set_aside::Column::DataKeyId)
            .distinct()
            .filter(set_aside::Column::JobId.eq(claim.job.id));
        let ids: Vec<Uuid> = query.into_tuple().all(self.store.read()).await?;
        Ok(ids.into_iter().collect())
    }
}
