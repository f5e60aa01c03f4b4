//! Workspaces: the list, and one with what is in it.

use crate::model::{
    error::ApiError,
    lock::LockFace,
    workspace::{FileEntry, Note, Page, Saved, Workspace, WorkspaceSummary},
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use crate::{
    api::answer::{answer, is_plain_form},
    model::lock::LockedPart,
    ports::{Principal, WorkspacesPort, authenticated},
};

/// A workspace with what is in it, as its page shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceContents {
    pub workspace: Workspace,
    pub inside: Inside,
}

/// What is in a workspace. Its name is sealed for the organization, so it can be read when what is inside cannot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inside {
    /// A page of its notes and a page of its files.
    Open { notes: Page<Note>, files: Page<FileEntry> },
    /// This workspace is locked alone.
    Locked(LockFace),
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
        let inside = look_inside(port.as_ref(), &who, &workspace, notes_after, files_after).await;
        Ok(WorkspaceContents { workspace: opened, inside: unless_locked_alone(inside)? })
    })
    .await
}

#[cfg(feature = "ssr")]
async fn look_inside(
    port: &dyn WorkspacesPort,
    who: &Principal,
    workspace: &str,
    notes_after: Option<String>,
    files_after: Option<String>,
) -> Result<Inside, ApiError> {
    let notes = port.notes(who, workspace, notes_after.as_deref()).await?;
    let files = port.files(who, workspace, files_after.as_deref()).await?;
    Ok(Inside::Open { notes, files })
}

/// A workspace that is locked alone is an answer, not an error. When everything is locked, the name must not be shown either.
#[cfg(feature = "ssr")]
fn unless_locked_alone(inside: Result<Inside, ApiError>) -> Result<Inside, ApiError> {
    match inside {
        Err(ApiError::Locked(face)) if face.part == LockedPart::Workspace => Ok(Inside::Locked(*face)),
        inside => inside,
    }
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

/// Changes name and description, if `rev` is still the workspace's. Without a name it stays as it is: editors may only
/// describe.
#[server(prefix = "/api", endpoint = "update_workspace")]
pub async fn update_workspace(
    workspace: String,
    rev: i64,
    name: Option<String>,
    description: String,
) -> Result<Saved<Workspace>, ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        let saved = ports.workspaces.update(&who, &workspace, rev, name.as_deref(), &description).await?;
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

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::model::lock::LockCause;

    fn locked(part: LockedPart) -> Result<Inside, ApiError> {
        Err(ApiError::Locked(Box::new(LockFace {
            part,
            cause: LockCause::AccessDenied,
            since: 1,
            refused_at: Some(1),
            code: None,
            request_id: None,
            deletion_at: None,
        })))
    }

    #[test]
    fn only_a_workspace_that_is_locked_alone_is_an_answer() {
        let alone = unless_locked_alone(locked(LockedPart::Workspace)).unwrap();
        assert!(matches!(alone, Inside::Locked(face) if face.part == LockedPart::Workspace));
        assert!(matches!(unless_locked_alone(locked(LockedPart::Everything)), Err(ApiError::Locked(_))));
        assert_eq!(unless_locked_alone(Err(ApiError::NotFound)), Err(ApiError::NotFound));
    }
}
