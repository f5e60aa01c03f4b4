//! Stage 2, objects: each content is read, opened, sealed under a new id and the current data key, and written beside the
//! old one; then its row is pointed at the new one, and the old one becomes garbage in the same transaction.

use super::{
    account::Amount,
    halt::Halt,
    queue::Claim,
    reencrypt::{KeyPair, Pass},
    set_aside::Item,
    sweeps,
    worker::Worker,
};
use crate::{
    services::{
        failure::Failure,
        object_reader::{ObjectReader, Window},
        object_writer::{ObjectWriter, WrittenObject},
        words,
    },
    store::{
        self,
        entities::object,
        house,
        sealed_tables::{OBJECTS, next_rows},
    },
};
use app::model::job::{PauseReason, SetAsideReason};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream, try_join};
use sea_orm::{ColumnTrait, EntityTrait, IdenStatic, Iterable, QueryFilter, sea_query::Expr};
use uuid::Uuid;
use vault::Zeroizing;

/// Which side of a copy failed: only what cannot be read is ever set aside.
enum Copying {
    Reading(Failure),
    Writing(Failure),
}

/// What became of an object; the reason if it was set aside.
type Rewriting = Result<Option<SetAsideReason>, Halt>;

/// Rows read at once.
const BATCH: u64 = 64;
/// Objects rewritten at once. Each takes a bounded amount of memory.
const AT_ONCE: usize = 3;
/// The same where there was no room: for one of them there may be enough.
const ONE_BY_ONE: usize = 1;

