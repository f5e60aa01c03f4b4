//! A job's row as people see it.

use super::{
    failure::Failure,
    job_set_aside::{self, Counted, total},
    people, words,
};
use crate::{
    jobs::account,
    store::{
        entities::{
            job::{self, JobKind, JobStage, JobState},
            job_item, job_mark, set_aside,
        },
        sealed_tables::{OBJECTS, label},
    },
};
use app::model::{identity::Role, job as model};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::HashMap;
use uuid::Uuid;
use vault::Scope;

/// How many moments are shown of a job's way.
const MARKS: usize = 120;
/// How many items set aside are shown for each reason.
const LISTED: u64 = 20;

/// The job with some of its items set aside. `names` holds at least the name of who asked for it. Only administrators are told
/// ids of workspaces, and of what is in them; others, how many items there are.
pub async fn view(
    on: &impl ConnectionTrait,
    job: job::Model,
    names: &HashMap<Uuid, String>,
    role: Role,
) -> Result<model::JobView, Failure> {
    let count = i64::unsigned_abs;
    let is_told_ids = role == Role::Administrator;
    let counts = job_set_aside::counts(on, job.id).await?;
    let items = account::items_of(on, &job).await?;
    let (files, records): (Vec<_>, Vec<_>) = items.iter().partition(|row| row.kind == OBJECTS);
    let sum = |rows: &[&job_item::Model], of: fn(&job_item::Model) -> i64| count(rows.iter().map(|row| of(row)).sum());
    Ok(model::JobView {
        items: by_kind(&items, &counts),
        // Without a count of what there is, they are those of the job that this one came out of.
        marks: if items.is_empty() { Vec::new() } else { marks(on, job.id).await? },
        set_aside: grouped(on, job.id, &counts, is_told_ids).await?,
        may_retry: job.finished_at.is_some() && job_set_aside::is_kept(on).await?,
        id: job.id.to_string(),
        kind: kind(job.kind),
        state: state(job.state),
        stage: match job.stage {
            JobStage::Control => model::JobStage::Control,
            JobStage::Reencrypt => model::JobStage::Reencrypt,
            JobStage::Finish => model::JobStage::Finish,
            JobStage::Done => model::JobStage::Done,
        },
        waiting: job.waiting.as_deref().and_then(words::read),
        failure: job.failure.as_deref().and_then(words::read),
        code: job.code,
        scope: job.problem_scope.filter(|_| is_told_ids).map(|scope| scope.to_string()),
        from_arn: job.from_arn,
        to_arn: job.to_arn,
        requested_by: people::name(names, job.requested_by),
        created_at: job.created_at,
        control_at: job.control_at,
        finished_at: job.finished_at,
        keys_total: count(job.keys_total),
        keys_done: count(job.keys_done),
        paused_by: job.paused_by.map(|by| people::name(names, Some(by))),
        records_total: sum(&records, |row| row.items_total),
        records_done: sum(&records, |row| row.items_done),
        files_total: sum(&files, |row| row.items_total),
        files_done: sum(&files, |row| row.items_done),
        bytes_total: sum(&files, |row| row.bytes_total),
        bytes_done: sum(&files, |row| row.bytes_done),
    })
}

/// Jobs that have ended, as lines of a list: the first `limit` of them.
pub async fn summaries(
    on: &impl ConnectionTrait,
    jobs: Vec<job::Model>,
    limit: u64,
    names: &HashMap<Uuid, String>,
) -> Result<Vec<model::JobSummary>, Failure> {
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.id).collect();
    let items = items(on, &ids).await?;
    let aside: Vec<(Uuid, i64)> = set_aside::Entity::find()
        .select_only()
        .column(set_aside::Column::JobId)
        .column_as(set_aside::Column::Id.count(), "items")
        .filter(set_aside::Column::JobId.is_in(ids))
        .group_by(set_aside::Column::JobId)
        .into_tuple()
        .all(on)
        .await?;
    let aside: HashMap<Uuid, i64> = aside.into_iter().collect();
    let shown = jobs.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX));
    let summary = |job: job::Model| {
        let of_it = || items.iter().filter(|row| row.job_id == job.id);
        let is_object = |row: &&job_item::Model| row.kind == OBJECTS;
        let done = |row: &job_item::Model| row.items_done.unsigned_abs();
        Some(model::JobSummary {
            id: job.id.to_string(),
            kind: kind(job.kind),
            state: state(job.state),
            failure: job.failure.as_deref().and_then(words::read),
            requested_by: people::name(names, job.requested_by),
            created_at: job.created_at,
            finished_at: job.finished_at?,
            records: of_it().filter(|row| !is_object(row)).map(done).sum(),
            files: of_it().filter(is_object).map(done).sum(),
            bytes: of_it().map(|row| row.bytes_done.unsigned_abs()).sum(),
            set_aside: aside.get(&job.id).copied().unwrap_or_default().unsigned_abs(),
        })
    };
    Ok(shown.filter_map(summary).collect())
}

