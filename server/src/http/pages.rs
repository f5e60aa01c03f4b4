//! The pages and server functions of `app`, with what they need from this server in their context.

use super::{HttpState, errors::Refusal, principal::RequestSession, security};
use app::{
    model::error::ApiError,
    ports::{Ports, Shown},
};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{Method, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::{provide_context, use_context, use_nonce};
use leptos_axum::{
    AxumRouteListing, LeptosRoutes, ResponseOptions, generate_route_list, render_app_async_with_context,
};
use std::sync::{Arc, LazyLock};

/// The pages that `app` lists. Asked of it once in a process: while a list is made, no resource loads anywhere in the
/// process, and a page that is rendered in that moment would wait for its data for ever.
pub fn listed() -> Vec<AxumRouteListing> {
    static LISTED: LazyLock<Vec<AxumRouteListing>> = LazyLock::new(|| generate_route_list(app::App));
    LISTED.clone()
}

/// The routes that `app` lists.
pub fn routes(state: &HttpState) -> Router<HttpState> {
    let options = state.leptos.clone();
    Router::new().leptos_routes_with_context(state, listed(), context(state), move || app::shell(options.clone()))
}

/// What no route answers: a public file, or our page that says so.
pub async fn fallback(State(state): State<HttpState>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Refusal(ApiError::NotFound).into_response();
    }
    // The application would render the page that stands at the address without its end.
    if let Some(page) = without_slashes(request.uri()) {
        return Redirect::permanent(&page).into_response();
    }
    if let Some(file) = state.assets.public(request.uri().path(), request.headers()) {
        return file;
    }
    if !super::errors::wants_page(request.headers()) {
        return Refusal(ApiError::NotFound).into_response();
    }
    not_found(&state, request).await
}

/// The address without slashes at its end, if it has any.
fn without_slashes(address: &Uri) -> Option<String> {
    let path = address.path();
    // One slash at the beginning: two would name another host.
    let page = format!("/{}", path.trim_matches('/'));
    let query = address.query().map(|query| format!("?{query}")).unwrap_or_default();
    (path.len() > 1 && (path.ends_with('/') || path.starts_with("//"))).then(|| page + &query)
}

/// A page that shows something which only this answer can show.
pub async fn render_with(state: &HttpState, request: Request, shown: Shown) -> Response {
    let (options, context) = (state.leptos.clone(), context(state));
    let context = move || {
        provide_context(shown.clone());
        context();
    };
    render_app_async_with_context(context, move || app::shell(options.clone()))(request).await
}

/// The application renders its own page for an address it does not know.
async fn not_found(state: &HttpState, request: Request) -> Response {
    let options = state.leptos.clone();
    let render = render_app_async_with_context(context(state), move || app::shell(options.clone()));
    let mut response: Response<Body> = render(request).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}

/// Puts the ports and the content security policy of one request in place.
fn context(state: &HttpState) -> impl Fn() + Clone + Send + Sync + 'static {
    let state = state.clone();
    move || {
        let session = use_context::<Parts>().and_then(|request| RequestSession::of(&request, &state));
        if let Some(session) = session.map(Arc::new) {
            provide_context(Ports {
                session: session.clone(),
                account: session,
                members: state.services.members.clone(),
                organization: state.services.organization.clone(),
                workspaces: state.services.workspaces.clone(),
                workspace_members: state.services.workspaces.clone(),
                encryption: state.services.encryption.clone(),
                audit: state.services.audit_log.clone(),
            });
        }
        if let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>())
            && let Some(policy) = security::page_policy(&nonce)
        {
            response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
        }
    }
}
