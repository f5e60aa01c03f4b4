//! Lets what can wait know that somebody is here.

use super::HttpState;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

/// Notes that a request has come in.
pub async fn notice(State(state): State<HttpState>, request: Request, next: Next) -> Response {
    state.services.requests.came_in();
    next.run(request).await
}
