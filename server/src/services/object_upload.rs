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
use std::{fs::File, io, path, sync::Arc};
use tokio::task::{JoinHandle, spawn, spawn_blocking};

/// After so many bytes, a file is brought to the disk while the next are written. Otherwise the disk would have nothing to do
/// until the file is complete, and then everybody would wait for it.
const FLUSHED_AFTER: usize = 32 << 20;

/// An upload in parts. They are sent one after another.
pub struct ObjectUpload {
    to: To,
}

enum To {
    Folder { upload: Box<dyn MultipartUpload>, flushing: Flushing },
    S3 { store: Arc<AmazonS3>, path: Path, id: MultipartId, parts: Vec<PartId> },
}

/// A part that the store has taken.
pub enum Part {
    /// So many bytes in a file.
    Written(usize),
    Sent(PartId),
}

impl ObjectUpload {
    /// Begins to write into a folder.
    pub async fn into_folder(store: &dyn ObjectStore, folder: &path::Path, path: &Path) -> Result<Self, Error> {
        let upload = store.put_multipart(path).await?;
        Ok(Self { to: To::Folder { upload, flushing: Flushing::of(half_written_at(folder, path.as_ref(), 1)) } })
    }

    /// Begins an upload to S3.
    pub async fn into_s3(store: Arc<AmazonS3>, path: Path) -> Result<Self, Error> {
        let id = store.create_multipart(&path).await?;
        Ok(Self { to: To::S3 { store, path, id, parts: Vec::new() } })
    }

    /// The id by which the store keeps what is sent until the upload is completed or aborted; none if it does not.
    pub fn id(&self) -> Option<&str> {
        match &self.to {
            To::Folder { .. } => None,
            To::S3 { id, .. } => Some(id),
        }
    }

    /// Sends the next part. [`Self::took`] is told of it before the one after is sent.
    pub fn put_part(&mut self, part: PutPayload) -> BoxFuture<'static, Result<Part, Error>> {
        match &mut self.to {
            To::Folder { upload, .. } => {
                let bytes = part.content_length();
                upload.put_part(part).map(move |sent| sent.map(|()| Part::Written(bytes))).boxed()
            }
            To::S3 { store, path, id, parts } => {
                let (store, path, id, number) = (Arc::clone(store), path.clone(), id.clone(), parts.len());
                async move { store.put_part(&path, &id, number, part).await.map(Part::Sent) }.boxed()
            }
        }
    }

    /// A part has arrived.
    pub fn took(&mut self, part: Part) {
        match (&mut self.to, part) {
            (To::S3 { parts, .. }, Part::Sent(id)) => parts.push(id),
            (To::Folder { flushing, .. }, Part::Written(bytes)) => flushing.wrote(bytes),
            _ => {}
        }
    }

    /// Makes the object readable at its path.
    pub async fn complete(self) -> Result<(), Error> {
        match self.to {
            To::Folder { mut upload, flushing } => {
                let flushed = flushing.end().await;
                flushed.map_err(|error| Error::Generic { store: "local folder", source: Box::new(error) })?;
                upload.complete().await.map(drop)
            }
            To::S3 { store, path, id, parts } => store.complete_multipart(&path, &id, parts).await.map(drop),
        }
    }

    /// Stops: nothing is left of it.
    pub async fn abort(self) -> Result<(), Error> {
        match self.to {
            To::Folder { mut upload, .. } => upload.abort().await,
            To::S3 { store, path, id, .. } => store.abort_multipart(&path, &id).await,
        }
    }
}

/// A file that is being written, with a handle of its own on it.
struct Flushing {
    /// None if it is not where it is looked for: then it is flushed at its end only.
    file: Option<Arc<File>>,
    /// Bytes since the last flush was begun.
    bytes: usize,
    under_way: Option<JoinHandle<io::Result<()>>>,
}

impl Flushing {
    fn of(path: path::PathBuf) -> Self {
        Self { file: File::open(path).ok().map(Arc::new), bytes: 0, under_way: None }
    }

    fn wrote(&mut self, bytes: usize) {
        self.bytes += bytes;
        let is_idle = self.under_way.as_ref().is_none_or(JoinHandle::is_finished);
        if self.bytes < FLUSHED_AFTER || !is_idle {
            return;
        }
        if let Some(file) = self.file.clone() {
            self.bytes = 0;
            let before = self.under_way.take();
            self.under_way = Some(spawn(async move {
                ended(before).await?;
                ended(Some(spawn_blocking(move || file.sync_data()))).await
            }));
        }
    }

    /// Waits for what is under way; an error if any of the flushes failed. What is left is flushed when the file is completed.
    async fn end(self) -> io::Result<()> {
        ended(self.under_way).await
    }
}

async fn ended(flush: Option<JoinHandle<io::Result<()>>>) -> io::Result<()> {
    match flush {
        Some(flush) => flush.await.unwrap_or_else(|error| Err(io::Error::other(error))),
        None => Ok(()),
    }
}

/// Where a local write to `path` goes until it is complete; the n-th of several at the same time.
pub(super) fn half_written_at(folder: &path::Path, path: &str, n: u32) -> path::PathBuf {
    folder.join(format!("{path}#{n}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::*;
    use object_store::local::LocalFileSystem;

    #[tokio::test]
    async fn a_file_is_flushed_while_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalFileSystem::new_with_prefix(folder.path()).unwrap().with_fsync(true);
        let mut upload = ObjectUpload::into_folder(&store, folder.path(), &Path::from("a/b")).await.unwrap();
        let part = vec![7; FLUSHED_AFTER / 2];
        for is_begun in [false, true] {
            let sent = upload.put_part(part.clone().into()).await.unwrap();
            upload.took(sent);
            let To::Folder { flushing, .. } = &upload.to else { unreachable!("it goes to a folder") };
            assert_eq!(flushing.under_way.is_some(), is_begun);
        }
        upload.complete().await.unwrap();
        assert_eq!(std::fs::metadata(folder.path().join("a/b")).unwrap().len(), FLUSHED_AFTER as u64);
    }
}
