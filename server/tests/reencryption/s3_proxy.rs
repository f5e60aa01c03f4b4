//! A proxy in front of the local S3 that is out of order, slow or full, as a test tells it.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, Method, Response, StatusCode, header},
};
use reqwest::Client;
use std::{
    env,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle, time::sleep};

/// What becomes of requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    Nothing,
    /// Every request is answered by this status.
    Fails(u16),
    /// Every request whose number can be divided by this one is answered by 500.
    FailsAt(u64),
    /// Every answer comes so much later.
    Slow(Duration),
    /// Nothing more can be written, and the answer is this status and code.
    Full(u16, &'static str),
}

/// A running proxy with a bucket of its own behind it. It ends when it is dropped.
pub struct S3Proxy {
    pub url: String,
    bucket: String,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    client: Client,
    upstream: String,
    trouble: Mutex<Trouble>,
    asked: AtomicU64,
    refused: AtomicU64,
}

/// In the bucket, so that the prefix is tried too.
pub const PREFIX: &str = "some/prefix";
/// Buckets are known to the whole local S3.
static BUCKETS: AtomicU64 = AtomicU64::new(0);

impl S3Proxy {
    pub async fn start() -> Self {
        let upstream = env::var("KEYSTEAD_TEST_KMS_URL").expect("KEYSTEAD_TEST_KMS_URL must name a running local AWS");
        let client = Client::builder().no_proxy().build().unwrap();
        let bucket = format!("reencryption-{}-{}", std::process::id(), BUCKETS.fetch_add(1, Ordering::Relaxed));
        let made = client.put(format!("{upstream}/{bucket}")).send().await.unwrap();
        assert!(made.status().is_success(), "the local S3 makes no bucket: {}", made.status());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (asked, refused) = (AtomicU64::new(0), AtomicU64::new(0));
        let shared = Arc::new(Shared { client, upstream, trouble: Mutex::new(Trouble::Nothing), asked, refused });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, bucket, shared, serving }
    }

    pub fn set(&self, trouble: Trouble) {
        *self.shared.trouble.lock().unwrap() = trouble;
    }

    /// How many requests were answered by an error of ours.
    pub fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// Where a server keeps its objects.
    pub fn setting(&self) -> String {
        format!("s3://{}/{PREFIX}", self.bucket)
    }

    /// Begins an upload in parts to a path below the prefix, sends a part, and leaves it.
    pub async fn leave_upload(&self, place: &str) {
        let at = format!("{}/{}/{place}", self.shared.upstream, self.bucket);
        let begun = self.shared.client.post(format!("{at}?uploads")).send().await.unwrap().text().await.unwrap();
        let (_, id) = begun.split_once("<UploadId>").unwrap();
        let (id, _) = id.split_once("</UploadId>").unwrap();
        let sent = self.shared.client.put(format!("{at}?partNumber=1&uploadId={id}")).body("a part").send().await;
        assert!(sent.unwrap().status().is_success());
    }

    /// The keys of uploads that nobody has ended.
    pub async fn uploads(&self) -> Vec<String> {
        let list = format!("{}/{}?uploads", self.shared.upstream, self.bucket);
        let listed = self.shared.client.get(list).send().await.unwrap().text().await.unwrap();
        let keys = listed.split("<Key>").skip(1).filter_map(|key| key.split("</Key>").next());
        keys.map(ToOwned::to_owned).collect()
    }

    /// How many objects the bucket holds.
    pub async fn objects(&self) -> usize {
        let list = format!("{}/{}?list-type=2", self.shared.upstream, self.bucket);
        let listed = self.shared.client.get(list).send().await.unwrap().text().await.unwrap();
        assert!(listed.contains("<IsTruncated>false"), "{listed}");
        let keys = listed.split("<Key>").skip(1).filter_map(|key| key.split("</Key>").next());
        // What else a server keeps beside the objects has no folder of a workspace.
        keys.filter(|key| key.strip_prefix(PREFIX).is_some_and(|place| place.matches('/').count() == 2)).count()
    }
}

impl Drop for S3Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let number = shared.asked.fetch_add(1, Ordering::Relaxed) + 1;
    let trouble = *shared.trouble.lock().unwrap();
    let writes = matches!(*request.method(), Method::PUT | Method::POST);
    let refusal = match trouble {
        Trouble::Fails(status) => Some((status, "InternalError")),
        Trouble::FailsAt(every) if number.is_multiple_of(every) => Some((500, "InternalError")),
        Trouble::Full(status, code) if writes => Some((status, code)),
        _ => None,
    };
    // Read to its end in any case, as a real server does before it answers.
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else { return error(400, "IncompleteBody") };
    if let Some((status, code)) = refusal {
        shared.refused.fetch_add(1, Ordering::Relaxed);
        return error(status, code);
    }
    if let Trouble::Slow(time) = trouble {
        sleep(time).await;
    }
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut headers = head.headers;
    for own in [header::HOST, header::CONTENT_LENGTH, header::CONNECTION] {
        headers.remove(own);
    }
    let forwarded =
        shared.client.request(head.method, format!("{}{path}", shared.upstream)).headers(headers).body(body);
    let Ok(got) = forwarded.send().await else { return error(502, "BadGateway") };
    let (status, mut headers) = (got.status(), got.headers().clone());
    let Ok(body) = got.bytes().await else { return error(502, "BadGateway") };
    headers.remove(header::TRANSFER_ENCODING);
    headers.remove(header::CONNECTION);
    let mut response = Response::new(Body::from(body));
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    response
}

fn error(status: u16, code: &str) -> Response<Body> {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as told</Message></Error>");
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}
