//! The row of a job: claiming it, keeping it, and writing to it only while it is ours.

use super::halt::Halt;
use crate::store::{
    Store, database_now,
    entities::job::{self, JobKind, JobStage, JobState},
};
use sea_orm::{
    ActiveEnum, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
    UpdateMany,
    sea_query::{Expr, ExprTrait},
};
use std::time::Duration;
use uuid::Uuid;

/// How long a server may be silent before another takes its job over; milliseconds.
const LEASE: i64 = 10_000;
/// How often the lease is renewed.
pub const RENEW_EVERY: Duration = Duration::from_secs(3);

/// What a batch has achieved, to be added to the row.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    pub keys: i64,
    pub records: i64,
    pub files: i64,
    pub bytes: i64,
}

/// A job that this server runs. All writing goes through it and tests the fencing token.
#[derive(Clone, Debug)]
pub struct Claim {
    pub job: job::Model,
}

/// The one unfinished job, if there is one.
pub async fn unfinished(on: &impl ConnectionTrait) -> Result<Option<job::Model>, DbErr> {
    job::Entity::find().filter(job::Column::State.is_in([JobState::Running, JobState::Paused])).one(on).await
}

/// The unfinished job, or else the last one.
pub async fn latest(on: &impl ConnectionTrait) -> Result<Option<job::Model>, DbErr> {
    if let Some(job) = unfinished(on).await? {
        return Ok(Some(job));
    }
    let newest = job::Entity::find().order_by_desc(job::Column::CreatedAt).order_by_desc(job::Column::Id);
    newest.one(on).await
}

/// Takes the unfinished job if nobody else holds it.
pub async fn claim(store: &Store, server: Uuid) -> Result<Option<Claim>, DbErr> {
    let Some(found) = unfinished(store.read()).await? else { return Ok(None) };
    let now = database_now(store.write()).await?;
    if found.owner.is_some() && found.lease_until > now {
        return Ok(None);
    }
    let taken = job::Entity::update_many()
        .col_expr(job::Column::Owner, Expr::value(server))
        .col_expr(job::Column::LeaseUntil, Expr::value(now + LEASE))
        .col_expr(job::Column::Fence, Expr::col(job::Column::Fence).add(1))
        .filter(job::Column::Id.eq(found.id))
        .filter(job::Column::Fence.eq(found.fence))
        .filter(job::Column::State.is_in([JobState::Running, JobState::Paused]))
        .exec(store.write())
        .await?;
    if taken.rows_affected == 0 {
        return Ok(None);
    }
    let job = job::Entity::find_by_id(found.id).one(store.write()).await?;
    Ok(job.filter(|job| job.fence == found.fence + 1).map(|job| Claim { job }))
}

/// Ends the unfinished job, if there is one, whoever runs it. Only under the lock of the house.
pub async fn abandon(transaction: &DatabaseTransaction, failure: &str) -> Result<(), DbErr> {
    let now = database_now(transaction).await?;
    job::Entity::update_many()
        .col_expr(job::Column::State, Expr::value(JobState::Failed.to_value()))
        .col_expr(job::Column::Failure, Expr::value(failure))
        .col_expr(job::Column::Waiting, Expr::value(Option::<String>::None))
        .col_expr(job::Column::FinishedAt, Expr::value(now))
        .col_expr(job::Column::Fence, Expr::col(job::Column::Fence).add(1))
        .filter(job::Column::State.is_in([JobState::Running, JobState::Paused]))
        .exec(transaction)
        .await?;
    Ok(())
}

impl Claim {
    /// An update of the row that only takes effect while the job is ours.
    fn update(&self) -> UpdateMany<job::Entity> {
        job::Entity::update_many()
            .filter(job::Column::Id.eq(self.job.id))
            .filter(job::Column::Fence.eq(self.job.fence))
            .filter(job::Column::State.is_in([JobState::Running, JobState::Paused]))
    }

