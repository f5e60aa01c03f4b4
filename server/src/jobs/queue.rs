//! The row of a job: claiming it, keeping it, and writing to it only while it is ours.
//!
//! What must stay true: whoever takes a job from another, turns it round or pauses it makes the fencing token grow, and every
//! transaction of whoever runs it tests that token: so one that stalls past its lease does no harm when it wakes.

use super::halt::Halt;
use crate::{
    services::{
        audit::{Action, Audit, Entry, Object, Outcome},
        words,
    },
    store::{
        Store, database_now,
        entities::{
            job::{self, JobKind, JobStage, JobState},
            job_key::{self, JobKeyStep},
            user,
        },
    },
};
use app::model::job::{JobFailure, PauseReason};
use sea_orm::{
    ActiveEnum, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, UpdateMany,
    sea_query::{Expr, ExprTrait, Func, Query},
};
use std::time::Duration;
use uuid::Uuid;

/// How long a server may be silent before another takes its job over; milliseconds.
const LEASE: i64 = 10_000;
/// How often the lease is renewed.
pub const RENEW_EVERY: Duration = Duration::from_secs(3);

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

/// Jobs that have ended, newest first.
pub async fn ended(on: &impl ConnectionTrait, limit: u64) -> Result<Vec<job::Model>, DbErr> {
    let ended = job::Entity::find().filter(job::Column::FinishedAt.is_not_null());
    ended.order_by_desc(job::Column::CreatedAt).order_by_desc(job::Column::Id).limit(limit).all(on).await
}

/// Takes the unfinished job if nobody else holds it.
pub async fn claim(store: &Store, server: Uuid) -> Result<Option<Claim>, DbErr> {
    let Some(found) = unfinished(store.read()).await?.filter(|job| !is_paused_by_a_person(job)) else {
        return Ok(None);
    };
    let now = database_now(store.write()).await?;
    if found.owner.is_some() && found.lease_until > now {
        return Ok(None);
    }
    crate::crash::point("claim.before");
    let taken = job::Entity::update_many()
        .col_expr(job::Column::Owner, Expr::value(server))
        .col_expr(job::Column::LeaseUntil, Expr::value(now + LEASE))
        .col_expr(job::Column::Fence, Expr::col(job::Column::Fence).add(1))
        .filter(job::Column::Id.eq(found.id))
        .filter(job::Column::Fence.eq(found.fence))
        .filter(job::Column::State.is_in([JobState::Running, JobState::Paused]))
        .exec(store.write())
        .await?;
    crate::crash::point("claim.after");
    if taken.rows_affected == 0 {
        return Ok(None);
    }
    let job = job::Entity::find_by_id(found.id).one(store.write()).await?;
    Ok(job.filter(|job| job.fence == found.fence + 1).map(|job| Claim { job }))
}

/// Whether it waits for an administrator to resume it.
pub fn is_paused_by_a_person(job: &job::Model) -> bool {
    job.waiting.as_deref().and_then(words::read) == Some(PauseReason::Administrator)
}

/// Pauses the unfinished job for as long as an administrator wants; `false` if there is none that was not paused so. Whoever
/// runs it loses it, and what is under way there is rolled back.
pub async fn pause_by(on: &impl ConnectionTrait, user: Uuid) -> Result<bool, DbErr> {
    let word = words::write(PauseReason::Administrator);
    let now = database_now(on).await?;
    let not_yet = Condition::any().add(job::Column::Waiting.is_null()).add(job::Column::Waiting.ne(word.as_str()));
    crate::crash::point("pause.before");
    let paused = job::Entity::update_many()
        .col_expr(job::Column::State, Expr::value(JobState::Paused.to_value()))
        .col_expr(job::Column::Waiting, Expr::value(word))
        .col_expr(job::Column::Code, Expr::value(Option::<String>::None))
        .col_expr(job::Column::ProblemScope, Expr::value(Option::<Uuid>::None))
        .col_expr(job::Column::PausedBy, Expr::value(user))
        .col_expr(job::Column::PausedAt, Expr::value(now))
        .col_expr(job::Column::Owner, Expr::value(Option::<Uuid>::None))
        .col_expr(job::Column::LeaseUntil, Expr::value(0_i64))
        .col_expr(job::Column::Fence, Expr::col(job::Column::Fence).add(1))
        .filter(job::Column::State.is_in([JobState::Running, JobState::Paused]))
        .filter(not_yet)
        .exec(on)
        .await?;
    crate::crash::point("pause.after");
    Ok(paused.rows_affected == 1)
}

