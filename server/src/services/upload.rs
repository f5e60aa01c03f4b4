//! Taking a file in, piece by piece.

use super::{
    access::{Editing, WorkspaceAccess},
    failure::Failure,
    files::Files,
    object_writer::ObjectWriter,
};
use app::model::{
    error::{ApiError, Invalid},
    workspace::FileEntry,
};
use bytes::Bytes;
use std::sync::Arc;

/// A file on its way in. Dropping it leaves what was written to the collector.
pub struct Upload {
    files: Arc<Files>,
    /// Looked at once more when it is complete.
    workspace: Arc<WorkspaceAccess<Editing>>,
    name: String,
    media_type: String,
    writer: ObjectWriter,
}

impl Upload {
    pub(super) fn new(
        files: Arc<Files>,
        workspace: WorkspaceAccess<Editing>,
        name: String,
        media_type: String,
        writer: ObjectWriter,
    ) -> Self {
        Self { files, workspace: Arc::new(workspace), name, media_type, writer }
    }

    /// Seals and stores the next piece.
    ///
    /// # Errors
    /// Too large, locked, or the workspace is gone.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), ApiError> {
        let outcome = if self.writer.opened() + bytes.len() as u64 > self.files.max_bytes() {
            Err(Failure::Refused(Invalid::FileTooLarge.into()))
        } else {
            self.writer.write(&bytes).await
        };
        match outcome {
            Ok(()) => Ok(()),
            Err(failure) => Err(self.files.tell_in(&self.workspace, failure).await),
        }
    }

    /// Waits until it cannot be finished any more, and says why.
    pub fn ended(&self) -> impl Future<Output = ApiError> + Send + 'static {
        let (files, workspace, leash) = (Arc::clone(&self.files), Arc::clone(&self.workspace), self.writer.leash());
        async move {
            files.keys().vault().ended(&leash).await;
            files.tell_in(&workspace, Failure::Locked).await
        }
    }

    /// Makes the file appear in its workspace.
    ///
    /// # Errors
    /// Locked, the workspace is gone, or the uploader may not write there any more. Nothing is left behind then.
    pub async fn finish(self) -> Result<FileEntry, ApiError> {
        let Self { files, workspace, name, media_type, writer } = self;
        let finished = async {
            let written = writer.complete().await?;
            files.add(&workspace, &name, &media_type, written).await
        };
        let finished = finished.await;
        if finished.is_err() {
            files.collect_soon();
        }
        match finished {
            Ok(entry) => Ok(entry),
            Err(failure) => Err(files.tell_in(&workspace, failure).await),
        }
    }

    /// Leaves nothing behind.
    pub async fn abort(self) {
        let Self { files, writer, .. } = self;
        if let Err(error) = writer.abort().await {
            tracing::warn!(event = "upload_not_aborted", %error, "an aborted upload is left to the collector");
        }
        files.collect_soon();
    }
}