    async fn apply(&self, on: &impl ConnectionTrait, update: UpdateMany<job::Entity>) -> Result<(), Halt> {
        if update.exec(on).await?.rows_affected == 1 { Ok(()) } else { Err(Halt::Lost) }
    }

    /// Keeps the job for another while.
    ///
    /// # Errors
    /// [`Halt::Lost`] if it is somebody else's.
    pub async fn renew(&self, store: &Store) -> Result<(), Halt> {
        let until = database_now(store.write()).await? + LEASE;
        self.apply(store.write(), self.update().col_expr(job::Column::LeaseUntil, Expr::value(until))).await
    }

    /// Hands the job back, so that another server need not wait for the lease to end.
    pub async fn release(&self, store: &Store) -> Result<(), Halt> {
        let update = self
            .update()
            .col_expr(job::Column::Owner, Expr::value(Option::<Uuid>::None))
            .col_expr(job::Column::LeaseUntil, Expr::value(0_i64));
        self.apply(store.write(), update).await
    }

    /// Adds to the counters and says that the job is running. Every transaction of the job calls this first: it is the
    /// test of the fencing token.
    ///
    /// # Errors
    /// [`Halt::Lost`] if the job is not ours any more: the transaction must not be committed then.
    pub async fn progress(&self, on: &impl ConnectionTrait, progress: Progress) -> Result<(), Halt> {
        let add = |column: job::Column, by: i64| (column, Expr::col(column).add(by));
        let mut update = running(self.update());
        for (column, sum) in [
            add(job::Column::KeysDone, progress.keys),
            add(job::Column::RecordsDone, progress.records),
            add(job::Column::FilesDone, progress.files),
            add(job::Column::BytesDone, progress.bytes),
        ] {
            update = update.col_expr(column, sum);
        }
        self.apply(on, update).await
    }

    /// Says how much there is to do.
    pub async fn totals(&self, on: &impl ConnectionTrait, left: Progress) -> Result<(), Halt> {
        let sum = |done: job::Column, left: i64| Expr::col(done).add(left);
        let update = running(self.update())
            .col_expr(job::Column::RecordsTotal, sum(job::Column::RecordsDone, left.records))
            .col_expr(job::Column::FilesTotal, sum(job::Column::FilesDone, left.files))
            .col_expr(job::Column::BytesTotal, sum(job::Column::BytesDone, left.bytes));
        self.apply(on, update).await
    }

    /// Says how many data keys stage 1 has to wrap, and how many it has prepared.
    pub async fn keys(&self, on: &impl ConnectionTrait, total: i64, done: i64) -> Result<(), Halt> {
        let update = self
            .update()
            .col_expr(job::Column::KeysTotal, Expr::value(total))
            .col_expr(job::Column::KeysDone, Expr::value(done));
        self.apply(on, update).await
    }

    /// The root key has changed: from here on the job re-encrypts.
    pub async fn took_control(&self, on: &impl ConnectionTrait, generation: i64, at: i64) -> Result<(), Halt> {
        let update = running(self.update())
            .col_expr(job::Column::Stage, Expr::value(JobStage::Reencrypt.to_value()))
            .col_expr(job::Column::Generation, Expr::value(generation))
            .col_expr(job::Column::ControlAt, Expr::value(at));
        self.apply(on, update).await
    }

    /// Moves on to another stage.
    pub async fn stage(&self, on: &impl ConnectionTrait, stage: JobStage) -> Result<(), Halt> {
        self.apply(on, running(self.update()).col_expr(job::Column::Stage, Expr::value(stage.to_value()))).await
    }

    /// Says what the job waits for.
    pub async fn pause(
        &self,
        on: &impl ConnectionTrait,
        waiting: &str,
        code: Option<String>,
        scope: Option<Uuid>,
    ) -> Result<(), Halt> {
        let update = self
            .update()
            .col_expr(job::Column::State, Expr::value(JobState::Paused.to_value()))
            .col_expr(job::Column::Waiting, Expr::value(waiting))
            .col_expr(job::Column::Code, Expr::value(code))
            .col_expr(job::Column::ProblemScope, Expr::value(scope));
        self.apply(on, update).await
    }

