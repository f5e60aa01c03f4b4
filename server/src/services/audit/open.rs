//! Actions that can fail midway: one entry when they begin, another with the same operation when they end.
//!
//! What must stay true: an operation that was opened is closed, whatever becomes of who opened it. While it is open it has a
//! row in `audit_open`, which goes in the transaction of the closing entry. One that is dropped on the way closes itself as
//! failed. Those of a server that is gone, or that have taken far too long, are closed as abandoned by any other; those
//! that a job goes on with end with the job, whichever server runs it. And whoever takes such a row off the list holds the end of
//! the log first: two who close the same operation wait for each other there, and nowhere else.

use super::{Audit, Entry, Outcome};
use crate::store::{
    database_now,
    entities::{audit_entry, audit_open, job, server},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter,
    QuerySelect, QueryTrait, sea_query::Expr,
};
use uuid::Uuid;

/// How long an operation may take that nothing else ends: longer than any request may.
const PATIENCE: i64 = 2 * 60 * 1000;
/// The detail of one whose end was never reached, though its server lives: whoever had asked went away, or it broke off.
const CUT: &str = "cut";

/// An operation that is open. Dropping it closes it as failed.
#[must_use = "what is opened is to be closed"]
pub struct OpenEntry {
    audit: Audit,
    operation: Uuid,
    sequence: i64,
    entry: Entry,
    is_closed: bool,
}

impl Audit {
    /// Notes that something begins that can fail midway.
    ///
    /// # Errors
    /// When the database fails: it must not begin then.
    pub async fn open(&self, operation: Uuid, entry: Entry) -> Result<OpenEntry, DbErr> {
        let entry = entry.part_of(operation).by_server(self.server);
        let transaction = self.store.begin().await?;
        let now = database_now(&transaction).await?;
        let sequence = Self::append(&transaction, entry.clone().outcome(Outcome::Opened)).await?;
        // A row that nobody else knows of yet: it waits for nobody.
        let row = audit_open::ActiveModel {
            operation: Set(operation),
            sequence: Set(sequence),
            server: Set(self.server),
            job_id: Set(None),
            expires_at: Set(now + PATIENCE),
        };
        audit_open::Entity::insert(row).exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        crate::crash::point("audit.opened");
        Ok(OpenEntry { audit: self.clone(), operation, sequence, entry, is_closed: false })
    }

    /// Closes every operation that the job goes on with, in the transaction in which the job gets there, each with what there is
    /// to `say` beside what its opening entry did. The last thing that the transaction does.
    ///
    /// # Errors
    /// When the database fails: the transaction must not be committed then.
    pub async fn close_for_job(
        on: &DatabaseTransaction,
        job: Uuid,
        outcome: Outcome,
        say: impl Fn(Entry) -> Entry,
    ) -> Result<(), DbErr> {
        super::hold(on).await?;
        let open = audit_open::Entity::find().filter(audit_open::Column::JobId.eq(job)).all(on).await?;
        for row in open {
            close(on, &row, |entry| say(entry).outcome(outcome)).await?;
        }
        Ok(())
    }

    /// Closes what nobody will close any more. Says how many that were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close_abandoned(&self) -> Result<usize, DbErr> {
        let mut closed = 0;
        for row in Self::abandoned(self.store.read(), None).await? {
            let transaction = self.store.begin().await?;
            // Meanwhile it may have gone on, or been left to a job.
            super::hold(&transaction).await?;
            if let Some(row) = Self::abandoned(&transaction, Some(row.operation)).await?.first() {
                close(&transaction, row, |entry| entry.by_server(self.server).outcome(Outcome::Abandoned)).await?;
                closed += 1;
            }
            transaction.commit().await?;
        }
        Ok(closed)
    }

    /// What nobody will close any more: all of it, or this operation, if it is one of them.
    async fn abandoned(on: &impl ConnectionTrait, one: Option<Uuid>) -> Result<Vec<audit_open::Model>, DbErr> {
        let now = database_now(on).await?;
        let live = server::Entity::find()
            .select_only()
            .column(server::Column::Id)
            .filter(server::Column::HeartbeatAt.gt(now - server::SILENT_FOR))
            .into_query();
        let unfinished = job::Entity::find()
            .select_only()
            .column(job::Column::Id)
            .filter(job::Column::FinishedAt.is_null())
            .into_query();
        let is_silent = Condition::all()
            .add(audit_open::Column::Server.is_not_null())
            .add(audit_open::Column::Server.not_in_subquery(live));
        let of_no_job = Condition::all()
            .add(audit_open::Column::JobId.is_null())
            .add(Condition::any().add(audit_open::Column::ExpiresAt.lt(now)).add(is_silent));
        let of_ended_job = Condition::all()
            .add(audit_open::Column::JobId.is_not_null())
            .add(audit_open::Column::JobId.not_in_subquery(unfinished));
        let mut found = audit_open::Entity::find().filter(Condition::any().add(of_no_job).add(of_ended_job));
        if let Some(operation) = one {
            found = found.filter(audit_open::Column::Operation.eq(operation));
        }
        found.limit(100).all(on).await
    }
}

