//! How errors look: a page of ours for people, JSON for programs.
//!
//! What must stay true: every error that leaves the program comes from the closed set of [`ApiError`], so nothing internal
//! has a way out, also not from a panic or from a layer that answers by itself.

use super::{HttpState, bare_page::bare_page, request_log};
use app::{
    model::{
        error::{ApiError, Invalid},
        single_sign_on::SingleSignOnRefused,
    },
    return_path,
};
use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Redirect, Response},
};
use std::any::Any;
use tower_http::{
    catch_panic::ResponseForPanic,
    csrf::{ProtectionError, ResponseForProtectionError},
};

/// An answer that is an error.
#[derive(Clone, Debug)]
pub struct Refusal(pub ApiError);

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&self.0)).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The answer to a panic. The panic itself has been logged where it happened.
#[derive(Clone, Copy)]
pub struct Panicked;

impl ResponseForPanic for Panicked {
    type ResponseBody = Body;

    fn response_for_panic(&mut self, _: Box<dyn Any + Send + 'static>) -> Response<Body> {
        Refusal(ApiError::Internal).into_response()
    }
}

/// The answer to a change that another site asked for.
#[derive(Clone, Copy)]
pub struct CrossSite;

impl ResponseForProtectionError<Body> for CrossSite {
    fn response_for_protection_error(&mut self, error: ProtectionError) -> Response<Body> {
        tracing::warn!(event = "cross_site", kind = ?error.kind(), "a request of another site was refused");
        Refusal(ApiError::NotAllowed).into_response()
    }
}

/// The answer to a method that a route does not have.
pub async fn method_not_allowed() -> StatusCode {
    StatusCode::METHOD_NOT_ALLOWED
}

/// Whether the answer is for a person: a browser that opens an address or sends a form.
pub fn wants_page(request: &HeaderMap) -> bool {
    let accept = request.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// Gives each error the face for whoever asked.
pub async fn faces(State(state): State<HttpState>, request: Request, next: Next) -> Response {
    let page = wants_page(request.headers());
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let path = request.uri().path_and_query().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let id = request_log::id_of(&request);
    let response = next.run(request).await;
    let Some(error) = error_of(&response, &path) else { return response };
    if page && reads && error == ApiError::SignedOut {
        return Redirect::to(&return_path::sign_in_for(&path)).into_response();
    }
    let (mut parts, body) = response.into_parts();
    let is_told = parts.extensions.remove::<Refusal>().is_some();
    if !page && is_told {
        return Response::from_parts(parts, body);
    }
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    let told = if page {
        Html(page_of(&error, parts.status, state.assets.folder(), id.as_deref())).into_response()
    } else {
        Json(&error).into_response()
    };
    // The face brings its type; everything else, such as cookies, stays.
    let (face, body) = told.into_parts();
    parts.headers.extend(face.headers);
    Response::from_parts(parts, body)
}

/// The error that the answer at `path` is. A page or a server function has given its errors their face itself.
fn error_of(response: &Response, path: &str) -> Option<ApiError> {
    if let Some(Refusal(error)) = response.extensions().get::<Refusal>() {
        return Some(error.clone());
    }
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let bare = kind.is_none_or(|kind| kind.starts_with("text/plain"));
    // The answers of probes are plain text by design, and say more than an error could.
    if !bare
        || !(status.is_client_error() || status.is_server_error())
        || response.extensions().get::<Plain>().is_some()
    {
        return None;
    }
    Some(match status {
        StatusCode::UNAUTHORIZED => ApiError::SignedOut,
        StatusCode::FORBIDDEN => ApiError::NotAllowed,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::BAD_REQUEST => ApiError::NotFound,
        StatusCode::PAYLOAD_TOO_LARGE if path.ends_with("_note") => Invalid::NoteTooLong.into(),
        StatusCode::PAYLOAD_TOO_LARGE => Invalid::TooMuch.into(),
        StatusCode::TOO_MANY_REQUESTS => ApiError::Busy,
        StatusCode::REQUEST_TIMEOUT | StatusCode::SERVICE_UNAVAILABLE => ApiError::Unavailable,
        _ => ApiError::Internal,
    })
}

/// Marks an answer whose plain text is meant.
#[derive(Clone, Copy)]
pub struct Plain;

/// A whole page, without scripts and without anything from the request but its id.
fn page_of(error: &ApiError, status: StatusCode, folder: &str, id: Option<&str>) -> String {
    let title = title(error, status);
    let message = match error {
        ApiError::Locked(face) => {
            format!("{}. {}{} {}", face.headline(), face.reason(), face.cause.kept(), face.remedy())
        }
        error => error.message().to_owned(),
    };
    let (way_on, label) = match error {
        ApiError::Locked(_) => ("/settings/data-encryption", "Open Data Encryption"),
        _ => ("/workspaces", "Go to Workspaces"),
    };
    let number = status.as_u16();
    let request = match id {
        Some(id) if status.is_server_error() => format!("<p class=\"muted\">Request <code>{id}</code></p>"),
        _ => String::new(),
    };
    let body = format!(
        "<p>{message}</p>{request}<p class=\"muted\">Error {number}</p>\
         <p><a class=\"button primary\" href=\"{way_on}\">{label}</a></p>"
    );
    bare_page(folder, title, &body)
}

fn title(error: &ApiError, status: StatusCode) -> &'static str {
    match error {
        ApiError::Unavailable | ApiError::Connection | ApiError::SingleSignOn(SingleSignOnRefused::Unreachable) => {
            "Not available now"
        }
        ApiError::SignedOut | ApiError::WrongCredentials => "Signed out",
        ApiError::NotAllowed | ApiError::AccountDisabled | ApiError::ProofNeeded | ApiError::SingleSignOn(_) => {
            "Not allowed"
        }
        ApiError::NotFound if status == StatusCode::METHOD_NOT_ALLOWED => "Nothing to do here",
        ApiError::NotFound => "Not found",
        ApiError::Locked(_) => "Data is locked",
        ApiError::Busy | ApiError::TooManyAttempts { .. } => "Too busy",
        ApiError::Invalid(_) | ApiError::KeyRefused(_) | ApiError::MemberRefused(_) | ApiError::Conflict => {
            "Not accepted"
        }
        ApiError::Damaged => "Damaged data",
        ApiError::Internal => "Something went wrong",
    }
}
