//! The site's own files, which are part of the program: scripts, WASM, styles and public files.
//!
//! What was built is served under a folder whose name changes with every build, and may be kept for ever. Public files have
//! the names people know, and are asked for again after a while.

use super::{HttpState, errors::Refusal};
use app::model::error::ApiError;
use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use rust_embed::RustEmbed;
use std::{borrow::Cow, collections::BTreeMap};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../target/site"]
struct Site;

const BUILT: &str = "pkg/";
const BUILD_ID: &str = "build-id";
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const FOR_AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// The files, ready to be sent.
pub struct Assets {
    files: BTreeMap<String, Asset>,
    folder: String,
}

struct Asset {
    media_type: HeaderValue,
    plain: Encoded,
    brotli: Option<Encoded>,
}

struct Encoded {
    bytes: Bytes,
    etag: HeaderValue,
}

impl Assets {
    /// Reads what is embedded. Says so in the log when the site was not built.
    pub fn load() -> Self {
        let build_id = Site::get(BUILD_ID).map(|file| String::from_utf8_lossy(&file.data).trim().to_owned());
        let build_id = build_id.filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        if build_id.is_none() {
            tracing::warn!(
                event = "site_missing",
                "this program was built without the site: pages have no styles and no scripts. Build it with `make build`"
            );
        }
        let folder = format!("pkg-{}", build_id.as_deref().unwrap_or("none"));
        let mut files = BTreeMap::new();
        for path in Site::iter().filter(|path| *path != BUILD_ID && !path.ends_with(".br")) {
            if let Some(plain) = encoded(&path) {
                let brotli = encoded(&format!("{path}.br"));
                files.insert(path.to_string(), Asset { media_type: media_type(&path), plain, brotli });
            }
        }
        Self { files, folder }
    }

    /// The folder under which what was built is served, without slashes.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// The answer for a public file such as `/favicon.svg`, if there is one of this name.
    pub fn public(&self, path: &str, request: &HeaderMap) -> Option<Response> {
        let path = path.strip_prefix('/').filter(|path| !path.starts_with(BUILT))?;
        self.files.get(path).map(|asset| asset.answer(request, FOR_AN_HOUR))
    }
}

impl Asset {
    fn answer(&self, request: &HeaderMap, keep: HeaderValue) -> Response {
        let (encoded, is_brotli) = match &self.brotli {
            Some(brotli) if accepts_brotli(request) => (brotli, true),
            _ => (&self.plain, false),
        };
        let known = request.get(header::IF_NONE_MATCH).is_some_and(|tags| names(tags, &encoded.etag));
        let body = if known { Body::empty() } else { Body::from(encoded.bytes.clone()) };
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, keep);
        headers.insert(header::ETAG, encoded.etag.clone());
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            headers.insert(header::CONTENT_TYPE, self.media_type.clone());
            if is_brotli {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
            }
        }
        response
    }
}

/// Route: a file of this build.
pub async fn built(State(state): State<HttpState>, Path(file): Path<String>, headers: HeaderMap) -> Response {
    let asset = state.assets.files.get(&format!("{BUILT}{file}"));
    asset.map_or_else(|| Refusal(ApiError::NotFound).into_response(), |asset| asset.answer(&headers, FOR_EVER))
}

fn encoded(path: &str) -> Option<Encoded> {
    let file = Site::get(path)?;
    let hash = file.metadata.sha256_hash();
    let etag = HeaderValue::from_str(&format!("\"{}\"", hex::encode(&hash[..16]))).ok()?;
    let bytes = match file.data {
        Cow::Borrowed(data) => Bytes::from_static(data),
        Cow::Owned(data) => Bytes::from(data),
    };
    Some(Encoded { bytes, etag })
}

fn media_type(path: &str) -> HeaderValue {
    let media_type = match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    };
    HeaderValue::from_static(media_type)
}

/// RFC 9110 §12.5.3, as far as it matters here: `br` is named, and not with a weight of zero.
fn accepts_brotli(request: &HeaderMap) -> bool {
    let accepted = request.get_all(header::ACCEPT_ENCODING);
    accepted.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("br"));
        let refused =
            parts.any(|weight| weight.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).is_some_and(|q| q <= 0.0));
        named && !refused
    })
}

/// Whether an `If-None-Match` header names this tag.
fn names(tags: &HeaderValue, etag: &HeaderValue) -> bool {
    let (Ok(tags), Ok(etag)) = (tags.to_str(), etag.to_str()) else { return false };
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))])
    }

    #[test]
    fn brotli_is_sent_only_to_those_who_take_it() {
        assert!(accepts_brotli(&accepting("gzip, deflate, br")));
        assert!(accepts_brotli(&accepting("br;q=0.5")));
        assert!(!accepts_brotli(&accepting("gzip, br;q=0")));
        assert!(!accepts_brotli(&accepting("gzip")));
        assert!(!accepts_brotli(&HeaderMap::new()));
    }

    #[test]
    fn a_known_file_is_not_sent_again() {
        let asset = Asset {
            media_type: media_type("a.css"),
            plain: Encoded { bytes: Bytes::from_static(b"x"), etag: HeaderValue::from_static("\"1\"") },
            brotli: None,
        };
        let known = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static("\"0\", W/\"1\""))]);
        assert_eq!(asset.answer(&known, FOR_EVER).status(), StatusCode::NOT_MODIFIED);
        let answer = asset.answer(&HeaderMap::new(), FOR_EVER);
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/css; charset=utf-8");
    }
}
