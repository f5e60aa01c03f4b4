//! The object store: a local folder or S3, behind one small face.
//!
//! Paths are `{workspace}/{object id}`; they say nothing about names or contents.

use super::{
    object_unfinished::{Bucket, Unfinished},
    object_upload::{ObjectUpload, half_written_at},
};
use crate::config::ObjectsAt;
use async_trait::async_trait;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use bytes::Bytes;
use futures::{
    StreamExt, TryStreamExt, future,
    stream::{self, BoxStream},
};
use object_store::{
    CredentialProvider, Error, GetOptions, GetRange, GetResultPayload, ObjectStore, ObjectStoreExt, PutPayload,
    aws::{AmazonS3Builder, AwsCredential},
    local::LocalFileSystem,
    multipart::MultipartStore,
    path::Path,
    prefix::PrefixStore,
};
use std::{
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    ops::Range,
    path::PathBuf,
    sync::Arc,
};
use uuid::Uuid;

/// Where sealed contents are kept.
#[derive(Clone)]
pub struct ObjectStorage {
    store: Arc<dyn ObjectStore>,
    at: At,
}

#[derive(Clone)]
enum At {
    /// There a write that was killed leaves files that the store itself does not see.
    Folder(PathBuf),
    /// There uploads in parts are known by an id.
    Bucket(Bucket),
}

/// Why the object store could not be opened at start.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("KEYSTEAD_OBJECTS: the folder {folder} cannot be made or opened: {error}")]
    Folder { folder: String, error: std::io::Error },
    #[error("KEYSTEAD_OBJECTS: {0}")]
    Store(#[from] Error),
}

impl ObjectStorage {
    /// Opens the store that the configuration names. A local folder is made if it is missing.
    ///
    /// # Errors
    /// When the folder cannot be made, or the S3 settings do not fit together.
    pub fn open(at: &ObjectsAt, sdk: &aws_config::SdkConfig) -> Result<Self, StorageError> {
        match at {
            ObjectsAt::File(folder) => {
                let made = std::fs::create_dir_all(folder).and_then(|()| folder.canonicalize());
                let folder =
                    made.map_err(|error| StorageError::Folder { folder: folder.display().to_string(), error })?;
                let store = LocalFileSystem::new_with_prefix(&folder)?.with_fsync(true);
                Ok(Self { store: Arc::new(store), at: At::Folder(folder) })
            }
            ObjectsAt::S3 { bucket, prefix } => {
                let mut builder = AmazonS3Builder::new().with_bucket_name(bucket);
                if let Some(region) = sdk.region() {
                    builder = builder.with_region(region.as_ref());
                }
                // The SDK reads AWS_ENDPOINT_URL_S3 only for its own S3 client, so it is read here.
                let endpoint = std::env::var("AWS_ENDPOINT_URL_S3").ok().or_else(|| sdk.endpoint_url().map(Into::into));
                let region = sdk.region().map_or_else(String::new, ToString::to_string);
                let at = endpoint.clone().unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
                if let Some(endpoint) = endpoint {
                    builder = builder.with_allow_http(endpoint.starts_with("http://")).with_endpoint(endpoint);
                }
                if let Some(provider) = sdk.credentials_provider() {
                    builder = builder.with_credentials(Arc::new(SdkCredentials(provider)));
                }
                let (s3, prefix) = (builder.build()?, Path::from(prefix.as_str()));
                let store = PrefixStore::new(s3.clone(), prefix.clone());
                let bucket = Bucket::new(s3, prefix, format!("{}/{bucket}", at.trim_end_matches('/')), region)?;
                Ok(Self { store: Arc::new(store), at: At::Bucket(bucket) })
            }
        }
    }

    /// Where a new object goes.
    pub fn place(workspace: Uuid, object_id: Uuid) -> String {
        format!("{workspace}/{object_id}")
    }

    /// Writes an object whole.
    pub async fn put(&self, place: &str, bytes: Vec<u8>) -> Result<(), Error> {
        self.store.put(&Path::from(place), PutPayload::from(bytes)).await.map(drop)
    }

    /// Begins to write in parts. Nothing can be read at `place` before the upload is completed.
    pub async fn write(&self, place: &str) -> Result<ObjectUpload, Error> {
        match &self.at {
            At::Bucket(bucket) => ObjectUpload::into_s3(Arc::clone(&bucket.s3), within(&bucket.prefix, place)).await,
            At::Folder(folder) => ObjectUpload::into_folder(self.store.as_ref(), folder, &Path::from(place)).await,
        }
    }

