//! Uploads: the raw body of a request becomes a file.
//!
//! What must stay true: the body is sealed piece by piece as it arrives, so memory stays bounded whatever its size; an upload
//! that does not reach its end leaves nothing behind; and at a lock it ends at once, also while it waits for the browser.

use super::{HttpState, errors::Refusal, principal::SignedIn};
use crate::services::upload::Upload;
use app::{
    model::{
        error::{ApiError, Invalid},
        workspace::FileEntry,
    },
    ports::Principal,
};
use axum::{
    Json,
    body::BodyDataStream,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::StreamExt;
use percent_encoding::percent_decode_str;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

const FILE_NAME: &str = "x-file-name";
/// What is read and thrown away before an upload that is too large is told so. A browser that is answered while it still
/// sends sees a broken connection instead of the answer.
const DISCARD_BYTES: u64 = 64 * 1024 * 1024;
const DISCARD_TIME: Duration = Duration::from_secs(10);

/// Route: stores the body as a file of this workspace.
pub async fn upload(
    SignedIn(who): SignedIn,
    State(state): State<HttpState>,
    Path(workspace): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let (head, body) = request.into_parts();
    let mut incoming = Incoming { body: body.into_data_stream(), idle: state.patience.upload, broken: false };
    let waits = head.headers.get(header::EXPECT).is_some();
    match receive(&state, &who, &workspace, &head.headers, &mut incoming).await {
        Ok(entry) => {
            let place = format!("/workspaces/{workspace}/files/{}", entry.id);
            let place = HeaderValue::from_str(&place).map_err(|_| Refusal(ApiError::Internal))?;
            Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(entry)).into_response())
        }
        Err(error) => {
            // Who waits for leave to send has sent nothing yet, and at a lock nobody is waited for.
            if !waits && !matches!(error, ApiError::Locked(_)) {
                incoming.discard(&state).await;
            }
            Err(Refusal(error))
        }
    }
}

async fn receive(
    state: &HttpState,
    who: &Principal,
    workspace: &str,
    headers: &HeaderMap,
    incoming: &mut Incoming,
) -> Result<FileEntry, ApiError> {
    let declared = declared_length(headers);
    if declared.is_some_and(|bytes| bytes > state.max_file_bytes) {
        return Err(Invalid::FileTooLarge.into());
    }
    let name = file_name(headers)?;
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let media_type = media_type.unwrap_or("application/octet-stream");
    let mut upload = state.services.files.begin_upload(who, workspace, &name, media_type, declared).await?;
    match copy(incoming, &mut upload, state.max_file_bytes).await {
        Ok(()) => upload.finish().await,
        Err(error) => {
            upload.abort().await;
            Err(error)
        }
    }
}

async fn copy(incoming: &mut Incoming, upload: &mut Upload, limit: u64) -> Result<(), ApiError> {
    let mut received = 0_u64;
    loop {
        let next = tokio::select! {
            biased;
            why = upload.ended() => return Err(why),
            next = incoming.next() => next?,
        };
        let Some(bytes) = next else { return Ok(()) };
        received = received.saturating_add(bytes.len() as u64);
        if received > limit {
            return Err(Invalid::FileTooLarge.into());
        }
        upload.write(bytes).await?;
    }
}

/// The body of a request, which ends early when the browser falls silent.
struct Incoming {
    body: BodyDataStream,
    /// How long a browser may send nothing.
    idle: Duration,
    broken: bool,
}

impl Incoming {
    /// The next bytes; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        match timeout_at(Instant::now() + self.idle, self.body.next()).await {
            Ok(Some(Ok(bytes))) => Ok(Some(bytes)),
            Ok(None) => Ok(None),
            Ok(Some(Err(_))) | Err(_) => {
                self.broken = true;
                Err(ApiError::Connection)
            }
        }
    }

    /// Reads on for a while and throws away what comes.
    async fn discard(&mut self, state: &HttpState) {
        if self.broken {
            return;
        }
        let reading = async {
            let mut discarded = 0_u64;
            while let Some(Ok(bytes)) = self.body.next().await {
                discarded = discarded.saturating_add(bytes.len() as u64);
                if discarded > DISCARD_BYTES {
                    break;
                }
            }
        };
        // Out of time, or a lock, is one more way to be done.
        tokio::select! {
            () = state.services.vault.locked() => {}
            _ = timeout(DISCARD_TIME, reading) => {}
        }
    }
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The name, which travels percent-encoded because headers are ASCII.
fn file_name(headers: &HeaderMap) -> Result<String, ApiError> {
    let encoded = headers.get(FILE_NAME).and_then(|name| name.to_str().ok()).ok_or(Invalid::FileNameMissing)?;
    let name = percent_decode_str(encoded).decode_utf8().map_err(|_| Invalid::FileNameMissing)?;
    Ok(name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_decoded_and_must_be_text() {
        let named = |name: &'static str| {
            file_name(&HeaderMap::from_iter([(FILE_NAME.parse().unwrap(), HeaderValue::from_static(name))]))
        };
        assert_eq!(named("a%20b%C3%A9.txt").unwrap(), "a bé.txt");
        assert_eq!(named("%FF").unwrap_err(), Invalid::FileNameMissing.into());
        assert_eq!(file_name(&HeaderMap::new()).unwrap_err(), Invalid::FileNameMissing.into());
    }
}
