//! The report of a job that is complete: what an auditor keeps.
//!
//! What must stay true: everything in it is read from the database as the job has left it; nothing is worked out that could
//! differ from what happened. It holds ids and amounts, no customer data.

use super::{access, encryption::Encryption, failure::Failure, people};
use crate::store::{
    entities::{
        job::{self, JobKind, JobState},
        job_item, job_key, set_aside,
    },
    house,
    sealed_tables::label,
};
use app::{model::error::ApiError, ports::Principal};
use sea_orm::{ActiveEnum, ColumnTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder};
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

/// What the report is called, with the version of its form.
const FORMAT: &str = "keystead re-encryption report, version 1";
/// How it was established that nothing is left.
const PROOF: &str = "Every row and every note about an object names the data key it is sealed under by a foreign key that \
    forbids to delete a data key which is still named. In one transaction the database deleted the retiring data keys listed \
    here as destroyed, so nothing named them. Objects that were replaced had been removed from the object store before. At \
    rest a data key exists in wrapped form only, in the row that was deleted; servers wipe it from memory at their next check.";
const PROOF_WITH_ITEMS: &str = "Items listed under set_aside did not open and were left as they are; their data keys are kept, \
    wrapped by the root key in force. Nothing else names an old data key: in one transaction, in which every row and note that \
    names a kept data key was compared with that list, the database deleted the data keys listed here as destroyed, which its \
    foreign keys forbid while anything names one.";
/// What no job can reach.
const SQLITE: &str = "Deleted content is overwritten (secure_delete), and the write-ahead log is truncated after the job, as \
    soon as nobody reads from it. Backups, snapshots and versions that a bucket keeps of objects that were made before are the operator's to destroy; what they hold is sealed under data keys that were wrapped \
    by the root key of that time.";
const POSTGRES: &str = "Dead tuples until they are vacuumed, the write-ahead log, replicas, backups, and versions that a bucket keeps \
    of replaced objects are the operator's. The old data keys exist in no live row, so what these places hold opens only with a copy of data_keys made before the end of \
    this job, and with the root key that wrapped it.";

/// The report of one job.
#[derive(Debug, Serialize)]
pub struct JobReport {
    format: &'static str,
    deployment: String,
    job: JobFacts,
    root_key: RootChange,
    seconds: Durations,
    data: Vec<DataDone>,
    set_aside: Vec<SetAsideLine>,
    data_keys: Vec<DataKeyLine>,
    nothing_names_an_old_data_key: Statement,
    outside_of_this_report: &'static str,
}

#[derive(Debug, Serialize)]
struct JobFacts {
    id: Uuid,
    kind: String,
    requested_by: String,
    requested_at: String,
    took_control_at: Option<String>,
    completed_at: Option<String>,
}

#[derive(Debug, Serialize)]
struct RootChange {
    before: String,
    after: String,
    /// The generation that the change of root key made; none for a retry, which changes none.
    generation: Option<i64>,
    /// The generation in force when the report was read.
    generation_now: i64,
}

#[derive(Debug, Serialize)]
struct Durations {
    until_control: Option<f64>,
    reencryption: Option<f64>,
    total: Option<f64>,
}

#[derive(Debug, Serialize)]
struct DataDone {
    kind: String,
    items: i64,
    bytes_before_encryption: i64,
    set_aside: usize,
}

#[derive(Debug, Serialize)]
struct SetAsideLine {
    kind: String,
    id: Uuid,
    scope: Uuid,
    data_key: Uuid,
    reason: String,
    at: String,
}

/// What was done with a data key, with the request ids that `CloudTrail` has.
#[derive(Debug, Serialize)]
struct DataKeyLine {
    id: Uuid,
    scope: Uuid,
    step: String,
    unwrapped_with_old_root: Option<String>,
    wrapped_with_new_root: Option<String>,
    unwrapped_with_new_root: Option<String>,
    destroyed_at: Option<String>,
}

#[derive(Debug, Serialize)]
struct Statement {
    holds: bool,
    how: &'static str,
}

