//! What a job accounts for while it runs: how much of each kind of data there is and is done, how far it was when, and by which
//! answers of KMS it came by its data keys.
//!
//! What must stay true: what is done is added in the transaction that did it, so the account is never ahead of the data nor
//! behind it, whatever is killed when. The row of the job is taken before what belongs to it, here as in turning it round, so
//! that nobody waits in a circle.

use super::{halt::Halt, queue::Claim};
use crate::store::{
    Store, database_now,
    entities::{
        data_key,
        job::{self, JobStage},
        job_item, job_key, job_mark,
    },
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, ExprTrait, OnConflict, Query},
};
use uuid::Uuid;

/// The shortest time between two marks; milliseconds.
pub const MARK_EVERY: u32 = 2_000;
/// Of an older job, they are this part of its age apart.
const MARKS_IN_AN_AGE: i64 = 100;
/// Rows in one statement: databases take a bounded number of values.
const ROWS: usize = 500;

/// An amount of one kind of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// The table.
    pub kind: &'static str,
    pub items: i64,
    /// Before encryption.
    pub bytes: i64,
}

/// What a job has done, or has to do, of all kinds together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    pub items: i64,
    pub bytes: i64,
}

impl Claim {
    /// Says how much there is still to do: the total is that and what is done.
    pub async fn left(&self, on: &impl ConnectionTrait, left: &[Amount]) -> Result<(), Halt> {
        self.hold(on).await?;
        let plus = |done: job_item::Column, left: i64| Expr::col((job_item::Entity, done)).add(left);
        for Amount { kind, items, bytes } in left {
            let total = OnConflict::columns([job_item::Column::JobId, job_item::Column::Kind])
                .value(job_item::Column::ItemsTotal, plus(job_item::Column::ItemsDone, *items))
                .value(job_item::Column::BytesTotal, plus(job_item::Column::BytesDone, *bytes))
                .to_owned();
            let row = job_item::ActiveModel {
                job_id: Set(self.job.id),
                kind: Set((*kind).to_owned()),
                items_total: Set(*items),
                items_done: Set(0),
                bytes_total: Set(*bytes),
                bytes_done: Set(0),
            };
            job_item::Entity::insert(row).on_conflict(total).exec_without_returning(on).await?;
        }
        Ok(())
    }

    /// Adds to what is done, and tests that the job is still ours.
    ///
    /// # Errors
    /// [`Halt::Lost`] if it is not.
    pub async fn done(&self, on: &impl ConnectionTrait, done: Amount) -> Result<(), Halt> {
        self.hold(on).await?;
        let add = |column: job_item::Column, by: i64| Expr::col(column).add(by);
        job_item::Entity::update_many()
            .col_expr(job_item::Column::ItemsDone, add(job_item::Column::ItemsDone, done.items))
            .col_expr(job_item::Column::BytesDone, add(job_item::Column::BytesDone, done.bytes))
            .filter(job_item::Column::JobId.eq(self.job.id))
            .filter(job_item::Column::Kind.eq(done.kind))
            .exec(on)
            .await?;
        Ok(())
    }

    /// The totals become what the job has done: what people deleted or rewrote meanwhile was theirs.
    pub async fn settle(&self, on: &impl ConnectionTrait) -> Result<(), DbErr> {
        job_item::Entity::update_many()
            .col_expr(job_item::Column::ItemsTotal, Expr::col(job_item::Column::ItemsDone))
            .col_expr(job_item::Column::BytesTotal, Expr::col(job_item::Column::BytesDone))
            .filter(job_item::Column::JobId.eq(self.job.id))
            .exec(on)
            .await?;
        Ok(())
    }

