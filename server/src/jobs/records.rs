//! Stage 2, records: every row that names a retiring data key is sealed anew under its scope's current one.
//!
//! While one batch is being written the next is already opened and sealed, and the one after read, each on another thread. A
//! batch is written in one transaction, in which each row is updated only if it is still as it was read: a concurrent write
//! simply wins. `rev` and times do not change. What costs the time is the database, so rows are updated many in a statement.

use super::{
    account::Amount,
    halt::Halt,
    queue::Claim,
    reencrypt::{KeyPair, Pass},
    set_aside::Item,
    worker::Worker,
};
use crate::{
    services::{failure::Failure, words},
    store::{
        house,
        sealed_tables::{LARGEST_BATCH, RewrittenRow, SealedTable, next_rows, rewrite_rows},
    },
};
use app::model::job::SetAsideReason;
use futures::{poll, try_join};
use sea_orm::{ConnectionTrait, DbBackend};
use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    time::Duration,
};
use tokio::sync::mpsc;
use uuid::Uuid;
use vault::{BufferedEntropy, DataKey, Entropy, Place, Scope, Vault, Zeroizing};

/// The first batch of a pass; later ones follow the time that the last one took.
const FIRST_BATCH: u64 = 64;
const SMALLEST_BATCH: u64 = 16;
/// What a batch may hold in sealed values. Five are in memory at once: one is read, one sealed, one written, and one waits
/// before each of the latter.
const BATCH_BYTES: i64 = 5 * 1024 * 1024;
/// How long a batch may hold the database.
const BATCH_ON_SQLITE: Duration = Duration::from_millis(20);
const BATCH_ON_POSTGRES: Duration = Duration::from_millis(100);
/// The same on either while people ask for anything.
const BATCH_BESIDE_OTHERS: Duration = Duration::from_micros(2_500);

/// How a sealed value gets from the data key it is under to another: the value anew, and how many bytes it holds before
/// encryption. A job opens and seals ([`open_and_seal`]); a benchmark copies, to see what everything else takes.
/// The last argument is a buffer for what is opened, which goes from one value to the next.
pub type Rewrite = fn(
    &dyn Entropy,
    &Place<'_>,
    &DataKey,
    &DataKey,
    &[u8],
    &mut Zeroizing<Vec<u8>>,
) -> Result<(Vec<u8>, usize), Failure>;

/// What a job does with a value: opens it with the old data key, and seals it with the new one.
///
/// # Errors
/// [`Failure::Damaged`] if it does not open; [`Failure::Locked`] if no data may be opened now.
pub fn open_and_seal(
    entropy: &dyn Entropy,
    place: &Place<'_>,
    old: &DataKey,
    new: &DataKey,
    sealed: &[u8],
    opened: &mut Zeroizing<Vec<u8>>,
) -> Result<(Vec<u8>, usize), Failure> {
    vault::open_into(old, place, sealed, opened)?;
    Ok((vault::seal(new, place, opened, entropy)?, opened.len()))
}

struct Row {
    id: Uuid,
    rev: i64,
    columns: Vec<Vec<u8>>,
}

/// Rows that were read together, sealed anew.
struct Batch {
    rows: Vec<RewrittenRow>,
    /// Those that do not open.
    refused: Vec<(Item, SetAsideReason)>,
}

impl Worker {
    /// Rewrites the rows of one table that name the old key of a pair, each value by `rewrite`.
    ///
    /// # Errors
    /// What ends the attempt; what was committed by then stays.
    pub async fn rewrite_records(
        &self,
        claim: &Claim,
        table: &'static SealedTable,
        pair: &KeyPair,
        pass: &mut Pass,
        rewrite: Rewrite,
    ) -> Result<(), Halt> {
        let size = AtomicU64::new(FIRST_BATCH);
        let (read, rows) = mpsc::channel(1);
        let (sealed, batches) = mpsc::channel(1);
        let (found, (), refused) = try_join!(
            self.read_all(table, pair, pass, &size, read),
            self.seal_all(table, pair, rewrite, rows, sealed),
            self.write_all(claim, table, pair, &size, batches)
        )?;
        pass.found += found;
        pass.set_aside.extend(refused.into_iter().map(|id| (id, pair.old.id().0)));
        Ok(())
    }