fn kind(kind: JobKind) -> model::JobKind {
    match kind {
        JobKind::Activate => model::JobKind::Activate,
        JobKind::Delete => model::JobKind::Delete,
        JobKind::Retry => model::JobKind::Retry,
    }
}

fn state(state: JobState) -> model::JobState {
    match state {
        JobState::Running => model::JobState::Running,
        JobState::Paused => model::JobState::Paused,
        JobState::Complete => model::JobState::Complete,
        JobState::Failed => model::JobState::Failed,
    }
}

async fn items(on: &impl ConnectionTrait, jobs: &[Uuid]) -> Result<Vec<job_item::Model>, Failure> {
    let of_them = job_item::Entity::find().filter(job_item::Column::JobId.is_in(jobs.iter().copied()));
    Ok(of_them.order_by_asc(job_item::Column::Kind).all(on).await?)
}

/// One line for each kind of data.
fn by_kind(items: &[job_item::Model], set_aside: &[Counted]) -> Vec<model::JobItems> {
    let line = |row: &job_item::Model| model::JobItems {
        kind: label(&row.kind).to_owned(),
        total: row.items_total.unsigned_abs(),
        done: row.items_done.unsigned_abs(),
        bytes_total: row.bytes_total.unsigned_abs(),
        bytes_done: row.bytes_done.unsigned_abs(),
        set_aside: total(set_aside.iter().filter(|counted| counted.item_table == row.kind)).unsigned_abs(),
    };
    items.iter().map(line).collect()
}

/// Evenly chosen moments of a job's way, with the first and the last.
async fn marks(on: &impl ConnectionTrait, job: Uuid) -> Result<Vec<model::JobMark>, Failure> {
    let of_it = job_mark::Entity::find().filter(job_mark::Column::JobId.eq(job));
    let all = of_it.order_by_asc(job_mark::Column::At).all(on).await?;
    let step = all.len().div_ceil(MARKS).max(1);
    // Counted from the end, so that the last is among them.
    let mut chosen: Vec<_> = all.iter().rev().step_by(step).collect();
    chosen.reverse();
    let mark = |row: &job_mark::Model| model::JobMark {
        at: row.at,
        items: row.items_done.unsigned_abs(),
        bytes: row.bytes_done.unsigned_abs(),
    };
    Ok(chosen.into_iter().map(mark).collect())
}

/// The reasons for which a job has set items aside, each with the first of them if ids may be told.
async fn grouped(
    on: &impl ConnectionTrait,
    job: Uuid,
    counts: &[Counted],
    is_told_ids: bool,
) -> Result<Vec<model::SetAside>, Failure> {
    let mut groups = Vec::new();
    // They come in the order of their reasons.
    for of_reason in counts.chunk_by(|one, next| one.reason == next.reason) {
        let word = &of_reason[0].reason;
        let Some(reason) = words::read(word) else { continue };
        let listed_at_most = if is_told_ids { LISTED } else { 0 };
        let first = job_set_aside::first(on, job, Some(word), listed_at_most).await?;
        let listed = first.iter().map(listed).collect();
        groups.push(model::SetAside { reason, items: total(of_reason).unsigned_abs(), listed });
    }
    Ok(groups)
}

fn listed(item: &set_aside::Model) -> model::SetAsideItem {
    model::SetAsideItem {
        kind: label(&item.item_table).to_owned(),
        id: item.item_id.to_string(),
        workspace: (item.scope != Scope::Organization.as_uuid())
            .then_some(item.scope)
            .or_else(|| (item.item_table == "workspaces").then_some(item.item_id))
            .map(|id| id.to_string()),
    }
}
