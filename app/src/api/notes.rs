//! Notes in a workspace.

use crate::model::{
    error::ApiError,
    workspace::{Note, Saved},
};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::{api::answer, ports::authenticated};

/// Adds a note.
#[server(prefix = "/api", endpoint = "create_note")]
pub async fn create_note(workspace: String, text: String) -> Result<Note, ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.workspaces.create_note(&who, &workspace, &text).await
    })
    .await
}

/// Changes a note, if `rev` is still the note's.
#[server(prefix = "/api", endpoint = "update_note")]
pub async fn update_note(workspace: String, note: String, rev: i64, text: String) -> Result<Saved<Note>, ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.workspaces.update_note(&who, &workspace, &note, rev, &text).await
    })
    .await
}

/// Deletes a note.
#[server(prefix = "/api", endpoint = "delete_note")]
pub async fn delete_note(workspace: String, note: String) -> Result<(), ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.workspaces.delete_note(&who, &workspace, &note).await
    })
    .await
}
