//! Bodies whose length was not announced. They are read to their end before anything else is done, so that one that is too
//! large has the same answer as one that says so beforehand; whoever takes a form would otherwise meet it in the middle.

use super::errors::Refusal;
use app::model::error::ApiError;
use axum::{
    body::Body,
    extract::Request,
    http::{StatusCode, header::CONTENT_LENGTH},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::StreamExt;
use http_body::Body as _;

/// The largest request body, except for uploads. A note of 256 KiB, percent-encoded by a form, fits.
pub const LIMIT: usize = 1024 * 1024;

/// Runs the rest with the whole body in hand. What was announced is left to the layer that compares it with the limit.
pub async fn whole(request: Request, next: Next) -> Response {
    if request.headers().contains_key(CONTENT_LENGTH) || request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let (mut pieces, mut whole) = (body.into_data_stream(), Vec::new());
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(piece) if whole.len() + piece.len() <= LIMIT => whole.extend_from_slice(&piece),
            Ok(_) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
            Err(_) => return Refusal(ApiError::Connection).into_response(),
        }
    }
    next.run(Request::from_parts(head, Body::from(whole))).await
}
