//! Uploads in parts that a bucket keeps though nobody has ended them. The client for S3 that everything else uses cannot list them.
//!
//! What must stay true: this only lists. Whether one is somebody's is the caller's to find out, after it was listed.

use bytes::Bytes;
use object_store::{
    ClientOptions, Error,
    aws::{AmazonS3, AwsAuthorizer},
    client::{HttpClient, HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector},
    path::Path,
};
use std::{fmt::Write, sync::Arc};

/// How many pages of a thousand are read at once; the rest comes the next time.
const PAGES: usize = 100;

/// An upload that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The path it is to, below the prefix.
    pub place: String,
    pub id: String,
}

/// A bucket with its prefix.
#[derive(Clone)]
pub struct Bucket {
    pub s3: Arc<AmazonS3>,
    pub prefix: Path,
    url: String,
    region: String,
    client: HttpClient,
}

impl Bucket {
    /// `url` is that of the bucket.
    pub fn new(s3: AmazonS3, prefix: Path, url: String, region: String) -> Result<Self, Error> {
        let options = ClientOptions::new().with_allow_http(url.starts_with("http://"));
        let client = ReqwestConnector::default().connect(&options)?;
        Ok(Self { s3: Arc::new(s3), prefix, url, region, client })
    }

    /// The uploads below the prefix.
    pub async fn unfinished(&self) -> Result<Vec<Unfinished>, Error> {
        let below = if self.prefix.as_ref().is_empty() { String::new() } else { format!("{}/", self.prefix) };
        let mut found = Vec::new();
        let mut after = String::new();
        for _ in 0..PAGES {
            let page = self.ask(&format!("uploads&prefix={}{after}", escaped(&below))).await?;
            found.extend(uploads(&page, &below));
            let next = (first(&page, "NextKeyMarker"), first(&page, "NextUploadIdMarker"));
            match (first(&page, "IsTruncated").as_deref(), next) {
                (Some("true"), (Some(key), Some(id))) => {
                    after = format!("&key-marker={}&upload-id-marker={}", escaped(&key), escaped(&id));
                }
                _ => break,
            }
        }
        Ok(found)
    }

    async fn ask(&self, query: &str) -> Result<String, Error> {
        let credential = self.s3.credentials().get_credential().await?;
        let mut request: HttpRequest = http::Request::builder()
            .uri(format!("{}?{query}", self.url))
            .body(HttpRequestBody::empty())
            .map_err(failed)?;
        AwsAuthorizer::new(&credential, "s3", &self.region).try_authorize(&mut request, None)?;
        let answer = self.client.execute(request).await.map_err(failed)?;
        let status = answer.status();
        let body: Bytes = answer.into_body().bytes().await.map_err(failed)?;
        if status.is_success() {
            Ok(String::from_utf8_lossy(&body).into_owned())
        } else {
            Err(failed(std::io::Error::other(format!("uploads are not listed: {status}"))))
        }
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Generic { store: "S3", source: Box::new(error) }
}

/// The uploads of a page that are below `prefix`.
fn uploads(page: &str, prefix: &str) -> Vec<Unfinished> {
    let of = |upload: &str| {
        let place = first(upload, "Key")?.strip_prefix(prefix)?.to_owned();
        Some(Unfinished { place, id: first(upload, "UploadId")? })
    };
    let pieces = page.split("<Upload>").skip(1);
    pieces.filter_map(|piece| piece.split_once("</Upload>")).filter_map(|(upload, _)| of(upload)).collect()
}

/// What stands between the first tags of a name. The tags of this answer have no attributes.
fn first(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (inside, _) = rest.split_once(&format!("</{name}>"))?;
    let mut plain = inside.to_owned();
    // Last what may be part of another.
    for (entity, char) in
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")]
    {
        plain = plain.replace(entity, char);
    }
    Some(plain)
}

/// As it may stand in a query.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_are_read_from_a_page() {
        let page = "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>\
            <Upload><Key>a&amp;b/w/o</Key><UploadId>1+/=</UploadId></Upload>\
            <Upload><Key>elsewhere</Key><UploadId>2</UploadId></Upload></ListMultipartUploadsResult>";
        let expected = Unfinished { place: "w/o".to_owned(), id: "1+/=".to_owned() };
        assert_eq!(uploads(page, "a&b/"), [expected]);
        assert_eq!(first(page, "IsTruncated").as_deref(), Some("false"));
        assert_eq!(first(page, "NextKeyMarker"), None);
    }

    #[test]
    fn what_means_something_in_a_query_is_escaped() {
        assert_eq!(escaped("a b/c&d=é"), "a%20b%2Fc%26d%3D%C3%A9");
    }
}
