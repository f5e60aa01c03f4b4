//! The figures for the operator's monitoring. They are served on a listener of their own and never beside the pages: what
//! asks for them does not sign in.

use crate::services::Services;
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All that the listener answers.
#[expect(clippy::disallowed_methods, reason = "a listener of its own, where nothing else may be")]
pub fn router(services: Services) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(services)
}

/// Route: every figure of this server.
async fn metrics(State(services): State<Services>) -> Result<impl IntoResponse, StatusCode> {
    let text = services.figures().await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(([(CONTENT_TYPE, OPEN_METRICS)], text))
}
