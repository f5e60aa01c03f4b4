//! Workspaces: the list, and one with what is in it.

use crate::model::{
    error::ApiError,
    workspace::{FileEntry, Note, Page, Saved, Workspace, WorkspaceSummary},
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use crate::{
    api::answer::{answer, is_plain_form},
    ports::authenticated,
};

/// A workspace with a page of its notes and a page of its files, as its page shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceContents {
    pub workspace: Workspace,
    pub notes: Page<Note>,
    pub files: Page<FileEntry>,
}

/// A page of the list.
#[server(prefix = "/api", endpoint = "list_workspaces")]
pub async fn list_workspaces(after: Option<String>) -> Result<Page<WorkspaceSummary>, ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.workspaces.list(&who, after.as_deref()).await
    })
    .await
}

/// A workspace, with the page of notes after `notes_after` and the page of files after `files_after`.
#[server(prefix = "/api", endpoint = "open_workspace")]
pub async fn open_workspace(
    workspace: String,
    notes_after: Option<String>,
    files_after: Option<String>,
) -> Result<WorkspaceContents, ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        let port = ports.workspaces;
        let opened = port.get(&who, &workspace).await?;
        let notes = port.notes(&who, &workspace, notes_after.as_deref()).await?;
        let files = port.files(&who, &workspace, files_after.as_deref()).await?;
        Ok(WorkspaceContents { workspace: opened, notes, files })
    })
    .await
}

/// Makes a workspace and goes to it.
#[server(prefix = "/api", endpoint = "create_workspace")]
pub async fn create_workspace(name: String, description: String) -> Result<(), ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        let made = ports.workspaces.create(&who, &name, &description).await?;
        leptos_axum::redirect(&format!("/workspaces/{}", made.id));
        Ok(())
    })
    .await
}

/// Changes name and description, if `rev` is still the workspace's.
#[server(prefix = "/api", endpoint = "update_workspace")]
pub async fn update_workspace(
    workspace: String,
    rev: i64,
    name: String,
    description: String,
) -> Result<Saved<Workspace>, ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        let saved = ports.workspaces.update(&who, &workspace, rev, &name, &description).await?;
        match saved {
            // A plain form shows no answer, only an error.
            Saved::Conflict(_) if is_plain_form() => Err(ApiError::Conflict),
            saved => Ok(saved),
        }
    })
    .await
}

/// Deletes a workspace with everything in it, and goes to the list.
#[server(prefix = "/api", endpoint = "delete_workspace")]
pub async fn delete_workspace(workspace: String) -> Result<(), ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.workspaces.delete(&who, &workspace).await?;
        leptos_axum::redirect("/workspaces");
        Ok(())
    })
    .await
}
