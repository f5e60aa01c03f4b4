//! The report of a job that is complete: what an auditor keeps.
//!
//! What must stay true: everything in it is read from the database as the job has left it; nothing is worked out that could
//! differ from what happened. It holds ids and amounts, no customer data.

use super::{
    access,
    encryption::Encryption,
    failure::Failure,
    job_set_aside::{self, Counted, total},
    people,
};
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
const PROOF_WITH_ITEMS: &str = "Items counted under set_aside_items, the first of which are listed, did not open and \
    were left as they are; their data keys are kept, wrapped by the root key in force. Nothing else names an old data key: in one transaction, in which every row and note that \
    names a kept data key was compared with all of them, the database deleted the data keys listed here as destroyed, which its \
    foreign keys forbid while anything names one.";
const NO_PROOF: &str = "This job ran under an earlier version, which did not record what it rewrote, nor which data keys it \
    destroyed.";
/// How many items set aside are listed.
const LISTED: u64 = 1_000;
/// What no job can reach.
const SQLITE: &str = "Content of the database file is overwritten when it is deleted (secure_delete). After the job, what its pages do \
    not use is overwritten too, and the write-ahead log is truncated as soon as nobody reads from it: the field \
    database_files_cleaned_at says when both were done. Blocks that the file system or the disk has put elsewhere, backups, snapshots and versions that a bucket keeps of objects that were made before are the operator's to destroy; what they hold is sealed under data keys that were wrapped \
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
    data: Recorded<DataDone>,
    /// How many items were set aside, and how many of them are listed.
    set_aside_items: i64,
    set_aside_listed: usize,
    set_aside: Vec<SetAsideLine>,
    data_keys: Recorded<DataKeyLine>,
    nothing_names_an_old_data_key: Statement,
    /// On `SQLite`, when its files held nothing any more that it had deleted; nothing until then, and on `PostgreSQL`.
    database_files_cleaned_at: Option<String>,
    outside_of_this_report: &'static str,
}

/// What a job has written down; an empty list would say that there was nothing.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Recorded<T> {
    Lines(Vec<T>),
    Not(&'static str),
}

impl<T> Recorded<T> {
    fn of(is_recorded: bool, lines: Vec<T>) -> Self {
        if is_recorded { Self::Lines(lines) } else { Self::Not("not recorded") }
    }
}

#[derive(Debug, Serialize)]
struct JobFacts {
    id: Uuid,
    kind: String,
    requested_by: String,
    requested_at: String,
    took_control_at: Option<String>,
    completed_at: Option<String>,
    /// Of a deletion, the activation that it has turned round; of an activation, the deletion that could not take control.
    came_out_of: Option<TurnedJob>,
}

#[derive(Debug, Serialize)]
struct TurnedJob {
    kind: String,
    requested_by: String,
    requested_at: String,
    took_control_at: Option<String>,
    /// Why it could not take control.
    failure: Option<String>,
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
    set_aside: i64,
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
    /// By when it was gone with its workspace, which somebody deleted during the job.
    gone_with_its_workspace_at: Option<String>,
}

#[derive(Debug, Serialize)]
struct Statement {
    /// Nothing if it cannot be told.
    holds: Option<bool>,
    how: &'static str,
}

impl Encryption {
    /// The report of a complete job, for administrators: it names workspaces, and what is in them, by their ids.
    ///
    /// # Errors
    /// [`ApiError::NotAllowed`] for everybody else; [`ApiError::NotFound`] if there is no such job, or it is not complete.
    pub async fn report(&self, who: &Principal, job: &str) -> Result<JobReport, ApiError> {
        self.write_report(who, job).await.map_err(|failure| self.tell(failure))
    }

    async fn write_report(&self, who: &Principal, job: &str) -> Result<JobReport, Failure> {
        access::administrator(who)?;
        let on = self.store.read();
        let id = Uuid::try_parse(job).map_err(|_| ApiError::NotFound)?;
        let job = job::Entity::find_by_id(id).one(on).await?.filter(|job| job.state == JobState::Complete);
        let job = job.ok_or(ApiError::NotFound)?;
        let root = house::root(on).await?;
        let names = people::names(on, job.requested_by.into_iter().chain(job.turned_by)).await?;
        let items = job_item::Entity::find().filter(job_item::Column::JobId.eq(id)).all(on).await?;
        let counts = job_set_aside::counts(on, id).await?;
        let aside = job_set_aside::first(on, id, None, LISTED).await?;
        let keys = job_key::Entity::find().filter(job_key::Column::JobId.eq(id));
        let keys = keys.order_by_asc(job_key::Column::Scope).order_by_asc(job_key::Column::At).all(on).await?;
        let came_out_of = job.turned_at.map(|at| turned(&job, at, people::name(&names, job.turned_by)));
        // Each job counts what there is before it rewrites anything.
        let is_recorded = !items.is_empty();
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
                came_out_of,
            },
            data: Recorded::of(is_recorded, items.iter().map(|row| data_done(row, &counts)).collect()),
            set_aside_items: total(&counts),
            set_aside_listed: aside.len(),
            set_aside: aside.into_iter().map(set_aside_line).collect(),
            data_keys: Recorded::of(is_recorded || !keys.is_empty(), keys.into_iter().map(data_key_line).collect()),
            nothing_names_an_old_data_key: statement(is_recorded, counts.is_empty()),
            database_files_cleaned_at: job.files_cleaned_at.map(moment),
            outside_of_this_report: match self.store.backend() {
                DbBackend::Postgres => POSTGRES,
                _ => SQLITE,
            },
        })
    }
}

fn statement(is_recorded: bool, is_clean: bool) -> Statement {
    match (is_recorded, is_clean) {
        (false, _) => Statement { holds: None, how: NO_PROOF },
        (true, true) => Statement { holds: Some(true), how: PROOF },
        (true, false) => Statement { holds: Some(false), how: PROOF_WITH_ITEMS },
    }
}

fn turned(job: &job::Model, at: i64, requested_by: String) -> TurnedJob {
    let kind = if job.kind == JobKind::Delete { JobKind::Activate } else { JobKind::Delete };
    TurnedJob {
        kind: kind.to_value(),
        requested_by,
        requested_at: moment(at),
        took_control_at: job.turned_control_at.map(moment),
        failure: job.failure.clone(),
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

fn data_done(row: &job_item::Model, aside: &[Counted]) -> DataDone {
    DataDone {
        kind: label(&row.kind).to_owned(),
        items: row.items_done,
        bytes_before_encryption: row.bytes_done,
        set_aside: total(aside.iter().filter(|counted| counted.item_table == row.kind)),
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
        gone_with_its_workspace_at: row.gone_at.map(moment),
    }
}
