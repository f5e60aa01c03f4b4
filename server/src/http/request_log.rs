//! One line in the log for each request, under an id that the answer carries too.
//!
//! What must stay true: the line names the route, never the path or query, in which people's ids and words can be; nor a method
//! that somebody has made up.

use crate::services::ids::new_id;
use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, StatusCode},
    middleware::Next,
    response::Response,
};
use std::sync::Arc;
use tokio::time::Instant;
use tower_http::request_id::{MakeRequestId, RequestId};
use tracing::Instrument;
use vault::Vault;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST: usize = 64;

/// Makes ids for requests that bring none, from the vault's clock and randomness.
#[derive(Clone)]
pub struct NewId(pub Arc<Vault>);

impl MakeRequestId for NewId {
    #[allow(clippy::disallowed_methods, reason = "an id to find a line of the log by: nothing depends on it")]
    fn make_request_id<B>(&mut self, _: &http::Request<B>) -> Option<RequestId> {
        let id = new_id(&self.0).ok()?;
        HeaderValue::from_str(&id.to_string()).ok().map(RequestId::new)
    }
}

/// Drops a request id that somebody else chose, unless it is short and plain enough to be logged.
pub async fn check_id(mut request: Request, next: Next) -> Response {
    let plain = |id: &HeaderValue| {
        (1..=LONGEST).contains(&id.len()) && id.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-')
    };
    if !request.headers().get(HEADER).is_some_and(plain) {
        request.headers_mut().remove(HEADER);
    }
    next.run(request).await
}

/// The id of a request, once it has one.
pub fn id_of(request: &Request) -> Option<String> {
    let id = request.extensions().get::<RequestId>()?;
    id.header_value().to_str().ok().map(str::to_owned)
}

/// A method that is in use somewhere, or `other`.
fn known(method: &Method) -> &'static str {
    const IN_USE: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE"];
    IN_USE.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// Logs the request when the head of its answer is known.
#[allow(clippy::disallowed_methods, reason = "a duration for the log: nothing depends on it")]
pub async fn log(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = known(request.method());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or("(none)", MatchedPath::as_str);
    let id = id_of(&request).unwrap_or_default();
    let span = tracing::info_span!("request", id);
    let response = next.run(request).instrument(span.clone()).await;
    let _inside = span.enter();
    let status = response.status();
    let latency_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let routine = matches!(route, "/healthz" | "/readyz" | "/state") && status.is_success();
    if status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::INTERNAL_SERVER_ERROR {
        tracing::warn!(method, route, status = status.as_u16(), latency_ms, "request");
    } else if routine {
        tracing::debug!(method, route, status = status.as_u16(), latency_ms, "request");
    } else {
        tracing::info!(method, route, status = status.as_u16(), latency_ms, "request");
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_chooses_a_word_of_the_log() {
        assert_eq!(known(&Method::POST), "POST");
        assert_eq!(known(&Method::from_bytes(b"audit_head_signed").unwrap()), "other");
    }
}
