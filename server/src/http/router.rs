//! Every route of the program, in one place. The pages and server functions are listed by `app` itself.

use super::{
    HttpState, assets, download, errors, events, health, job_report, key_policy, outgoing, pages, request_log,
    security, state, upload,
};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware::{from_fn, from_fn_with_state},
    routing::{get, post},
};
use std::time::Duration;
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer, csrf::CsrfLayer, limit::RequestBodyLimitLayer, request_id::PropagateRequestIdLayer,
    request_id::SetRequestIdLayer, timeout::TimeoutLayer,
};

/// The largest request body, except for uploads. A note of 256 KiB, percent-encoded by a form, fits.
const BODY_BYTES: usize = 1024 * 1024;
/// How long a request may take, except for uploads, downloads and events.
const TIME: Duration = Duration::from_secs(30);

/// Builds the router. Also what the tests drive.
pub fn router(state: HttpState) -> Router {
    // Whatever may open data has its answers tied to the lease.
    let carry = || from_fn_with_state(state.clone(), outgoing::carry);
    let opening = pages::routes(&state).fallback(pages::fallback).layer(carry());
    let short = Router::new()
        .route("/state", get(state::state))
        .route("/settings/data-encryption/jobs/{job}/report", get(job_report::job_report))
        .route("/settings/data-encryption/key-policy/{format}", get(key_policy::key_policy))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route(&format!("/{}/{{file}}", state.assets.folder()), get(assets::built))
        .merge(opening)
        .method_not_allowed_fallback(errors::method_not_allowed)
        .layer(
            ServiceBuilder::new()
                .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, TIME))
                .layer(RequestBodyLimitLayer::new(BODY_BYTES)),
        );
    let long = Router::new()
        .route("/workspaces/{id}/files", post(upload::upload))
        .route("/workspaces/{id}/files/{file}", get(download::download))
        .layer(carry())
        .route("/settings/data-encryption/events", get(events::events))
        .layer(DefaultBodyLimit::disable());

    // The first is the outermost: it sees the request first and the answer last.
    let around = ServiceBuilder::new()
        .layer(from_fn(request_log::check_id))
        .layer(SetRequestIdLayer::x_request_id(request_log::NewId(state.services.vault.clone())))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(from_fn(request_log::log))
        .layer(from_fn_with_state(state.clone(), security::headers))
        .layer(from_fn_with_state(state.clone(), errors::faces))
        .layer(CatchPanicLayer::custom(errors::Panicked))
        .layer(same_site(&state))
        .layer(state.sessions.layer(state.public_url.is_https()));
    short.merge(long).layer(around).with_state(state)
}

/// Refuses requests that change something and come from another site. A proxy may have changed the `Host` header, so the
/// public origin is named too.
fn same_site(state: &HttpState) -> CsrfLayer<errors::CrossSite> {
    let layer = CsrfLayer::new().with_rejection_response(errors::CrossSite);
    match layer.clone().add_trusted_origin(state.public_url.as_str()) {
        Ok(trusting) => trusting,
        Err(error) => {
            tracing::warn!(%error, "the public URL cannot be compared with the origin of requests");
            layer
        }
    }
}