/// Lets the job go on that an administrator has paused; `false` if none is.
pub async fn resume(on: &impl ConnectionTrait) -> Result<bool, DbErr> {
    crate::crash::point("resume.before");
    let resumed = running(job::Entity::update_many())
        .filter(job::Column::State.eq(JobState::Paused))
        .filter(job::Column::Waiting.eq(words::write(PauseReason::Administrator)))
        .exec(on)
        .await?;
    crate::crash::point("resume.after");
    Ok(resumed.rows_affected == 1)
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

    /// Says that the job is running, and tests the fencing token: every transaction of the job calls this.
    ///
    /// # Errors
    /// [`Halt::Lost`] if the job is not ours any more: the transaction must not be committed then.
    pub async fn hold(&self, on: &impl ConnectionTrait) -> Result<(), Halt> {
        // Something has to be set, and what is set here is so already, unless the job was waiting.
        self.apply(on, running(self.update())).await
    }

    /// Tests the fencing token, and leaves the job as it is. Nobody else can take the job until the transaction ends.
    ///
    /// # Errors
    /// [`Halt::Lost`] if the job is not ours any more: the transaction must not be committed then.
    pub async fn fenced(&self, transaction: &DatabaseTransaction) -> Result<(), Halt> {
        self.apply(transaction, self.update().col_expr(job::Column::Fence, Expr::value(self.job.fence))).await
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
    /// key is still in force, and re-encrypts under that. Its account was left as it was; what the deletion was is kept, too.
    pub async fn turn_back(
        &self,
        on: &impl ConnectionTrait,
        failure: &str,
        code: Option<String>,
        scope: Option<Uuid>,
    ) -> Result<(), Halt> {
        let its = |column| Expr::col((job::Entity, column));
        let or_now = |column| Expr::from(Func::coalesce([its(column), its(job::Column::CreatedAt)]));
        // Who asked for the activation may not be here any more.
        let asked_by = Query::select()
            .column((user::Entity, user::Column::Id))
            .from(user::Entity)
            .and_where(Expr::col((user::Entity, user::Column::Id)).equals((job::Entity, job::Column::TurnedBy)))
            .take();
        let rewrapped = Query::select()
            .expr(Expr::col((job_key::Entity, job_key::Column::DataKeyId)).count())
            .from(job_key::Entity)
            .and_where(Expr::col((job_key::Entity, job_key::Column::JobId)).eq(self.job.id))
            .and_where(Expr::col((job_key::Entity, job_key::Column::Step)).eq(JobKeyStep::Rewrapped.to_value()))
            .take();
        let update = self
            .update()
            .col_expr(job::Column::RequestedBy, Expr::from(asked_by))
            .col_expr(job::Column::CreatedAt, or_now(job::Column::TurnedAt))
            .col_expr(job::Column::ControlAt, or_now(job::Column::TurnedControlAt))
            .col_expr(job::Column::TurnedBy, its(job::Column::RequestedBy))
            .col_expr(job::Column::TurnedAt, its(job::Column::CreatedAt))
            .col_expr(job::Column::TurnedControlAt, Expr::value(Option::<i64>::None))
            .col_expr(job::Column::KeysTotal, Expr::from(rewrapped.clone()))
            .col_expr(job::Column::KeysDone, Expr::from(rewrapped))
            .col_expr(job::Column::Waiting, Expr::value(Option::<String>::None))
            .col_expr(job::Column::Kind, Expr::value(JobKind::Activate.to_value()))
            .col_expr(job::Column::State, Expr::value(JobState::Running.to_value()))
            .col_expr(job::Column::Stage, Expr::value(JobStage::Reencrypt.to_value()))
            .col_expr(job::Column::FromArn, Expr::col(job::Column::ToArn))
            .col_expr(job::Column::ToArn, Expr::col(job::Column::FromArn))
            .col_expr(job::Column::Failure, Expr::value(failure))
            .col_expr(job::Column::Code, Expr::value(code))
            .col_expr(job::Column::ProblemScope, Expr::value(scope))
            .col_expr(job::Column::Owner, Expr::value(Option::<Uuid>::None))
            .col_expr(job::Column::LeaseUntil, Expr::value(0_i64))
            .col_expr(job::Column::Fence, Expr::col(job::Column::Fence).add(1));
        self.apply(on, update).await
    }

    /// Ends the job: nothing is left.
    pub async fn complete(&self, on: &impl ConnectionTrait) -> Result<(), Halt> {
        let now = database_now(on).await?;
        let update = waiting_for_nothing(self.update(), JobState::Complete)
            .col_expr(job::Column::Stage, Expr::value(JobStage::Done.to_value()))
            .col_expr(job::Column::FinishedAt, Expr::value(now));
        self.apply(on, update).await
    }
}

impl Claim {
    /// Says in the audit log that the job has ended, and closes what it went on with. The last thing in the transaction in
    /// which it ends.
    pub async fn ended(
        &self,
        transaction: &DatabaseTransaction,
        outcome: Outcome,
        failure: Option<JobFailure>,
    ) -> Result<(), Halt> {
        Audit::close_for_job(transaction, self.job.id, outcome, |entry| entry.detail(failure)).await?;
        let entry = Entry::by_system(Action::JobEnded).on(&Object::Job(self.job.id)).key(&self.job.to_arn, None);
        let entry = entry.outcome(outcome).by_server(self.job.owner).detail(failure);
        Audit::append(transaction, entry).await?;
        Ok(())
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
        .col_expr(job::Column::PausedBy, Expr::value(Option::<Uuid>::None))
        .col_expr(job::Column::PausedAt, Expr::value(Option::<i64>::None))
}
