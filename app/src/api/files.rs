//! Files in a workspace. Their content goes through routes of its own, not through server functions.

use crate::model::{error::ApiError, workspace::FileEntry};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::{api::answer, ports::authenticated};

/// Gives a file another name.
#[server(prefix = "/api", endpoint = "rename_file")]
pub async fn rename_file(workspace: String, file: String, name: String) -> Result<FileEntry, ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.workspaces.rename_file(&who, &workspace, &file, &name).await
    })
    .await
}

/// Deletes a file.
#[server(prefix = "/api", endpoint = "delete_file")]
pub async fn delete_file(workspace: String, file: String) -> Result<(), ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.workspaces.delete_file(&who, &workspace, &file).await
    })
    .await
}
