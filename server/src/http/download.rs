//! A file's content, as an attachment, whole or in part.
//!
//! What must stay true: memory stays bounded, because the content is opened only as fast as the browser takes it; and a
//! content that cannot be sent to its end breaks the connection, so that nobody takes a part of a file for the whole.

use super::{
    HttpState,
    errors::Refusal,
    principal::SignedIn,
    ranges::{Part, part},
};
use app::model::error::ApiError;
use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::ops::Range;

/// What RFC 8187 §3.2.1 allows to stand for itself.
const ATTRIBUTE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');
/// Media types that no browser runs, so the uploader's word for them does no harm. Everything else is just bytes.
const HARMLESS: [&str; 10] = [
    "application/pdf",
    "application/zip",
    "audio/mpeg",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "text/csv",
    "text/plain",
    "video/mp4",
];

/// Route: the content of a file.
pub async fn download(
    SignedIn(who): SignedIn,
    State(state): State<HttpState>,
    Path((workspace, file)): Path<(String, String)>,
    request: HeaderMap,
) -> Result<Response, Refusal> {
    let found = state.services.files.open(&who, &workspace, &file).await?;
    let total = found.bytes;
    let etag = quoted(&found.etag)?;
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_DISPOSITION, disposition(&found.name)?);
    headers.insert(header::CONTENT_TYPE, content_type(&found.media_type));
    let (status, range) = match part(&request, total, &etag) {
        Part::Whole => (StatusCode::OK, 0..total),
        Part::Only(range) => {
            headers.insert(header::CONTENT_RANGE, content_range(Some(&range), total)?);
            (StatusCode::PARTIAL_CONTENT, range)
        }
        Part::Unsatisfiable => return unsatisfiable(total),
    };
    headers.insert(header::ETAG, etag);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    let leash = found.leash();
    let mut response = Response::new(Body::from_stream(found.stream(range)));
    response.extensions_mut().insert(leash);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

fn unsatisfiable(total: u64) -> Result<Response, Refusal> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
    // With a type of its own the answer is left as it is: programs ask for ranges, not people.
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    response.headers_mut().insert(header::CONTENT_RANGE, content_range(None, total)?);
    Ok(response)
}

fn content_range(range: Option<&Range<u64>>, total: u64) -> Result<HeaderValue, Refusal> {
    header_value(&match range {
        Some(range) => format!("bytes {}-{}/{total}", range.start, range.end - 1),
        None => format!("bytes */{total}"),
    })
}

fn quoted(etag: &str) -> Result<HeaderValue, Refusal> {
    if etag.starts_with('"') { header_value(etag) } else { header_value(&format!("\"{etag}\"")) }
}

fn content_type(media_type: &str) -> HeaderValue {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let harmless = HARMLESS.iter().find(|harmless| **harmless == essence);
    HeaderValue::from_static(harmless.copied().unwrap_or("application/octet-stream"))
}

/// The name twice (RFC 6266 appendix D): as near as ASCII comes for old programs, and exactly, for all others.
fn disposition(name: &str) -> Result<HeaderValue, Refusal> {
    let plain: String = name
        .chars()
        .map(|c| if (c.is_ascii_graphic() || c == ' ') && !matches!(c, '"' | '\\' | '%' | '/') { c } else { '_' })
        .collect();
    let exact = utf8_percent_encode(name, ATTRIBUTE);
    header_value(&format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"))
}

fn header_value(text: &str) -> Result<HeaderValue, Refusal> {
    HeaderValue::from_str(text).map_err(|_| Refusal(ApiError::Internal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_can_be_said() {
        let said = |name: &str| disposition(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(said("a b.txt"), "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt");
        assert_eq!(said("é\".txt"), "attachment; filename=\"__.txt\"; filename*=UTF-8''%C3%A9%22.txt");
        assert_eq!(said("a\r\nb"), "attachment; filename=\"a__b\"; filename*=UTF-8''a%0D%0Ab");
    }

    #[test]
    fn what_a_browser_could_run_is_just_bytes() {
        for (named, sent) in [
            ("image/png", "image/png"),
            ("Text/Plain; charset=utf-8", "text/plain"),
            ("text/html", "application/octet-stream"),
            ("image/svg+xml", "application/octet-stream"),
            ("nonsense", "application/octet-stream"),
        ] {
            assert_eq!(content_type(named), sent);
        }
    }
}