impl OpenEntry {
    /// Where the opening entry is in the log.
    pub fn sequence(&self) -> i64 {
        self.sequence
    }

    /// Sets what the closing entry says beside what the opening one did.
    pub fn say(&mut self, change: impl FnOnce(Entry) -> Entry) {
        self.entry = change(self.entry.clone());
    }

    /// Closes the operation, in a transaction of its own.
    ///
    /// # Errors
    /// When the database fails; then the operation ends as failed, or, later, as abandoned.
    pub async fn close(mut self, outcome: Outcome) -> Result<(), DbErr> {
        let transaction = self.audit.store.begin().await?;
        self.append(&transaction, outcome).await?;
        transaction.commit().await?;
        self.is_closed = true;
        Ok(())
    }

    /// Closes as failed what was dropped, unless it is closed: the answer to an earlier attempt may have been lost.
    async fn close_dropped(self) -> Result<(), DbErr> {
        let transaction = self.audit.store.begin().await?;
        if take(&transaction, self.operation).await? {
            Audit::append(&transaction, self.entry.clone().detail(CUT).outcome(Outcome::Failed)).await?;
        }
        transaction.commit().await
    }

    /// Closes the operation in the transaction of what it does, and as the last thing in it. If the transaction is not
    /// committed after all, the operation ends as abandoned.
    ///
    /// # Errors
    /// When the database fails: the transaction must not be committed then.
    pub async fn close_within(mut self, on: &DatabaseTransaction, outcome: Outcome) -> Result<(), DbErr> {
        self.append(on, outcome).await?;
        self.is_closed = true;
        Ok(())
    }

    /// Leaves the operation to a job, in the transaction that makes it, and as the last thing in it.
    ///
    /// # Errors
    /// When the database fails: the transaction must not be committed then.
    pub async fn leave_to(mut self, on: &DatabaseTransaction, job: Uuid) -> Result<(), DbErr> {
        super::hold(on).await?;
        let left = audit_open::Entity::update_many()
            .col_expr(audit_open::Column::JobId, Expr::value(job))
            .filter(audit_open::Column::Operation.eq(self.operation));
        if left.exec(on).await?.rows_affected == 0 {
            // It was taken for abandoned meanwhile; the job is about to happen all the same, and its end is said.
            let row = audit_open::ActiveModel {
                operation: Set(self.operation),
                sequence: Set(self.sequence),
                server: Set(self.audit.server),
                job_id: Set(Some(job)),
                expires_at: Set(0),
            };
            audit_open::Entity::insert(row).exec_without_returning(on).await?;
        }
        self.is_closed = true;
        Ok(())
    }

    /// Says that it goes on: an operation that takes long does so each minute.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn goes_on(&self) -> Result<(), DbErr> {
        let on = self.audit.store.write();
        let until = database_now(on).await? + PATIENCE;
        audit_open::Entity::update_many()
            .col_expr(audit_open::Column::ExpiresAt, Expr::value(until))
            .filter(audit_open::Column::Operation.eq(self.operation))
            .exec(on)
            .await?;
        Ok(())
    }

    async fn append(&self, on: &DatabaseTransaction, outcome: Outcome) -> Result<(), DbErr> {
        // Also if it was taken for abandoned meanwhile: what has happened is said.
        take(on, self.operation).await?;
        Audit::append(on, self.entry.clone().outcome(outcome)).await?;
        Ok(())
    }
}

impl Drop for OpenEntry {
    fn drop(&mut self) {
        if self.is_closed {
            return;
        }
        // Whoever waited for it is gone. If the program ends before this is done, another server does it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let left = Self {
                audit: self.audit.clone(),
                operation: self.operation,
                sequence: self.sequence,
                entry: self.entry.clone(),
                is_closed: true,
            };
            runtime.spawn(async move {
                if let Err(error) = left.close_dropped().await {
                    tracing::warn!(event = "audit_not_written", %error, "an operation in the audit log is closed later");
                }
            });
        }
    }
}

/// Writes the closing entry from the opening one, unless somebody else was first.
async fn close(on: &DatabaseTransaction, open: &audit_open::Model, say: impl Fn(Entry) -> Entry) -> Result<(), DbErr> {
    if !take(on, open.operation).await? {
        return Ok(());
    }
    let opened = audit_entry::Entity::find_by_id(open.sequence).one(on).await?;
    let Some(opened) = opened.and_then(|row| Entry::again(&row)) else { return Ok(()) };
    Audit::append(on, say(opened)).await?;
    Ok(())
}

/// Takes the operation off the list; `false` if somebody else was first.
async fn take(on: &DatabaseTransaction, operation: Uuid) -> Result<bool, DbErr> {
    super::hold(on).await?;
    let taken = audit_open::Entity::delete_by_id(operation).exec(on).await?.rows_affected == 1;
    crate::crash::point("audit.closing");
    Ok(taken)
}
