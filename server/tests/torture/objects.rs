//! The object store, looked at from outside: a folder, or a bucket of the local S3.

use super::Checked;
use crate::support::program::objects_below;
use reqwest::{Client, Method, Response, header::RANGE};
use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// Where the objects of a server are.
pub enum Objects {
    Folder(PathBuf),
    Bucket { client: Client, url: String, name: String },
}

/// In the bucket, so that the prefix is tried too.
const PREFIX: &str = "some/prefix";
/// Buckets are known to the whole local S3.
static BUCKETS: AtomicU64 = AtomicU64::new(0);

/// Uploads in parts that were begun and neither completed nor aborted.
#[derive(Default)]
pub struct Unfinished {
    /// Those that hold something.
    pub with_parts: Vec<String>,
    /// Those of which nothing has been sent.
    pub empty: usize,
}

impl Objects {
    /// A new bucket.
    pub async fn new_bucket() -> Self {
        let url = std::env::var("KEYSTEAD_TEST_KMS_URL").expect("KEYSTEAD_TEST_KMS_URL must name a running local AWS");
        let name = format!("torture-{}-{}", std::process::id(), BUCKETS.fetch_add(1, Ordering::Relaxed));
        let client = Client::builder().no_proxy().build().unwrap();
        let made = client.request(Method::PUT, format!("{url}/{name}")).send().await.unwrap();
        assert!(made.status().is_success(), "the local S3 makes no bucket: {}", made.status());
        Self::Bucket { client, url, name }
    }

    /// What the server is told.
    pub fn setting(&self) -> String {
        match self {
            Self::Folder(_) => "file:objects".to_owned(),
            Self::Bucket { name, .. } => format!("s3://{name}/{PREFIX}"),
        }
    }

    /// Everything that is stored, by its place, with its length.
    pub async fn list(&self) -> Checked<BTreeMap<String, u64>> {
        match self {
            Self::Folder(folder) => Ok(objects_below(folder).iter().map(|path| listed(folder, path)).collect()),
            Self::Bucket { .. } => self.list_bucket().await,
        }
    }

    async fn list_bucket(&self) -> Checked<BTreeMap<String, u64>> {
        let (mut found, mut after) = (BTreeMap::new(), String::new());
        loop {
            let page = self.ask(&format!("?list-type=2&start-after={after}")).await?;
            let before = found.len();
            for object in parts(&page, "Contents") {
                let (key, size) = (part(object, "Key")?, part(object, "Size")?);
                let place = key.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('/'));
                let place = place.ok_or_else(|| format!("an object outside of the prefix: {key}"))?;
                // What is not in a folder says whose objects these are, and is none.
                if place.contains('/') {
                    found.insert(place.to_owned(), size.parse().map_err(|_| format!("a size that is none: {size}"))?);
                }
                key.clone_into(&mut after);
            }
            if found.len() == before {
                return Ok(found);
            }
        }
    }

    /// The first bytes of an object.
    pub async fn head(&self, place: &str, bytes: usize) -> Checked<Vec<u8>> {
        match self {
            Self::Folder(folder) => {
                let mut head = Vec::new();
                let file = std::fs::File::open(folder.join(place)).map_err(|error| format!("{place}: {error}"))?;
                file.take(bytes as u64).read_to_end(&mut head).map_err(|error| format!("{place}: {error}"))?;
                Ok(head)
            }
            Self::Bucket { client, url, name } => {
                let request = client.get(format!("{url}/{name}/{PREFIX}/{place}"));
                let request = request.header(RANGE, format!("bytes=0-{}", bytes - 1));
                Ok(good(request.send().await)?.bytes().await.map_err(|error| error.to_string())?.to_vec())
            }
        }
    }

    /// Uploads in parts that nobody has ended. A folder shows them as files.
    pub async fn unfinished(&self) -> Checked<Unfinished> {
        let mut unfinished = Unfinished::default();
        if let Self::Folder(_) = self {
            return Ok(unfinished);
        }
        let page = self.ask("?uploads").await?;
        for upload in parts(&page, "Upload") {
            let (key, id) = (part(upload, "Key")?, part(upload, "UploadId")?);
            let sent = self.ask(&format!("/{key}?uploadId={id}")).await?;
            if parts(&sent, "Part").next().is_some() {
                unfinished.with_parts.push(key.to_owned());
            } else {
                unfinished.empty += 1;
            }
        }
        Ok(unfinished)
    }

    async fn ask(&self, what: &str) -> Checked<String> {
        let Self::Bucket { client, url, name } = self else { return Ok(String::new()) };
        let answer = good(client.get(format!("{url}/{name}{what}")).send().await)?;
        answer.text().await.map_err(|error| error.to_string())
    }
}

fn listed(folder: &Path, path: &Path) -> (String, u64) {
    let length = std::fs::metadata(path).map_or(0, |file| file.len());
    (path.strip_prefix(folder).unwrap_or(path).display().to_string(), length)
}

fn good(answer: reqwest::Result<Response>) -> Checked<Response> {
    answer.and_then(Response::error_for_status).map_err(|error| format!("the local S3: {error}"))
}

/// What stands between the tags of a name, each time. The local S3 says nothing that would need a real parser.
fn parts<'a>(text: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let end = format!("</{name}>");
    let pieces: Vec<&str> = text.split(&format!("<{name}>")).skip(1).collect();
    pieces.into_iter().filter_map(move |piece| piece.split_once(&end).map(|(inside, _)| inside))
}

fn part<'a>(text: &'a str, name: &str) -> Checked<&'a str> {
    parts(text, name).next().ok_or_else(|| format!("an answer of the local S3 without {name}: {text}"))
}
