//! One object on its way into the store, in parts.
//!
//! What must stay true: whoever begins an upload that the store keeps by an id, as S3 does, learns that id before the first
//! part is sent, so that it can be noted, and what a killed server leaves behind be aborted by its id.

use futures::{FutureExt, future::BoxFuture};
use object_store::{
    Error, MultipartId, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload,
    aws::AmazonS3,
    multipart::{MultipartStore, PartId},
    path::Path,
};
use std::sync::Arc;

/// An upload in parts. They are sent one after another.
pub struct ObjectUpload {
    to: To,
}

enum To {
    Folder(Box<dyn MultipartUpload>),
    S3 { store: Arc<AmazonS3>, path: Path, id: MultipartId, parts: Vec<PartId> },
}

/// A part that the store has taken.
pub struct Part(Option<PartId>);

impl ObjectUpload {
    /// Begins to write into a folder.
    pub async fn into_folder(store: &dyn ObjectStore, path: &Path) -> Result<Self, Error> {
        Ok(Self { to: To::Folder(store.put_multipart(path).await?) })
    }

    /// Begins an upload to S3.
    pub async fn into_s3(store: Arc<AmazonS3>, path: Path) -> Result<Self, Error> {
        let id = store.create_multipart(&path).await?;
        Ok(Self { to: To::S3 { store, path, id, parts: Vec::new() } })
    }

    /// The id by which the store keeps what is sent until the upload is completed or aborted; none if it does not.
    pub fn id(&self) -> Option<&str> {
        match &self.to {
            To::Folder(_) => None,
            To::S3 { id, .. } => Some(id),
        }
    }

    /// Sends the next part. [`Self::took`] is told of it before the one after is sent.
    pub fn put_part(&mut self, part: PutPayload) -> BoxFuture<'static, Result<Part, Error>> {
        match &mut self.to {
            To::Folder(upload) => upload.put_part(part).map(|sent| sent.map(|()| Part(None))).boxed(),
            To::S3 { store, path, id, parts } => {
                let (store, path, id, number) = (Arc::clone(store), path.clone(), id.clone(), parts.len());
                async move { store.put_part(&path, &id, number, part).await.map(|id| Part(Some(id))) }.boxed()
            }
        }
    }

    /// A part has arrived.
    pub fn took(&mut self, part: Part) {
        if let (To::S3 { parts, .. }, Some(id)) = (&mut self.to, part.0) {
            parts.push(id);
        }
    }

    /// Makes the object readable at its path.
    pub async fn complete(self) -> Result<(), Error> {
        match self.to {
            To::Folder(mut upload) => upload.complete().await.map(drop),
            To::S3 { store, path, id, parts } => store.complete_multipart(&path, &id, parts).await.map(drop),
        }
    }

    /// Stops: nothing is left of it.
    pub async fn abort(self) -> Result<(), Error> {
        match self.to {
            To::Folder(mut upload) => upload.abort().await,
            To::S3 { store, path, id, .. } => store.abort_multipart(&path, &id).await,
        }
    }
}