    /// Aborts an upload in parts that somebody else has begun and left. One that is not there (any more) is fine.
    pub async fn abort(&self, place: &str, upload: &str) -> Result<(), Error> {
        let At::Bucket(bucket) = &self.at else { return Ok(()) };
        match bucket.s3.abort_multipart(&within(&bucket.prefix, place), &upload.to_owned()).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Every upload in parts to a path of ours that nobody has ended. A folder has none: there they are files.
    pub async fn unfinished(&self) -> Result<Vec<Unfinished>, Error> {
        let At::Bucket(bucket) = &self.at else { return Ok(Vec::new()) };
        let mut found = bucket.unfinished().await?;
        found.retain(|upload| is_place(&upload.place));
        Ok(found)
    }

    /// Reads a range of bytes, and says how long the whole object is.
    pub async fn read(&self, place: &str, range: Range<u64>) -> Result<(Bytes, u64), Error> {
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let found = self.store.get_opts(&Path::from(place), options).await?;
        let size = found.meta.size;
        Ok((found.bytes().await?, size))
    }

    /// Reads a range of bytes into a buffer that may have been used before, in place of what it held. Fewer bytes are read if the
    /// object ends before the range does.
    pub async fn read_into(&self, place: &str, range: Range<u64>, mut buffer: Vec<u8>) -> Result<Vec<u8>, Error> {
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let found = self.store.get_opts(&Path::from(place), options).await?;
        let range = found.range.clone();
        buffer.clear();
        buffer.reserve(usize::try_from(range.end - range.start).unwrap_or_default());
        match found.payload {
            GetResultPayload::File(mut file, _) => {
                let read = tokio::task::spawn_blocking(move || {
                    file.seek(SeekFrom::Start(range.start))?;
                    file.take(range.end - range.start).read_to_end(&mut buffer)?;
                    Ok(buffer)
                });
                let read = read.await.unwrap_or_else(|error| Err(io::Error::other(error)));
                read.map_err(|error| Error::Generic { store: "local folder", source: Box::new(error) })
            }
            GetResultPayload::Stream(mut parts) => {
                while let Some(part) = parts.try_next().await? {
                    buffer.extend_from_slice(&part);
                }
                Ok(buffer)
            }
        }
    }

    /// Reads a small object as a whole; `None` if there is none.
    pub async fn read_whole(&self, place: &str) -> Result<Option<Bytes>, Error> {
        match self.store.get(&Path::from(place)).await {
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a small object in one go, in place of what was there.
    pub async fn write_whole(&self, place: &str, content: String) -> Result<(), Error> {
        self.store.put(&Path::from(place), PutPayload::from(content)).await?;
        Ok(())
    }

    /// How long the object at `place` is.
    pub async fn size(&self, place: &str) -> Result<u64, Error> {
        Ok(self.store.head(&Path::from(place)).await?.size)
    }

    /// Every path that holds an object of ours, or in a folder a half-written one; in no order, some perhaps twice.
    pub fn list(&self) -> BoxStream<'static, Result<String, Error>> {
        let objects = self.store.list(None).map_ok(|found| found.location.to_string());
        let At::Folder(folder) = self.at.clone() else {
            return objects.try_filter(|path| future::ready(is_place(path))).boxed();
        };
        let half_written = stream::once(async move {
            let found = tokio::task::spawn_blocking(move || half_written(&folder)).await;
            let found = found.unwrap_or_else(|error| Err(std::io::Error::other(error)));
            let found = found.map_err(|error| Error::Generic { store: "local folder", source: Box::new(error) })?;
            Ok::<_, Error>(stream::iter(found.into_iter().map(Ok)))
        });
        objects.chain(half_written.try_flatten()).try_filter(|path| future::ready(is_place(path))).boxed()
    }

    /// Whether the store itself is there: an error if it is not.
    pub async fn answers(&self) -> Result<(), Error> {
        if let At::Folder(folder) = &self.at {
            let there = tokio::fs::metadata(folder).await;
            there.map_err(|error| Error::Generic { store: "local folder", source: Box::new(error) })?;
        }
        self.store.list(None).next().await.transpose()?;
        Ok(())
    }

    /// Removes what is at `place`, and what a killed write has left beside it. What is not there is fine.
    pub async fn remove(&self, place: &str) -> Result<(), Error> {
        match self.store.delete(&Path::from(place)).await {
            Ok(()) | Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
        if let At::Folder(folder) = &self.at {
            let folder = folder.clone();
            let place = place.to_owned();
            let cleaned = tokio::task::spawn_blocking(move || remove_half_written(&folder, &place)).await;
            let outcome = cleaned.unwrap_or_else(|error| Err(std::io::Error::other(error)));
            outcome.map_err(|error| Error::Generic { store: "local folder", source: Box::new(error) })?;
        }
        Ok(())
    }
}

/// The path in the bucket.
fn within(prefix: &Path, place: &str) -> Path {
    prefix.parts().chain(Path::from(place).parts()).collect()
}

/// Whether the store failed because it has no room left: a full disk, or a server for S3 that says so (status 507, RFC 4918
/// §11.5, or `QuotaExceeded`).
pub fn is_full(error: &Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        if matches!(kind, Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded)) {
            return true;
        }
        cause = error.source();
    }
    let said = error.to_string();
    said.contains("507 Insufficient Storage") || said.contains("QuotaExceeded")
}

/// Whether this is how we name a path. What others keep beside ours is none of our business.
fn is_place(path: &str) -> bool {
    let parts: Vec<_> = path.split('/').collect();
    parts.len() == 2 && parts.iter().all(|part| Uuid::try_parse(part).is_ok())
}

/// The paths whose writing has left a file beside them. A folder that goes meanwhile is no error.
fn half_written(folder: &std::path::Path) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    for workspace in std::fs::read_dir(folder)? {
        let workspace = workspace?;
        let Ok(files) = std::fs::read_dir(workspace.path()) else { continue };
        for file in files {
            let name = file?.file_name();
            if let Some((object, _)) = name.to_string_lossy().split_once('#') {
                found.push(format!("{}/{object}", workspace.file_name().to_string_lossy()));
            }
        }
    }
    Ok(found)
}

fn remove_half_written(folder: &std::path::Path, place: &str) -> std::io::Result<()> {
    for number in 1_u32.. {
        match std::fs::remove_file(half_written_at(folder, place, number)) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The AWS SDK's credentials, for the object store: one chain of credentials for everything.
#[derive(Debug)]
struct SdkCredentials(SharedCredentialsProvider);

#[async_trait]
impl CredentialProvider for SdkCredentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> Result<Arc<AwsCredential>, Error> {
        let found = self.0.provide_credentials().await;
        let found = found.map_err(|error| Error::Generic { store: "S3", source: Box::new(error) })?;
        Ok(Arc::new(AwsCredential {
            key_id: found.access_key_id().to_owned(),
            secret_key: found.secret_access_key().to_owned(),
            token: found.session_token().map(ToOwned::to_owned),
        }))
    }
}
