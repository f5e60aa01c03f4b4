//! Stage 2, records: every row that names a retiring data key is sealed anew under its scope's current one.
//!
//! A batch is read, opened and sealed on another thread, and written in one transaction in which each row is updated only
//! if it is still as it was read. A concurrent write simply wins. `rev` and times do not change.

use super::{
    halt::Halt,
    queue::{Claim, Progress},
    worker::Worker,
};
use crate::{
    services::{failure::Failure, words},
    store::{
        entities::job::JobStage,
        house,
        sealed_tables::{self, OBJECTS, SEALED_TABLES, SealedTable},
    },
};
use app::model::job::{PauseReason, SetAsideReason};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction,
    sea_query::{Alias, Expr, ExprTrait, Order, Query},
};
use std::{collections::HashSet, sync::Arc, time::Duration};
use uuid::Uuid;
use vault::{DataKey, KmsClass, OpenError, Place, Refusal, Scope, Vault};

/// The first batch of a pass; later ones follow the time that the last one took.
const FIRST_BATCH: u64 = 64;
const LARGEST_BATCH: u64 = 2_000;
/// How long a batch may hold the database.
const BATCH_ON_SQLITE: Duration = Duration::from_millis(20);
const BATCH_ON_POSTGRES: Duration = Duration::from_millis(100);

/// A retiring data key and the current one of the same scope.
pub(super) struct KeyPair {
    pub scope: Scope,
    pub old: Arc<DataKey>,
    pub new: Arc<DataKey>,
}

/// How a pass went.
#[derive(Default)]
pub(super) struct Pass {
    /// Items that were found under a retiring key, whatever became of them.
    pub found: u64,
    /// What stands in the way of some scopes or objects; the rest is done meanwhile.
    pub waiting: Option<Halt>,
    /// Objects that could not be had in this attempt.
    pub skipped: HashSet<Uuid>,
    /// Items set aside by this job, each with the data key it was under: they are not found again.
    pub set_aside: HashSet<(Uuid, Uuid)>,
}

struct Row {
    id: Uuid,
    rev: i64,
    columns: Vec<Vec<u8>>,
}

struct Rewritten {
    id: Uuid,
    rev: i64,
    outcome: Result<Vec<Vec<u8>>, SetAsideReason>,
}

impl Worker {
    /// Runs stage 2: fresh keys, then passes over records and objects until one finds nothing.
    pub(super) async fn reencrypt(&self, claim: &Claim) -> Result<(), Halt> {
        let refused = self.make_fresh_keys(claim).await?;
        self.count_what_is_left(claim).await?;
        let mut pass = Pass { set_aside: self.set_aside_before(claim).await?, ..Pass::default() };
        loop {
            pass.found = 0;
            for (key, scope) in self.retiring().await? {
                match self.key_pair(key, scope).await {
                    Ok(Some(pair)) => {
                        for table in &SEALED_TABLES {
                            self.rewrite_records(claim, table, &pair, &mut pass).await?;
                        }
                        self.rewrite_objects(claim, &pair, &mut pass).await?;
                    }
                    // The workspace has been deleted.
                    Ok(None) => {}
                    Err(failure) => pass.waiting = Some(self.alone(failure, scope)?),
                }
            }
            if pass.found == 0 {
                break;
            }
        }
        if let Some(halt) = refused.or(pass.waiting) {
            return Err(halt);
        }
        claim.stage(self.store.write(), JobStage::Finish).await
    }

    /// Whether a failure is about one workspace alone, whose data key KMS denies while the root key works: then it waits
    /// alone, for the reason given back.
    ///
    /// # Errors
    /// Whatever is not, stops the whole attempt.
    pub(super) fn alone(&self, failure: Failure, scope: Uuid) -> Result<Halt, Halt> {
        match failure {
            Failure::WorkspaceLocked(face) => {
                Ok(Halt::Wait { reason: PauseReason::ScopeRefused, code: face.code, scope: Some(scope) })
            }
            Failure::Kms(error)
                if error.class == KmsClass::Refused(Refusal::AccessDenied)
                    && self.vault().is_open()
                    && scope != Scope::Organization.as_uuid() =>
            {
                Ok(Halt::Wait { reason: PauseReason::ScopeRefused, code: error.code, scope: Some(scope) })
            }
            failure => Err(failure.into()),
        }
    }

    async fn count_what_is_left(&self, claim: &Claim) -> Result<(), Halt> {
        let keys: Vec<Uuid> = self.retiring().await?.into_iter().map(|(key, _)| key).collect();
        let mut left = Progress::default();
        for table in &SEALED_TABLES {
            left.records += sealed_tables::count(self.store.read(), table.name, Some(&keys)).await?.items;
        }
        let objects = sealed_tables::count(self.store.read(), OBJECTS, Some(&keys)).await?;
        (left.files, left.bytes) = (objects.items, objects.bytes);
        claim.totals(self.store.write(), left).await?;
        self.changed();
        Ok(())
    }

    async fn key_pair(&self, old: Uuid, scope: Uuid) -> Result<Option<KeyPair>, Failure> {
        let scope = Scope::from_uuid(scope);
        let Some(new) = house::current_key(self.store.read(), scope).await? else { return Ok(None) };
        Ok(Some(KeyPair { scope, old: self.keys.key(old).await?, new: self.keys.key(new).await? }))
    }

