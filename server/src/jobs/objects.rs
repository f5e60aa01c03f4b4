//! Stage 2, objects: each content is read, opened, sealed under a new id and the current data key, and written beside the
//! old one; then its row is pointed at the new one, and the old one becomes garbage in the same transaction.

use super::{
    halt::Halt,
    queue::{Claim, Progress},
    records::{KeyPair, Pass},
    worker::Worker,
};
use crate::{
    services::{
        failure::Failure,
        object_reader::ObjectReader,
        object_writer::{ObjectWriter, WrittenObject},
        words,
    },
    store::{self, entities::object, sealed_tables::OBJECTS},
};
use app::model::job::SetAsideReason;
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use uuid::Uuid;

/// Rows read at once.
const BATCH: u64 = 64;
/// Objects rewritten at once. Each takes a bounded amount of memory.
const AT_ONCE: usize = 3;

impl Worker {
    pub(super) async fn rewrite_objects(&self, claim: &Claim, pair: &KeyPair, pass: &mut Pass) -> Result<(), Halt> {
        let mut after = Uuid::nil();
        loop {
            let rows = object::Entity::find()
                .filter(object::Column::DataKeyId.eq(pair.old.id().0))
                .filter(object::Column::Id.gt(after))
                .order_by_asc(object::Column::Id)
                .limit(BATCH)
                .all(self.store.read())
                .await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.id;
            let rows: Vec<_> = rows.into_iter().filter(|row| !pass.set_aside.contains(&row.id)).collect();
            pass.found += rows.len() as u64;
            let rewrites: Vec<BoxFuture<'_, (Uuid, Result<Option<SetAsideReason>, Halt>)>> = rows
                .iter()
                .map(|row| async move { (row.id, self.rewrite_object(claim, pair, row).await) }.boxed())
                .collect();
            let mut rewriting = stream::iter(rewrites).buffer_unordered(AT_ONCE);
            while let Some((id, outcome)) = rewriting.next().await {
                if outcome?.is_some() {
                    pass.set_aside.insert(id);
                }
                self.changed();
            }
        }
    }

    /// Rewrites one object; gives the reason if it was set aside.
    async fn rewrite_object(
        &self,
        claim: &Claim,
        pair: &KeyPair,
        row: &object::Model,
    ) -> Result<Option<SetAsideReason>, Halt> {
        let reason = match self.copy_sealed(pair, row).await {
            Ok(written) => {
                self.point_at(claim, pair, row, written).await?;
                return Ok(None);
            }
            Err(Failure::Damaged(error)) => words::set_aside_reason(error),
            Err(Failure::Objects(object_store::Error::NotFound { .. })) => SetAsideReason::Missing,
            Err(failure) => return Err(failure.into()),
        };
        // It may have been deleted, or replaced by somebody else, while it was being read.
        let now = object::Entity::find_by_id(row.id).one(self.store.read()).await?;
        if now.is_none_or(|now| now.object_id != row.object_id) {
            return Ok(None);
        }
        let transaction = self.store.begin().await?;
        self.set_aside(claim, &transaction, OBJECTS, row.id, pair, reason).await?;
        claim.progress(&transaction, Progress::default()).await?;
        transaction.commit().await?;
        Ok(Some(reason))
    }

    /// Reads, opens, seals and writes, a window at a time.
    async fn copy_sealed(&self, pair: &KeyPair, row: &object::Model) -> Result<WrittenObject, Failure> {
        let reader = ObjectReader::open(&self.objects.storage, self.vault(), &pair.old, row).await?;
        let mut writer = ObjectWriter::begin(&self.objects, pair.scope, &pair.new, Some(reader.size())).await?;
        let copied = async {
            let mut position = 0;
            loop {
                if !self.vault().is_open() {
                    return Err(Failure::Locked);
                }
                let opened = reader.read(position..reader.size()).await?;
                writer.write(&opened).await?;
                position += opened.len() as u64;
                if position >= reader.size() {
                    return Ok(());
                }
            }
        };
        match copied.await {
            Ok(()) => writer.complete().await,
            Err(failure) => {
                writer.abort().await?;
                self.garbage.notify_one();
                Err(failure)
            }
        }
    }

    async fn point_at(
        &self,
        claim: &Claim,
        pair: &KeyPair,
        row: &object::Model,
        written: WrittenObject,
    ) -> Result<(), Halt> {
        let transaction = self.store.begin().await?;
        let pointed = object::Entity::update_many()
            .col_expr(object::Column::ObjectId, Expr::value(written.id()))
            .col_expr(object::Column::Place, Expr::value(written.place()))
            .col_expr(object::Column::DataKeyId, Expr::value(pair.new.id().0))
            .filter(object::Column::Id.eq(row.id))
            .filter(object::Column::Rev.eq(row.rev))
            .filter(object::Column::ObjectId.eq(row.object_id))
            .exec(&transaction)
            .await?;
        if pointed.rows_affected == 0 {
            // The file was deleted meanwhile.
            transaction.rollback().await?;
            written.discard().await?;
            return Ok(());
        }
        if let Err(Failure::Refused(_)) = written.redeem(&transaction).await {
            // The note is gone: the workspace was deleted, or the collector took it. The next pass tries again.
            transaction.rollback().await?;
            return Ok(());
        }
        store::objects::discard(&transaction, &row.place).await?;
        claim.progress(&transaction, Progress { files: 1, bytes: row.size, ..Progress::default() }).await?;
        transaction.commit().await?;
        written.keep();
        self.garbage.notify_one();
        Ok(())
    }
}
