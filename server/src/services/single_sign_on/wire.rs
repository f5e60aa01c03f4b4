//! The requests to the identity provider.
//!
//! What must stay true: they go over TLS, or stay on this machine, wherever the provider's own description leads; no redirect is
//! followed; each has an end in time; and of an answer no more is read than fits.

use crate::config::is_loopback;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::{Client, redirect::Policy};
use std::{future::Future, pin::Pin, time::Duration};
use thiserror::Error;

const CONNECT_TIME: Duration = Duration::from_secs(3);
const WHOLE_TIME: Duration = Duration::from_secs(6);
/// A description, a set of keys or a token is a few kilobytes.
const MOST_BYTES: usize = 256 * 1024;

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum WireError {
    #[error("an address of the identity provider is neither https nor on this machine")]
    InClear,
    #[error("the answer is longer than {MOST_BYTES} bytes")]
    TooLong,
    #[error(transparent)]
    Request(#[from] reqwest::Error),
    #[error(transparent)]
    Form(#[from] http::Error),
}

/// Sends them.
pub struct Wire(Client);

impl Wire {
    /// # Errors
    /// When the certificates of the system cannot be read.
    pub fn new() -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIME)
            .timeout(WHOLE_TIME)
            .user_agent(concat!("keystead/", env!("CARGO_PKG_VERSION")));
        client.build().map(Self)
    }

    async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, WireError> {
        if !is_protected(&request.uri().to_string()) {
            return Err(WireError::InClear);
        }
        let mut response = self.0.execute(request.try_into()?).await?;
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await? {
            if body.len() + piece.len() > MOST_BYTES {
                return Err(WireError::TooLong);
            }
            body.extend_from_slice(&piece);
        }
        let mut answer = http::Response::builder().status(response.status());
        if let Some(headers) = answer.headers_mut() {
            headers.clone_from(response.headers());
        }
        Ok(answer.body(body)?)
    }
}

impl<'c> AsyncHttpClient<'c> for Wire {
    type Error = WireError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, WireError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.answer(request))
    }
}

/// Whether nobody on the way can read or change what goes there.
pub fn is_protected(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    match uri.scheme_str() {
        Some("https") => true,
        Some("http") => uri.host().is_some_and(is_loopback),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_protected;

    #[test]
    fn nothing_goes_in_clear_but_on_this_machine() {
        for url in ["https://a.example/x?y", "http://127.0.0.1:4000/token", "http://[::1]/", "http://localhost/"] {
            assert!(is_protected(url), "{url}");
        }
        for url in ["http://a.example/", "http://127.0.0.1.example/", "ftp://127.0.0.1/", "/token", ""] {
            assert!(!is_protected(url), "{url}");
        }
    }
}
