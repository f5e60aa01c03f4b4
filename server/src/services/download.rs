//! Giving a file out, from any position on.
//!
//! What must stay true: no plaintext leaves after a lock; a chunk that does not open ends the stream with an error, so that
//! the connection breaks instead of pretending to be complete.

use super::{
    access::{Reading, WorkspaceAccess},
    failure::Failure,
    files::{Files, FoundFile, is_gone},
    object_reader::ObjectReader,
};
use bytes::Bytes;
use futures::{Stream, stream};
use std::{io, ops::Range, sync::Arc};
use uuid::Uuid;
use vault::Leash;

/// A file that is ready to be read.
pub struct Download {
    pub name: String,
    pub media_type: String,
    /// Bytes of content.
    pub bytes: u64,
    /// Changes when the content does; re-encryption does not change it.
    pub etag: String,
    files: Arc<Files>,
    /// Looked at when it began. A change of role meets the next request: what has begun goes on to its end.
    workspace: WorkspaceAccess<Reading>,
    object_row: Uuid,
    reader: ObjectReader,
}

impl Download {
    pub(super) fn new(
        files: Arc<Files>,
        workspace: WorkspaceAccess<Reading>,
        found: &FoundFile,
        name: String,
        media_type: String,
        reader: ObjectReader,
    ) -> Self {
        Self {
            name,
            media_type,
            bytes: reader.size(),
            // A file's content is never replaced, so the row that holds it stands for it.
            etag: format!("\"{}\"", found.object.id.simple()),
            files,
            workspace,
            object_row: found.object.id,
            reader,
        }
    }

    /// What ties the content to its lease: once that has ended, nothing of it may go out.
    pub fn leash(&self) -> Leash {
        self.reader.leash()
    }

    /// The content in `range`, which lies within the file.
    pub fn stream(self, range: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        stream::try_unfold((self, range.start), move |(mut download, position)| async move {
            if position >= range.end {
                return Ok(None);
            }
            let bytes = download.next(position..range.end).await.map_err(|failure| {
                // What people are told is of no use in the middle of a body; telling it logs it.
                io::Error::other(format!("{:?}", download.files.tell(failure)))
            })?;
            let next = position + bytes.len() as u64;
            Ok(Some((bytes, (download, next))))
        })
    }

    async fn next(&mut self, range: Range<u64>) -> Result<Bytes, Failure> {
        let vault = Arc::clone(self.files.keys().vault());
        let read = tokio::select! {
            biased;
            () = vault.locked() => Err(Failure::Locked),
            read = self.read(range) => read,
        }?;
        // The lock may have fallen while the bytes were being opened.
        if self.leash().is_live() { Ok(Bytes::from(read)) } else { Err(Failure::Locked) }
    }

    /// Reads on; if a job has replaced the object meanwhile, from the new one at the same position.
    async fn read(&mut self, range: Range<u64>) -> Result<Vec<u8>, Failure> {
        match self.reader.read(range.clone()).await {
            Err(failure) if is_gone(&failure) => {
                self.reader = self.files.reader(&self.workspace, self.object_row).await?;
                self.reader.read(range).await
            }
            other => other,
        }
    }
}
