//! The end of a job: the retiring data keys are destroyed, once the database itself agrees that nothing names them.

use super::{halt::Halt, queue::Claim, worker::Worker};
use crate::{
    services::audit::Outcome,
    store::{
        VALUES_AT_ONCE, backups, database_now,
        entities::{
            data_key::{self, DataKeyState},
            job::JobStage,
            object_note::{self, ObjectNoteState},
        },
        house, is_reference_violation, objects, sealed_tables,
    },
};
use app::model::job::PauseReason;
use sea_orm::{ActiveEnum, ColumnTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter};
use std::time::Duration;
use uuid::Uuid;
use vault::DataKeyId;

/// How often the object store is looked at while old objects are being removed.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How many looks it takes until the job says that it waits for the object store.
const LOOKS: u32 = 300;

impl Worker {
    /// Destroys the retiring data keys; `false` if something still names one, so that the job sweeps again.
    pub(super) async fn finish(&self, claim: &Claim) -> Result<bool, Halt> {
        crate::crash::point("stage.after");
        self.wait_for_collector().await?;
        crate::crash::point("finish.collected");
        let retiring = self.retiring().await?;
        // Asked before anything is held: an upload may last for hours, and this is asked again each second. The foreign keys refuse
        // as well, but for that PostgreSQL goes through whole tables when its statistics are old.
        if self.is_uploaded_under(&retiring).await? {
            return self.wait_for_uploads(claim).await;
        }
        let transaction = self.store.begin().await?;
        house::lock(&transaction).await?;
        claim.hold(&transaction).await?;
        crate::crash::point("finish.before_destroying");
        claim.withdraw(&transaction).await?;
        let kept = self.keys_set_aside(claim, &transaction).await?;
        let (keeping, retiring): (Vec<(Uuid, Uuid)>, Vec<_>) =
            retiring.into_iter().partition(|(key, _)| kept.contains(key));
        let is_clear = !self.is_named_otherwise(claim, &transaction, &keeping).await?;
        let destroyed = if is_clear { self.destroy(&transaction, &retiring).await? } else { None };
        let Some(destroyed) = destroyed else {
            transaction.rollback().await?;
            return self.sweep_again(claim, if is_clear { &retiring } else { &keeping }).await;
        };
        house::next_generation(&transaction).await?;
        let now = self.vault().clock().wall_ms();
        claim.destroyed(&transaction, &destroyed, now).await?;
        claim.gone(&transaction, now).await?;
        claim.settle(&transaction).await?;
        claim.complete(&transaction).await?;
        claim.ended(&transaction, Outcome::Succeeded, None).await?;
        crate::crash::point("finish.before_commit");
        transaction.commit().await?;
        crate::crash::point("finish.after_commit");
        for (key, _) in retiring {
            self.vault().forget(DataKeyId(key));
        }
        Ok(true)
    }

    /// Whether anything but what this job has set aside names one of the data keys that are kept for that: the foreign keys
    /// cannot tell. Waits for whoever holds one.
    async fn is_named_otherwise(
        &self,
        claim: &Claim,
        transaction: &DatabaseTransaction,
        keys: &[(Uuid, Uuid)],
    ) -> Result<bool, Halt> {
        let keys = ids(keys);
        house::take_these_keys(transaction, &keys).await?;
        if objects::written_under(transaction, &keys).await? > 0 {
            return Ok(true);
        }
        for table in sealed_tables::names() {
            for keys in keys.chunks(VALUES_AT_ONCE) {
                if claim.names_otherwise(transaction, table, keys).await? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Gives back those that were still there to be destroyed: others have gone with their workspaces. `None` if a row or a note
    /// names one of the keys, so that the foreign keys refuse.
    async fn destroy(
        &self,
        transaction: &DatabaseTransaction,
        keys: &[(Uuid, Uuid)],
    ) -> Result<Option<Vec<(Uuid, Uuid)>>, Halt> {
        let mut gone = Vec::with_capacity(keys.len());
        for (key, scope) in keys {
            let destroyed = data_key::Entity::delete_many()
                .filter(data_key::Column::Id.eq(*key))
                .filter(data_key::Column::State.eq(DataKeyState::Retiring.to_value()))
                .exec(transaction)
                .await;
            match destroyed {
                Ok(destroyed) if destroyed.rows_affected == 0 => {}
                Ok(_) => gone.push((*key, *scope)),
                Err(error) if is_reference_violation(&error) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Some(gone))
    }

    /// Something names one of these keys. The short rest keeps the sweeps from chasing each other.
    async fn sweep_again(&self, claim: &Claim, keys: &[(Uuid, Uuid)]) -> Result<bool, Halt> {
        if self.is_uploaded_under(keys).await? {
            return self.wait_for_uploads(claim).await;
        }
        claim.stage(self.store.write(), JobStage::Reencrypt).await?;
        tokio::time::sleep(LOOK_EVERY).await;
        Ok(false)
    }

    async fn wait_for_uploads(&self, claim: &Claim) -> Result<bool, Halt> {
        claim.stage(self.store.write(), JobStage::Reencrypt).await?;
        Err(Halt::wait(PauseReason::WaitingForUploads))
    }

    async fn is_uploaded_under(&self, keys: &[(Uuid, Uuid)]) -> Result<bool, Halt> {
        Ok(objects::written_under(self.store.read(), &ids(keys)).await? > 0)
    }

    /// Waits until everything is gone from the object store that was garbage when this began.
    async fn wait_for_collector(&self) -> Result<(), Halt> {
        let now = database_now(self.store.read()).await?;
        for _ in 0..LOOKS {
            let left = object_note::Entity::find()
                .filter(object_note::Column::State.is_in([ObjectNoteState::Garbage, ObjectNoteState::Deleting]))
                .filter(object_note::Column::CreatedAt.lte(now))
                .count(self.store.read())
                .await?;
            if left == 0 {
                return Ok(());
            }
            if backups::is_running(self.store.read()).await? {
                return Err(Halt::wait(PauseReason::Backup));
            }
            self.garbage.notify_one();
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Err(Halt::wait(PauseReason::ObjectStore))
    }
}

fn ids(keys: &[(Uuid, Uuid)]) -> Vec<Uuid> {
    keys.iter().map(|(key, _)| *key).collect()
}
