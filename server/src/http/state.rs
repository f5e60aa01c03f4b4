//! The small question that open pages ask every few seconds: is data locked?

use super::{HttpState, principal::Watching};
use app::{model::lock::LockFace, ports::OrganizationPort};
use axum::{Json, extract::State};
use serde::Serialize;

/// What pages are told.
#[derive(Serialize)]
pub struct Answer {
    lock: Option<LockFace>,
}

/// Route: whether data is locked, and why.
pub async fn state(_: Watching, State(state): State<HttpState>) -> Json<Answer> {
    Json(Answer { lock: state.services.organization.lock() })
}
