//! Every route of the program, in one place. The pages and server functions are listed by `app` itself.
//!
//! What must stay true: a route is in one of the lists here, so that [`paths`] knows it. A test (`server/tests/doors`) holds
//! them, and what `app` lists, against a table of who may come in where, and fails for a door that is not in the table.

use super::{
    HttpState, assets, audit_export, bodies, client_address, download, errors, events, health, help, job_report,
    key_policy, once, outgoing, pages, request_log, security, state, upload,
};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware::{from_fn, from_fn_with_state},
    routing::{MethodRouter, get, post},
};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer, csrf::CsrfLayer, limit::RequestBodyLimitLayer, request_id::PropagateRequestIdLayer,
    request_id::SetRequestIdLayer, timeout::TimeoutLayer,
};

/// A path, and what answers there.
pub(super) type Route = (&'static str, MethodRouter<HttpState>);

/// What is answered soon.
fn short_routes() -> Vec<Route> {
    let mut routes = vec![
        ("/state", get(state::state)),
        ("/settings/data-encryption/jobs/{job}/report", get(job_report::job_report)),
        ("/settings/data-encryption/key-policy/{format}", get(key_policy::key_policy)),
        ("/healthz", get(health::healthz)),
        ("/readyz", get(health::readyz)),
    ];
    routes.extend(help::routes());
    routes.extend(once::routes());
    routes
}

/// What takes as long as it takes, and may open data.
fn carried_routes() -> Vec<Route> {
    vec![("/workspaces/{id}/files", post(upload::upload)), ("/workspaces/{id}/files/{file}", get(download::download))]
}

/// What takes as long as it takes, and opens nothing.
fn long_routes() -> Vec<Route> {
    vec![
        ("/settings/data-encryption/events", get(events::events)),
        (app::api::audit::EXPORT, post(audit_export::audit_export)),
    ]
}

/// The files of the site, below the folder of this build.
fn built(folder: &str) -> String {
    format!("/{folder}/{{file}}")
}

/// The path of every route here. `folder` is that of the site's files.
pub fn paths(folder: &str) -> Vec<String> {
    let lists = [short_routes(), carried_routes(), long_routes()];
    lists.into_iter().flatten().map(|(path, _)| path.to_owned()).chain([built(folder)]).collect()
}

#[expect(clippy::disallowed_methods, reason = "the one place that adds routes: from the lists above")]
fn listed<P: AsRef<str>>(
    router: Router<HttpState>,
    list: impl IntoIterator<Item = (P, MethodRouter<HttpState>)>,
) -> Router<HttpState> {
    list.into_iter().fold(router, |router, (path, answer)| router.route(path.as_ref(), answer))
}

/// Builds the router. Also what the tests drive.
pub fn router(state: HttpState) -> Router {
    // Whatever may open data has its answers tied to the lease.
    let carry = || from_fn_with_state(state.clone(), outgoing::carry);
    let opening = pages::routes(&state).fallback(pages::fallback).layer(carry());
    let site = [(built(state.assets.folder()), get(assets::built))];
    let short = listed(listed(Router::new(), short_routes()), site)
        .merge(opening)
        .method_not_allowed_fallback(errors::method_not_allowed)
        .layer(
            ServiceBuilder::new()
                .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, state.patience.request))
                .layer(from_fn(bodies::whole))
                .layer(RequestBodyLimitLayer::new(bodies::LIMIT)),
        );
    let carried = listed(Router::new(), carried_routes()).layer(carry());
    let long = listed(carried, long_routes()).layer(DefaultBodyLimit::disable());

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
        .layer(from_fn_with_state(state.clone(), client_address::find))
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
