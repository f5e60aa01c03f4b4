//! The report of a complete job, as a file to keep.

use super::{HttpState, errors::Refusal, principal::SignedIn};
use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};

/// Route: the report as JSON, an attachment.
///
/// # Errors
/// Nobody is signed in, or there is no such job that is complete.
pub async fn job_report(
    SignedIn(who): SignedIn,
    State(state): State<HttpState>,
    Path(job): Path<String>,
) -> Result<Response, Refusal> {
    let report = state.services.encryption.report(&who, &job).await?;
    let text = serde_json::to_string_pretty(&report).map_err(|_| app::model::error::ApiError::Internal)?;
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"keystead-re-encryption-report.json\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, text + "\n").into_response())
}