    /// Ends the job without having changed anything.
    pub async fn fail(
        &self,
        on: &impl ConnectionTrait,
        failure: &str,
        code: Option<String>,
        scope: Option<Uuid>,
    ) -> Result<(), Halt> {
        let now = database_now(on).await?;
        let update = self
            .update()
            .col_expr(job::Column::State, Expr::value(JobState::Failed.to_value()))
            .col_expr(job::Column::Failure, Expr::value(failure))
            .col_expr(job::Column::Waiting, Expr::value(Option::<String>::None))
            .col_expr(job::Column::Code, Expr::value(code))
            .col_expr(job::Column::ProblemScope, Expr::value(scope))
            .col_expr(job::Column::FinishedAt, Expr::value(now));
        self.apply(on, update).await
    }

    /// A deletion that came out of an activation cannot take control: it becomes the activation again that it was, whose root
    /// key is still in force, and re-encrypts under that.
    pub async fn turn_back(
        &self,
        on: &impl ConnectionTrait,
        failure: &str,
        code: Option<String>,
        scope: Option<Uuid>,
    ) -> Result<(), Halt> {
        let update = self
            .update()
            .col_expr(job::Column::Kind, Expr::value(JobKind::Activate.to_value()))
            .col_expr(job::Column::State, Expr::value(JobState::Running.to_value()))
            .col_expr(job::Column::Stage, Expr::value(JobStage::Reencrypt.to_value()))
            .col_expr(job::Column::FromArn, Expr::col(job::Column::ToArn))
            .col_expr(job::Column::ToArn, Expr::col(job::Column::FromArn))
            .col_expr(job::Column::ControlAt, Expr::col(job::Column::CreatedAt))
            .col_expr(job::Column::Failure, Expr::value(failure))
            .col_expr(job::Column::Code, Expr::value(code))
            .col_expr(job::Column::ProblemScope, Expr::value(scope))
            .col_expr(job::Column::Owner, Expr::value(Option::<Uuid>::None))
            .col_expr(job::Column::LeaseUntil, Expr::value(0_i64))
            .col_expr(job::Column::Fence, Expr::col(job::Column::Fence).add(1));
        self.apply(on, update).await
    }

    /// Ends the job: nothing is left. What people deleted or rewrote meanwhile was theirs, so the totals become what the
    /// job has done.
    pub async fn complete(&self, on: &impl ConnectionTrait) -> Result<(), Halt> {
        let now = database_now(on).await?;
        let same = |column: job::Column| Expr::col(column);
        let update = waiting_for_nothing(self.update(), JobState::Complete)
            .col_expr(job::Column::Stage, Expr::value(JobStage::Done.to_value()))
            .col_expr(job::Column::RecordsTotal, same(job::Column::RecordsDone))
            .col_expr(job::Column::FilesTotal, same(job::Column::FilesDone))
            .col_expr(job::Column::BytesTotal, same(job::Column::BytesDone))
            .col_expr(job::Column::FinishedAt, Expr::value(now));
        self.apply(on, update).await
    }
}

/// The job runs: it waits for nothing.
fn running(update: UpdateMany<job::Entity>) -> UpdateMany<job::Entity> {
    waiting_for_nothing(update, JobState::Running)
}

fn waiting_for_nothing(update: UpdateMany<job::Entity>, state: JobState) -> UpdateMany<job::Entity> {
    update
        .col_expr(job::Column::State, Expr::value(state.to_value()))
        .col_expr(job::Column::Waiting, Expr::value(Option::<String>::None))
        .col_expr(job::Column::Code, Expr::value(Option::<String>::None))
        .col_expr(job::Column::ProblemScope, Expr::value(Option::<Uuid>::None))
}
