//! The small question that open pages ask every few seconds: is data locked?

use super::{HttpState, errors::Refusal, principal::Watching};
use app::{model::lock::LockFace, ports::OrganizationPort};
use axum::{
    Json,
    extract::{Query, State},
};
use serde::{Deserialize, Serialize};

/// What a page shows.
#[derive(Deserialize)]
pub struct Question {
    /// The workspace whose page it is. Whoever is no member of it is told that it does not exist.
    workspace: Option<String>,
}

/// What pages are told.
#[derive(Serialize)]
pub struct Answer {
    lock: Option<LockFace>,
}

/// Route: whether the data that a page shows is locked, and why.
///
/// # Errors
/// Nobody is signed in, or the page is that of a workspace that does not exist for them.
pub async fn state(
    watching: Watching,
    State(state): State<HttpState>,
    Query(question): Query<Question>,
) -> Result<Json<Answer>, Refusal> {
    let organization = &state.services.organization;
    let lock = match &question.workspace {
        Some(workspace) => organization.lock_of(watching.who(), workspace).await?,
        None => organization.lock(),
    };
    Ok(Json(Answer { lock }))
}