    /// Reads, always a batch ahead of the sealing. Gives back how many rows there were.
    async fn read_all(
        &self,
        table: &'static SealedTable,
        pair: &KeyPair,
        pass: &Pass,
        size: &AtomicU64,
        read: mpsc::Sender<Vec<Row>>,
    ) -> Result<u64, Halt> {
        let (mut after, mut found, old) = (Uuid::nil(), 0, pair.old.id().0);
        loop {
            let limit = size.load(Ordering::Relaxed);
            let (rows, place) = if self.store.reads_apart() && !self.cores.are_shared() {
                let limit = self.fitting(table, old, after, limit).await?;
                let mut reading = pin!(self.read_batch(table, old, after, limit));
                // The database begins, and is not asked for what it finds before there is a place for it: each row that is waited
                // for is a message from one thread to another, and takes the writing its processor; a queue of them is one.
                let begun = poll!(reading.as_mut());
                let Ok(place) = read.reserve().await else { return Ok(found) };
                let rows = match begun {
                    Poll::Ready(rows) => rows?,
                    Poll::Pending => reading.await?,
                };
                (rows, place)
            } else {
                let reading = async {
                    let limit = self.fitting(table, old, after, limit).await?;
                    self.read_batch(table, old, after, limit).await
                };
                let rows = self.cores.in_turn(reading).await?;
                // When there is none, whoever seals has ended, and says why.
                let Ok(place) = read.reserve().await else { return Ok(found) };
                (rows, place)
            };
            let Some(last) = rows.last() else { return Ok(found) };
            after = last.id;
            let rows: Vec<Row> = rows.into_iter().filter(|row| !pass.set_aside.contains(&(row.id, old))).collect();
            if rows.is_empty() {
                continue;
            }
            found += rows.len() as u64;
            place.send(rows);
        }
    }

    /// Opens and seals what was read, always a batch ahead of the writing.
    async fn seal_all(
        &self,
        table: &'static SealedTable,
        pair: &KeyPair,
        rewrite: Rewrite,
        mut read: mpsc::Receiver<Vec<Row>>,
        batches: mpsc::Sender<Batch>,
    ) -> Result<(), Halt> {
        while let Some(rows) = read.recv().await {
            let batch = self.cores.in_turn(self.seal_anew(table, pair, rows, rewrite)).await?;
            if batches.send(batch).await.is_err() {
                // Whoever writes has ended, and says why.
                return Ok(());
            }
        }
        Ok(())
    }

    /// Writes what comes, and lets the size of the batches follow the time they take. Gives back what was set aside.
    async fn write_all(
        &self,
        claim: &Claim,
        table: &SealedTable,
        pair: &KeyPair,
        size: &AtomicU64,
        mut batches: mpsc::Receiver<Batch>,
    ) -> Result<Vec<Uuid>, Halt> {
        let mut refused = Vec::new();
        while let Some(batch) = batches.recv().await {
            let rows = batch.rows.len() + batch.refused.len();
            let (took, set_aside) = self.cores.in_turn(self.write_batch(claim, table, pair, batch)).await?;
            size.store(self.next_size(rows as u64, took), Ordering::Relaxed);
            refused.extend(set_aside);
            self.changed();
        }
        Ok(refused)
    }

    fn next_size(&self, rows: u64, took: Duration) -> u64 {
        // Beside people grown slowly: a single quick batch says little about a larger one, for which they would have to wait.
        let (target, more) = match self.store.backend() {
            _ if self.cores.are_shared() => (BATCH_BESIDE_OTHERS, rows / 4),
            DbBackend::Postgres => (BATCH_ON_POSTGRES, rows),
            _ => (BATCH_ON_SQLITE, rows),
        };
        let grown = Ord::max(rows.saturating_add(more), FIRST_BATCH);
        let fitting = u128::from(rows) * target.as_micros() / took.as_micros().max(100);
        let size = Ord::min(u64::try_from(fitting).unwrap_or(LARGEST_BATCH), grown);
        let size = size.clamp(SMALLEST_BATCH, LARGEST_BATCH);
        // Large ones of few different sizes, so that the database has seen most statements before. A small one may grow by a row.
        if size > FIRST_BATCH { size - size % SMALLEST_BATCH } else { size }
    }

    async fn read_batch(&self, table: &SealedTable, key: Uuid, after: Uuid, limit: u64) -> Result<Vec<Row>, Halt> {
        let columns = format!("id, rev, {}", table.columns.join(", "));
        let found = self
            .store
            .read()
            .query_all_raw(next_rows(self.store.backend(), table.name, &columns, key, after, limit))
            .await?;
        let mut rows = Vec::with_capacity(found.len());
        for row in found {
            let mut columns = Vec::with_capacity(table.columns.len());
            for (at, _) in table.columns.iter().enumerate() {
                columns.push(row.try_get_by_index(at + 2)?);
            }
            rows.push(Row { id: row.try_get_by_index(0)?, rev: row.try_get_by_index(1)?, columns });
        }
        Ok(rows)
    }

