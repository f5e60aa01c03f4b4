//! The small question that open pages ask every few seconds: is data locked?

use super::{HttpState, principal::Watching};
use app::{model::lock::LockFace, ports::OrganizationPort};
use axum::{
    Json,
    extract::{Query, State},
};
use serde::{Deserialize, Serialize};

/// What a page shows.
#[derive(Deserialize)]
pub struct Question {
    /// The workspace whose page it is. One that does not exist is never locked alone, so nothing is told of which exist.
    workspace: Option<String>,
}

/// What pages are told.
#[derive(Serialize)]
pub struct Answer {
    lock: Option<LockFace>,
}

/// Route: whether the data that a page shows is locked, and why.
pub async fn state(_: Watching, State(state): State<HttpState>, Query(question): Query<Question>) -> Json<Answer> {
    let organization = &state.services.organization;
    let lock = match &question.workspace {
        Some(workspace) => organization.lock_of(workspace),
        None => organization.lock(),
    };
    Json(Answer { lock })
}
