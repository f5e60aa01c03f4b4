//! The headers that tell browsers what our answers may do. They are on every answer.

use super::{HttpState, session::Sessions};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

/// For everything that is not a page: it may do nothing. Our error pages have styles and no scripts.
const STRICT: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

const FIXED: [(HeaderName, HeaderValue); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ),
];
/// Two years, as browsers' preload lists ask for.
const STRICT_TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");

/// The policy of a page: scripts of this site, and those inline that carry the page's nonce.
pub fn page_policy(nonce: &str) -> Option<HeaderValue> {
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
         font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).ok()
}

/// Adds the headers. A page has brought its own policy, and the site's files may be cached.
pub async fn headers(State(state): State<HttpState>, request: Request, next: Next) -> Response {
    let https = state.public_url.is_https();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        // A page whose address is a secret tells it to nobody, not even to us.
        let is_stricter =
            name == header::REFERRER_POLICY && headers.get(&name).is_some_and(|value| value == "strict-origin");
        if !is_stricter {
            headers.insert(name, value);
        }
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(STRICT);
    headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
    if https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT);
        complete_removals(headers);
    }
    response
}

/// Browsers ignore a cookie of a `__Host-` name that is not `Secure`, so also one that is meant to remove it.
fn complete_removals(headers: &mut HeaderMap) {
    let cookies: Vec<_> = headers.get_all(header::SET_COOKIE).iter().cloned().collect();
    if cookies.iter().all(|cookie| !lacks_secure(cookie)) {
        return;
    }
    headers.remove(header::SET_COOKIE);
    for cookie in cookies {
        let completed = if lacks_secure(&cookie) {
            let completed = [cookie.as_bytes(), b"; Secure"].concat();
            HeaderValue::from_bytes(&completed).unwrap_or(cookie)
        } else {
            cookie
        };
        headers.append(header::SET_COOKIE, completed);
    }
}

fn lacks_secure(cookie: &HeaderValue) -> bool {
    let cookie = cookie.to_str().unwrap_or_default();
    cookie.starts_with(Sessions::cookie_name(true)) && !cookie.split(';').any(|part| part.trim() == "Secure")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_that_is_removed_is_secure_too() {
        let mut headers = HeaderMap::new();
        headers.append(header::SET_COOKIE, HeaderValue::from_static("other=1"));
        headers.append(header::SET_COOKIE, HeaderValue::from_static("__Host-keystead=; Path=/; Max-Age=0"));
        complete_removals(&mut headers);
        let cookies: Vec<_> = headers.get_all(header::SET_COOKIE).iter().map(|c| c.to_str().unwrap()).collect();
        assert_eq!(cookies, ["other=1", "__Host-keystead=; Path=/; Max-Age=0; Secure"]);
    }
}
