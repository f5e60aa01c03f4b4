//! What load balancers and process managers ask.

use super::{HttpState, errors::Plain};
use app::ports::OrganizationPort;
use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// Route: the process runs. Locked data does not make it ill.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Route: the server can answer people, which it can as soon as it knows whether data is locked.
pub async fn readyz(State(state): State<HttpState>) -> Response {
    if !state.services.answered() {
        let plain = Extension(Plain);
        return (StatusCode::SERVICE_UNAVAILABLE, plain, "starting: no key check has been answered yet\n")
            .into_response();
    }
    match state.services.organization.lock() {
        None => "ready: open\n".into_response(),
        Some(face) => format!("ready: locked: {}\n", face.cause.badge()).into_response(),
    }
}