impl Worker {
    pub(super) async fn rewrite_objects(&self, claim: &Claim, pair: &KeyPair, pass: &mut Pass) -> Result<(), Halt> {
        let mut after = Uuid::nil();
        let columns = object::Column::iter().map(|column| column.as_str()).collect::<Vec<_>>().join(", ");
        let was_full = claim.job.waiting.as_deref().and_then(words::read) == Some(PauseReason::ObjectStoreFull);
        let at_once = if was_full { ONE_BY_ONE } else { AT_ONCE };
        loop {
            let next = next_rows(self.store.backend(), OBJECTS, &columns, pair.old.id().0, after, BATCH);
            let rows = object::Entity::find().from_raw_sql(next).all(self.store.read()).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.id;
            let done = |id: Uuid| pass.skipped.contains(&id) || pass.set_aside.contains(&(id, pair.old.id().0));
            let rows: Vec<_> = rows.into_iter().filter(|row| !done(row.id)).collect();
            pass.found += rows.len() as u64;
            let rewrites: Vec<BoxFuture<'_, (Uuid, Rewriting)>> = rows
                .iter()
                .map(|row| async move { (row.id, self.rewrite_object(claim, pair, row).await) }.boxed())
                .collect();
            let mut rewriting = stream::iter(rewrites).buffer_unordered(at_once);
            while let Some((id, outcome)) = rewriting.next().await {
                match outcome {
                    Ok(None) => {}
                    Ok(Some(_)) => {
                        pass.set_aside.insert((id, pair.old.id().0));
                    }
                    // One object that cannot be had now must not keep the others waiting.
                    Err(halt @ Halt::Wait { reason: PauseReason::ObjectStore, .. }) => {
                        pass.waiting = Some(halt);
                        pass.skipped.insert(id);
                    }
                    Err(halt) => return Err(halt),
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
            Err(Copying::Reading(Failure::Damaged(error))) => words::set_aside_reason(error),
            Err(Copying::Reading(Failure::Objects(object_store::Error::NotFound { .. }))) => {
                // A folder that is not mounted, or a bucket that is gone, is no reason to set everything aside.
                self.objects.storage.answers().await.map_err(Failure::from)?;
                if !sweeps::is_ours(&self.store, &self.objects.storage).await? {
                    return Err(Halt::wait(PauseReason::ObjectStore));
                }
                SetAsideReason::Missing
            }
            // Its note is gone, or the key that it was to name: the workspace was deleted, or the collector was quicker. The next
            // pass tries again what is still there.
            Err(Copying::Writing(failure))
                if matches!(failure, Failure::Refused(_)) || failure.is_missing_reference() =>
            {
                return Ok(None);
            }
            Err(Copying::Reading(failure) | Copying::Writing(failure)) => return Err(failure.into()),
        };
        // It may have been deleted, or replaced by somebody else, while it was being read: then it is not set aside.
        let transaction = self.store.begin().await?;
        claim.hold(&transaction).await?;
        let item = Item { table: OBJECTS, id: row.id, rev: row.rev };
        let is_set_aside = self.set_aside(claim, &transaction, item, pair, reason).await?;
        transaction.commit().await?;
        Ok(is_set_aside.then_some(reason))
    }

    /// Reads, opens, seals and writes, a window at a time.
    async fn copy_sealed(&self, pair: &KeyPair, row: &object::Model) -> Result<WrittenObject, Copying> {
        let reader = ObjectReader::open(&self.objects.storage, self.vault(), &pair.old, row).await;
        let reader = reader.map_err(Copying::Reading)?;
        let begun = ObjectWriter::begin(&self.objects, pair.scope, &pair.new, Some(reader.size())).await;
        let mut writer = begun.map_err(Copying::Writing)?;
        match self.copy_windows(&reader, &mut writer).await {
            Ok(()) => writer.complete().await.map_err(Copying::Writing),
            Err(failure) => {
                writer.abort().await.map_err(Copying::Writing)?;
                self.garbage.notify_one();
                Err(failure)
            }
        }
    }

    /// While one window is being opened, sealed and written, the next is fetched.
    async fn copy_windows(&self, reader: &ObjectReader, writer: &mut ObjectWriter) -> Result<(), Copying> {
        let fetch = async |from: u64, buffer: Vec<u8>| {
            reader.fetch(from..reader.size(), buffer).await.map_err(Copying::Reading)
        };
        let mut window = fetch(0, Vec::new()).await?;
        // Used again and again: new ones would take as long to clear as to seal.
        let (mut spare, mut opened) = (Vec::new(), Zeroizing::default());
        loop {
            let (end, is_last) = (window.end(), window.end() >= reader.size());
            let rewritten = self.copy_window(reader, writer, window, &mut opened);
            if is_last {
                return rewritten.await.map(drop);
            }
            (window, spare) = try_join!(fetch(end, spare), rewritten)?;
        }
    }

    async fn copy_window(
        &self,
        reader: &ObjectReader,
        writer: &mut ObjectWriter,
        window: Window,
        opened: &mut Zeroizing<Vec<u8>>,
    ) -> Result<Vec<u8>, Copying> {
        self.cores.here(|| reader.open_window(&window, opened)).await.map_err(Copying::Reading)?;
        let mut left = opened.as_slice();
        while !left.is_empty() {
            let sealed = self.cores.here(|| writer.seal(left)).await.map_err(Copying::Writing)?;
            left = &left[sealed..];
            writer.send_if_full().await.map_err(Copying::Writing)?;
        }
        Ok(window.into_buffer())
    }

    async fn point_at(
        &self,
        claim: &Claim,
        pair: &KeyPair,
        row: &object::Model,
        written: WrittenObject,
    ) -> Result<(), Halt> {
        let transaction = self.store.begin().await?;
        // Everywhere the data key is held before the rows under it, so that nobody waits in a circle.
        if !house::hold_key(&transaction, pair.new.id().0).await? {
            transaction.rollback().await?;
            written.discard().await?;
            return Ok(());
        }
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
        match written.redeem(&transaction).await {
            Ok(()) => {}
            // The note is gone: the workspace was deleted, or the collector took it. The next pass tries again.
            Err(Failure::Refused(_)) => {
                transaction.rollback().await?;
                written.remove_unnoted().await?;
                return Ok(());
            }
            Err(failure) => return Err(failure.into()),
        }
        store::objects::discard(&transaction, &row.place).await?;
        claim.done(&transaction, Amount { kind: OBJECTS, items: 1, bytes: row.size }).await?;
        crate::crash::point("object.before_pointing");
        transaction.commit().await?;
        crate::crash::point("object.pointed_at");
        written.keep();
        self.garbage.notify_one();
        Ok(())
    }
}
