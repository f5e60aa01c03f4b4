//! A job's row as people see it.

use super::{failure::Failure, people, words};
use crate::store::entities::{
    job::{self, JobKind, JobStage, JobState},
    set_aside,
};
use app::model::job as model;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use std::collections::HashMap;
use uuid::Uuid;

/// The job with its items set aside. `names` holds at least the name of who asked for it.
pub async fn view(
    on: &impl ConnectionTrait,
    job: job::Model,
    names: &HashMap<Uuid, String>,
) -> Result<model::JobView, Failure> {
    let count = i64::unsigned_abs;
    Ok(model::JobView {
        set_aside: set_aside(on, job.id).await?,
        id: job.id.to_string(),
        kind: match job.kind {
            JobKind::Activate => model::JobKind::Activate,
            JobKind::Delete => model::JobKind::Delete,
        },
        state: match job.state {
            JobState::Running => model::JobState::Running,
            JobState::Paused => model::JobState::Paused,
            JobState::Complete => model::JobState::Complete,
            JobState::Failed => model::JobState::Failed,
        },
        stage: match job.stage {
            JobStage::Control => model::JobStage::Control,
            JobStage::Reencrypt => model::JobStage::Reencrypt,
            JobStage::Finish => model::JobStage::Finish,
            JobStage::Done => model::JobStage::Done,
        },
        waiting: job.waiting.as_deref().and_then(words::read),
        failure: job.failure.as_deref().and_then(words::read),
        code: job.code,
        scope: job.problem_scope.map(|scope| scope.to_string()),
        from_arn: job.from_arn,
        to_arn: job.to_arn,
        requested_by: people::name(names, job.requested_by),
        created_at: job.created_at,
        control_at: job.control_at,
        finished_at: job.finished_at,
        keys_total: count(job.keys_total),
        keys_done: count(job.keys_done),
        records_total: count(job.records_total),
        records_done: count(job.records_done),
        files_total: count(job.files_total),
        files_done: count(job.files_done),
        bytes_total: count(job.bytes_total),
        bytes_done: count(job.bytes_done),
    })
}

async fn set_aside(on: &impl ConnectionTrait, job: Uuid) -> Result<Vec<model::SetAside>, Failure> {
    let query = set_aside::Entity::find()
        .select_only()
        .column(set_aside::Column::Reason)
        .column_as(set_aside::Column::Id.count(), "items")
        .filter(set_aside::Column::JobId.eq(job))
        .group_by(set_aside::Column::Reason);
    let rows: Vec<(String, i64)> = query.into_tuple().all(on).await?;
    let known = rows.into_iter().filter_map(|(reason, items)| {
        Some(model::SetAside { reason: words::read(&reason)?, items: items.unsigned_abs() })
    });
    Ok(known.collect())
}
