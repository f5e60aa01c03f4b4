//! The audit log as a file.

use super::{HttpState, errors::Refusal, principal::SignedIn};
use crate::services::audit::export::Format;
use app::model::{audit::AuditFilter, error::ApiError};
use axum::{
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::header,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

/// What is asked for. The filter stands in the address, as on the page.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    format: Format,
    #[serde(flatten)]
    filter: AuditFilter,
}

/// Route: the entries that the filter lets through, as an attachment. It is a POST because it is noted in the log itself.
///
/// # Errors
/// Nobody is signed in, or somebody who is no administrator.
pub async fn audit_export(
    SignedIn(who): SignedIn,
    State(state): State<HttpState>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Refusal> {
    let Query(Asked { format, filter }) = asked.map_err(|_| Refusal(ApiError::NotFound))?;
    let file = state.services.audit_log.export(&who, &filter, format).await;
    let file = file.map_err(|failure| Refusal(failure.tell(None)))?;
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", format.file_name())),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(file)).into_response())
}