    async fn rewrite_records(
        &self,
        claim: &Claim,
        table: &'static SealedTable,
        pair: &KeyPair,
        pass: &mut Pass,
    ) -> Result<(), Halt> {
        let mut after = Uuid::nil();
        let mut batch = FIRST_BATCH;
        loop {
            let rows = self.read_batch(table, pair.old.id().0, after, batch).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.id;
            let old = pair.old.id().0;
            let rows: Vec<Row> = rows.into_iter().filter(|row| !pass.set_aside.contains(&(row.id, old))).collect();
            if rows.is_empty() {
                continue;
            }
            pass.found += rows.len() as u64;
            let rewritten = self.seal_anew(table, pair, rows).await?;
            let began = self.vault().clock().boot();
            self.write_batch(claim, table, pair, &rewritten).await?;
            let took = self.vault().clock().boot().saturating_sub(began);
            for row in rewritten.iter().filter(|row| row.outcome.is_err()) {
                pass.set_aside.insert((row.id, old));
            }
            batch = self.next_batch(rewritten.len() as u64, took);
            self.changed();
        }
    }

    fn next_batch(&self, rows: u64, took: Duration) -> u64 {
        let target = match self.store.backend() {
            sea_orm::DbBackend::Postgres => BATCH_ON_POSTGRES,
            _ => BATCH_ON_SQLITE,
        };
        let took = took.as_micros().max(100);
        let fitting = u128::from(rows) * target.as_micros() / took;
        u64::try_from(fitting).unwrap_or(LARGEST_BATCH).clamp(FIRST_BATCH / 4, LARGEST_BATCH)
    }

    async fn read_batch(&self, table: &SealedTable, key: Uuid, after: Uuid, limit: u64) -> Result<Vec<Row>, Halt> {
        let mut query = Query::select();
        query.column("id").column("rev").from(Alias::new(table.name));
        for column in table.columns {
            query.column(Alias::new(*column));
        }
        query
            .and_where(Expr::col("data_key_id").eq(key))
            .and_where(Expr::col("id").gt(after))
            .order_by("id", Order::Asc)
            .limit(limit);
        let found = self.store.read().query_all(&query).await?;
        let mut rows = Vec::with_capacity(found.len());
        for row in found {
            let mut columns = Vec::with_capacity(table.columns.len());
            for column in table.columns {
                columns.push(row.try_get("", column)?);
            }
            rows.push(Row { id: row.try_get("", "id")?, rev: row.try_get("", "rev")?, columns });
        }
        Ok(rows)
    }

    /// Opens and seals on a thread of its own, so that requests are answered meanwhile.
    async fn seal_anew(
        &self,
        table: &'static SealedTable,
        pair: &KeyPair,
        rows: Vec<Row>,
    ) -> Result<Vec<Rewritten>, Halt> {
        let (vault, old, new) = (Arc::clone(self.vault()), Arc::clone(&pair.old), Arc::clone(&pair.new));
        let scope = pair.scope;
        let sealed = tokio::task::spawn_blocking(move || {
            rows.iter().map(|row| rewrite(&vault, table, scope, &old, &new, row)).collect::<Result<Vec<_>, Failure>>()
        });
        match sealed.await {
            Ok(rewritten) => Ok(rewritten?),
            Err(error) => {
                tracing::error!(event = "job_thread_failed", %error, "a batch could not be sealed");
                Err(Halt::Lost)
            }
        }
    }

    async fn write_batch(
        &self,
        claim: &Claim,
        table: &SealedTable,
        pair: &KeyPair,
        rewritten: &[Rewritten],
    ) -> Result<(), Halt> {
        let transaction = self.store.begin().await?;
        // Everywhere the data key is held before the rows under it, so that nobody waits in a circle.
        if !house::hold_key(&transaction, pair.new.id().0).await? {
            // The workspace has been deleted.
            transaction.rollback().await?;
            return Ok(());
        }
        let mut records = 0;
        for row in rewritten {
            match &row.outcome {
                Ok(columns) => records += update_row(&transaction, table, pair, row, columns).await?,
                Err(reason) => {
                    self.set_aside(claim, &transaction, table.name, row.id, pair, *reason).await?;
                }
            }
        }
        let progress = Progress { records: i64::try_from(records).unwrap_or(i64::MAX), ..Progress::default() };
        claim.progress(&transaction, progress).await?;
        transaction.commit().await?;
        Ok(())
    }
}

async fn update_row(
    transaction: &DatabaseTransaction,
    table: &SealedTable,
    pair: &KeyPair,
    row: &Rewritten,
    columns: &[Vec<u8>],
) -> Result<u64, Halt> {
    let mut update = Query::update();
    update.table(Alias::new(table.name)).value("data_key_id", pair.new.id().0);
    for (column, sealed) in table.columns.iter().zip(columns) {
        update.value(Alias::new(*column), sealed.clone());
    }
    update
        .and_where(Expr::col("id").eq(row.id))
        .and_where(Expr::col("rev").eq(row.rev))
        .and_where(Expr::col("data_key_id").eq(pair.old.id().0));
    Ok(transaction.execute(&update).await?.rows_affected())
}

fn rewrite(
    vault: &Vault,
    table: &SealedTable,
    scope: Scope,
    old: &DataKey,
    new: &DataKey,
    row: &Row,
) -> Result<Rewritten, Failure> {
    let mut sealed = Vec::with_capacity(row.columns.len());
    for (column, value) in table.columns.iter().zip(&row.columns) {
        let place = Place { deployment: vault.deployment(), scope, table: table.name, id: row.id, column };
        match vault::open(old, &place, value) {
            Ok(opened) => sealed.push(vault::seal(new, &place, &opened, vault.entropy())?),
            Err(OpenError::Locked) => return Err(Failure::Locked),
            Err(error) => {
                return Ok(Rewritten { id: row.id, rev: row.rev, outcome: Err(words::set_aside_reason(error)) });
            }
        }
    }
    Ok(Rewritten { id: row.id, rev: row.rev, outcome: Ok(sealed) })
}
