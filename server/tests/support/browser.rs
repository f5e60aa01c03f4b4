//! What a browser does, as far as the server can tell.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, COOKIE, HeaderMap, SET_COOKIE},
    redirect::Policy,
};
use serde::de::DeserializeOwned;
use std::net::SocketAddr;

const HTML: &str = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";

/// One browser with at most one cookie. It follows no redirects, so that tests see them.
#[derive(Clone)]
pub struct Browser {
    client: Client,
    address: SocketAddr,
    https: bool,
    pub cookie: Option<String>,
}

/// An answer that has been read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Browser {
    pub fn new(address: SocketAddr, https: bool) -> Self {
        let client = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        Self { client, address, https, cookie: None }
    }

    /// A request with the cookie, for tests that add to it.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("http://{}{path}", self.address));
        match &self.cookie {
            Some(cookie) => request.header(COOKIE, cookie),
            None => request,
        }
    }

    /// A program's GET.
    pub async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path).send().await.unwrap()).await
    }

    /// A person's GET.
    pub async fn open(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path).header(ACCEPT, HTML).send().await.unwrap()).await
    }

    /// Calls a server function as a script does.
    pub async fn call(&mut self, function: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.form(&format!("/api/{function}"), fields).header(ACCEPT, "application/json");
        self.keep(answer(request.send().await.unwrap()).await)
    }

    pub async fn sign_in(&mut self, email: &str, password: &str) -> Answer {
        self.call("sign_in", &[("email", email), ("password", password), ("next", "")]).await
    }

    /// A form's POST, not sent yet.
    pub fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let body: Vec<_> = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        self.request(Method::POST, path).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body.join("&"))
    }

    /// An upload, not sent yet: the body is missing.
    pub fn upload(&self, workspace: &str, name: &str) -> RequestBuilder {
        let name = utf8_percent_encode(name, NON_ALPHANUMERIC).to_string();
        self.request(Method::POST, &format!("/workspaces/{workspace}/files"))
            .header("x-file-name", name)
            .header(CONTENT_TYPE, "text/plain")
    }

    fn keep(&mut self, answer: Answer) -> Answer {
        self.remember(&answer);
        answer
    }

    /// Takes over the cookie of an answer.
    pub fn remember(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
    }
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn is_page(&self) -> bool {
        self.header("content-type").is_some_and(|kind| kind.starts_with("text/html"))
    }
}

/// Reads an answer to its end, which must be a good one.
pub async fn answer(response: Response) -> Answer {
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
}

impl Browser {
    /// Sends a request that a test has put together.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        answer(request.send().await.unwrap()).await
    }
}