impl Encryption {
    /// The report of a complete job. Members may read it.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] if there is no such job, or it is not complete.
    pub async fn report(&self, who: &Principal, job: &str) -> Result<JobReport, ApiError> {
        self.write_report(who, job).await.map_err(|failure| self.tell(failure))
    }

    async fn write_report(&self, who: &Principal, job: &str) -> Result<JobReport, Failure> {
        access::user_id(who)?;
        let on = self.store.read();
        let id = Uuid::try_parse(job).map_err(|_| ApiError::NotFound)?;
        let job = job::Entity::find_by_id(id).one(on).await?.filter(|job| job.state == JobState::Complete);
        let job = job.ok_or(ApiError::NotFound)?;
        let root = house::root(on).await?;
        let names = people::names(on, job.requested_by.into_iter()).await?;
        let items = job_item::Entity::find().filter(job_item::Column::JobId.eq(id)).all(on).await?;
        let aside = set_aside::Entity::find().filter(set_aside::Column::JobId.eq(id));
        let aside = aside.order_by_asc(set_aside::Column::ItemId).all(on).await?;
        let keys = job_key::Entity::find().filter(job_key::Column::JobId.eq(id));
        let keys = keys.order_by_asc(job_key::Column::Scope).order_by_asc(job_key::Column::At).all(on).await?;
        let is_clean = aside.is_empty();
        Ok(JobReport {
            format: FORMAT,
            deployment: root.deployment_id,
            seconds: durations(&job),
            root_key: RootChange {
                generation: (job.kind != JobKind::Retry).then_some(job.generation),
                generation_now: root.generation,
                before: job.from_arn,
                after: job.to_arn,
            },
            job: JobFacts {
                id,
                kind: job.kind.to_value(),
                requested_by: people::name(&names, job.requested_by),
                requested_at: moment(job.created_at),
                took_control_at: job.control_at.map(moment),
                completed_at: job.finished_at.map(moment),
            },
            data: items.iter().map(|row| data_done(row, &aside)).collect(),
            set_aside: aside.into_iter().map(set_aside_line).collect(),
            data_keys: keys.into_iter().map(data_key_line).collect(),
            nothing_names_an_old_data_key: Statement {
                holds: is_clean,
                how: if is_clean { PROOF } else { PROOF_WITH_ITEMS },
            },
            outside_of_this_report: match self.store.backend() {
                DbBackend::Postgres => POSTGRES,
                _ => SQLITE,
            },
        })
    }
}

fn durations(job: &job::Model) -> Durations {
    let control = job.control_at.filter(|_| job.kind != JobKind::Retry);
    Durations {
        until_control: control.map(|at| seconds(job.created_at, at)),
        reencryption: job.finished_at.map(|at| seconds(job.control_at.unwrap_or(job.created_at), at)),
        total: job.finished_at.map(|at| seconds(job.created_at, at)),
    }
}

#[allow(clippy::cast_precision_loss, reason = "milliseconds of a duration are far below 2^52")]
fn seconds(from: i64, to: i64) -> f64 {
    (to - from).max(0) as f64 / 1000.0
}

/// A time as RFC 3339 has it, in UTC.
fn moment(unix_ms: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(unix_ms) * 1_000_000);
    at.ok().and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default()
}

fn data_done(row: &job_item::Model, aside: &[set_aside::Model]) -> DataDone {
    DataDone {
        kind: label(&row.kind).to_owned(),
        items: row.items_done,
        bytes_before_encryption: row.bytes_done,
        set_aside: aside.iter().filter(|item| item.item_table == row.kind).count(),
    }
}

fn set_aside_line(row: set_aside::Model) -> SetAsideLine {
    SetAsideLine {
        kind: label(&row.item_table).to_owned(),
        id: row.item_id,
        scope: row.scope,
        data_key: row.data_key_id,
        reason: row.reason,
        at: moment(row.at),
    }
}

fn data_key_line(row: job_key::Model) -> DataKeyLine {
    DataKeyLine {
        id: row.data_key_id,
        scope: row.scope,
        step: row.step.to_value(),
        unwrapped_with_old_root: row.opened_by,
        wrapped_with_new_root: row.wrapped_by,
        unwrapped_with_new_root: row.checked_by,
        destroyed_at: row.destroyed_at.map(moment),
    }
}