    /// How many of the next rows are at most [`BATCH_BYTES`] together, and at most `limit`: small rows make batches grow, and large
    /// ones may come after them. At least one.
    async fn fitting(&self, table: &SealedTable, key: Uuid, after: Uuid, limit: u64) -> Result<u64, Halt> {
        let lengths: Vec<_> = table.columns.iter().map(|column| format!("length({column})")).collect();
        let bytes = format!("CAST({} AS BIGINT) AS bytes", lengths.join(" + "));
        let each = next_rows(self.store.backend(), table.name, &bytes, key, after, limit);
        // Mostly all of them are, and the database says so in one row.
        let mut sum = each.clone();
        sum.sql = format!("SELECT CAST(SUM(bytes) AS BIGINT) FROM ({}) AS next_rows", each.sql);
        let all = self.store.read().query_one_raw(sum).await?;
        if all.is_none_or(|row| row.try_get_by_index::<Option<i64>>(0).is_ok_and(|all| all.unwrap_or(0) <= BATCH_BYTES))
        {
            return Ok(limit);
        }
        let (mut rows, mut bytes) = (0, 0);
        for row in self.store.read().query_all_raw(each).await? {
            bytes += row.try_get_by_index::<i64>(0)?;
            if bytes > BATCH_BYTES {
                break;
            }
            rows += 1;
        }
        Ok(Ord::max(rows, 1))
    }

    /// Opens and seals on a thread of its own, so that requests are answered meanwhile.
    async fn seal_anew(
        &self,
        table: &'static SealedTable,
        pair: &KeyPair,
        rows: Vec<Row>,
        rewrite: Rewrite,
    ) -> Result<Batch, Halt> {
        let (vault, old, new) = (Arc::clone(self.vault()), Arc::clone(&pair.old), Arc::clone(&pair.new));
        let scope = pair.scope;
        let sealed = self.cores.run(move || seal_batch(&vault, table, scope, &old, &new, rows, rewrite)).await?;
        Ok(sealed?)
    }

    /// Gives back how long the database was held, and what was set aside.
    async fn write_batch(
        &self,
        claim: &Claim,
        table: &SealedTable,
        pair: &KeyPair,
        batch: Batch,
    ) -> Result<(Duration, Vec<Uuid>), Halt> {
        crate::crash::point("records.sealed");
        let transaction = self.store.begin().await?;
        let began = self.vault().clock().boot();
        // Everywhere the data key is held before the rows under it, so that nobody waits in a circle.
        if !house::hold_key(&transaction, pair.new.id().0).await? {
            // The workspace has been deleted.
            transaction.rollback().await?;
            return Ok((Duration::ZERO, Vec::new()));
        }
        let written = rewrite_rows(&transaction, table, pair.old.id().0, pair.new.id().0, batch.rows).await?;
        let mut set_aside = Vec::new();
        for (item, reason) in batch.refused {
            if self.set_aside(claim, &transaction, item, pair, reason).await? {
                set_aside.push(item.id);
            }
        }
        let done = Amount { kind: table.name, items: written.items, bytes: written.bytes };
        claim.done(&transaction, done).await?;
        crate::crash::point("records.before_commit");
        transaction.commit().await?;
        crate::crash::point("records.after_commit");
        Ok((self.vault().clock().boot().saturating_sub(began), set_aside))
    }
}

fn seal_batch(
    vault: &Vault,
    table: &SealedTable,
    scope: Scope,
    old: &DataKey,
    new: &DataKey,
    rows: Vec<Row>,
    rewrite: Rewrite,
) -> Result<Batch, Failure> {
    let mut batch = Batch { rows: Vec::with_capacity(rows.len()), refused: Vec::new() };
    let (entropy, mut opened) = (BufferedEntropy::new(vault.entropy()), Zeroizing::default());
    for row in rows {
        let rewrite = |place: &Place<'_>, sealed: &[u8]| rewrite(&entropy, place, old, new, sealed, &mut opened);
        match seal_row(vault, table, scope, &row, rewrite)? {
            Ok((columns, bytes)) => {
                batch.rows.push(RewrittenRow { id: row.id, rev: row.rev, columns, bytes });
            }
            Err(reason) => batch.refused.push((Item { table: table.name, id: row.id, rev: row.rev }, reason)),
        }
    }
    Ok(batch)
}

/// The columns of a row sealed anew, with the bytes they held; or why one of them does not open.
type SealedRow = Result<(Vec<Vec<u8>>, i64), SetAsideReason>;

fn seal_row(
    vault: &Vault,
    table: &SealedTable,
    scope: Scope,
    row: &Row,
    mut rewrite: impl FnMut(&Place<'_>, &[u8]) -> Result<(Vec<u8>, usize), Failure>,
) -> Result<SealedRow, Failure> {
    let (mut columns, mut bytes) = (Vec::with_capacity(row.columns.len()), 0);
    for (column, value) in table.columns.iter().zip(&row.columns) {
        let place = Place { deployment: vault.deployment(), scope, table: table.name, id: row.id, column };
        match rewrite(&place, value) {
            Ok((column, opened)) => {
                bytes += i64::try_from(opened).unwrap_or(i64::MAX);
                columns.push(column);
            }
            Err(Failure::Damaged(error)) => return Ok(Err(words::set_aside_reason(error))),
            Err(failure) => return Err(failure),
        }
    }
    Ok(Ok((columns, bytes)))
}