    /// Notes how far the job is, unless the last mark is recent enough.
    ///
    /// # Errors
    /// [`Halt::Lost`] if the job is not ours any more: then nothing is noted.
    pub async fn mark(&self, store: &Store) -> Result<(), Halt> {
        let now = database_now(store.read()).await?;
        let last = job_mark::Entity::find()
            .filter(job_mark::Column::JobId.eq(self.job.id))
            .order_by_desc(job_mark::Column::At)
            .one(store.read())
            .await?;
        let apart = Ord::max(i64::from(MARK_EVERY), now.saturating_sub(self.job.created_at) / MARKS_IN_AN_AGE);
        if last.is_some_and(|last| now - last.at < apart) {
            return Ok(());
        }
        let transaction = store.begin().await?;
        self.fenced(&transaction).await?;
        let Sum { items, bytes } = sum_of(&transaction, self.job.id).await?;
        let mark = job_mark::ActiveModel {
            job_id: Set(self.job.id),
            at: Set(now),
            items_done: Set(items),
            bytes_done: Set(bytes),
        };
        let once = OnConflict::columns([job_mark::Column::JobId, job_mark::Column::At]).do_nothing().to_owned();
        job_mark::Entity::insert(mark).on_conflict(once).try_insert().exec_without_returning(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Notes by which answers of KMS data keys came to be in force.
    pub async fn keys_by(&self, on: &impl ConnectionTrait, keys: Vec<job_key::ActiveModel>) -> Result<(), DbErr> {
        // A job that was turned round wraps the same data key again.
        let anew = OnConflict::columns([job_key::Column::JobId, job_key::Column::DataKeyId])
            .update_columns([
                job_key::Column::Step,
                job_key::Column::OpenedBy,
                job_key::Column::WrappedBy,
                job_key::Column::CheckedBy,
                job_key::Column::At,
            ])
            .to_owned();
        for some in keys.chunks(ROWS) {
            job_key::Entity::insert_many(some.to_vec()).on_conflict(anew.clone()).exec_without_returning(on).await?;
        }
        Ok(())
    }

    /// Notes that data keys were destroyed, in the transaction that does it.
    pub async fn destroyed(&self, on: &impl ConnectionTrait, keys: &[(Uuid, Uuid)], now: i64) -> Result<(), DbErr> {
        let gone = OnConflict::columns([job_key::Column::JobId, job_key::Column::DataKeyId])
            .update_column(job_key::Column::DestroyedAt)
            .to_owned();
        for some in keys.chunks(ROWS) {
            let rows = some.iter().map(|(id, scope)| job_key::ActiveModel {
                job_id: Set(self.job.id),
                data_key_id: Set(*id),
                scope: Set(*scope),
                step: Set(job_key::JobKeyStep::Found),
                opened_by: Set(None),
                wrapped_by: Set(None),
                checked_by: Set(None),
                at: Set(now),
                destroyed_at: Set(Some(now)),
                gone_at: Set(None),
            });
            job_key::Entity::insert_many(rows).on_conflict(gone.clone()).exec_without_returning(on).await?;
        }
        Ok(())
    }

    /// Notes which of the job's data keys have gone with their workspaces: nobody destroyed them because nothing named them.
    pub async fn gone(&self, on: &impl ConnectionTrait, now: i64) -> Result<(), DbErr> {
        let there = Query::select()
            .expr(Expr::val(1))
            .from(data_key::Entity)
            .and_where(
                Expr::col((data_key::Entity, data_key::Column::Id))
                    .equals((job_key::Entity, job_key::Column::DataKeyId)),
            )
            .take();
        job_key::Entity::update_many()
            .col_expr(job_key::Column::GoneAt, Expr::value(now))
            .filter(job_key::Column::JobId.eq(self.job.id))
            .filter(job_key::Column::DestroyedAt.is_null())
            .filter(Expr::exists(there).not())
            .exec(on)
            .await?;
        Ok(())
    }
}

/// What a job has done of all kinds of data.
pub async fn sum_of(on: &impl ConnectionTrait, job: Uuid) -> Result<Sum, DbErr> {
    let items = job_item::Entity::find().filter(job_item::Column::JobId.eq(job)).all(on).await?;
    Ok(items.iter().fold(Sum::default(), |sum, kind| Sum {
        items: sum.items + kind.items_done,
        bytes: sum.bytes + kind.bytes_done,
    }))
}

/// How much of each kind of data a job has rewritten. While one that was turned round has not taken control, what is accounted
/// for is that of the job it came out of.
pub async fn items_of(on: &impl ConnectionTrait, job: &job::Model) -> Result<Vec<job_item::Model>, DbErr> {
    if job.stage == JobStage::Control {
        return Ok(Vec::new());
    }
    let of_it = job_item::Entity::find().filter(job_item::Column::JobId.eq(job.id));
    of_it.order_by_asc(job_item::Column::Kind).all(on).await
}

/// Forgets what a job has accounted for: it was turned round, takes control, and begins anew.
pub async fn begin_anew(on: &impl ConnectionTrait, job: Uuid) -> Result<(), DbErr> {
    job_item::Entity::delete_many().filter(job_item::Column::JobId.eq(job)).exec(on).await?;
    job_mark::Entity::delete_many().filter(job_mark::Column::JobId.eq(job)).exec(on).await?;
    job_key::Entity::delete_many().filter(job_key::Column::JobId.eq(job)).exec(on).await?;
    Ok(())
}
