//! The key policy in one of its formats, as a file: the same text as on Data Encryption.

use super::{HttpState, errors::Refusal, principal::SignedIn};
use app::{
    key_policy::{Access, Format},
    model::error::ApiError,
};
use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};

/// Route: the text, an attachment.
///
/// # Errors
/// Nobody is signed in, or there is no such format.
pub async fn key_policy(
    SignedIn(_): SignedIn,
    State(state): State<HttpState>,
    Path(format): Path<String>,
) -> Result<Response, Refusal> {
    let format = Format::of_word(&format).ok_or(ApiError::NotFound)?;
    let principal = state.services.encryption.principal.clone().map(|principal| principal.arn);
    let access = Access::of(&state.services.organization.configured, principal);
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", format.file_name())),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, access.text(format)).into_response())
}
