//! A workspace: its notes and its files.

mod files;
mod heading;
mod members;
mod note_editor;
mod notes;
mod uploader;

pub use members::WorkspaceMembersPage;

use crate::{
    api::{
        files::DeleteFile,
        notes::DeleteNote,
        workspace_members::LeaveWorkspace,
        workspaces::{DeleteWorkspace, Inside, UpdateWorkspace, WorkspaceContents, open_workspace},
    },
    components::{
        form::{ReturnedError, returned_error},
        opened::{Locked, opened},
    },
    model::{identity::Frame, workspace::WorkspaceRole},
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

/// Where in the lists of a workspace the reader is.
#[derive(Clone, Copy)]
struct Position {
    notes_first: bool,
    files_first: bool,
}

#[component]
pub fn WorkspacePage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let query = use_query_map().get_untracked();
    let (notes_after, files_after) = (query.get("notes_after"), query.get("files_after"));
    let position = Position { notes_first: notes_after.is_none(), files_first: files_after.is_none() };
    let contents = OnceResource::new(open_workspace(id, notes_after, files_after));
    let failed = returned_error::<UpdateWorkspace>()
        .or_else(returned_error::<DeleteWorkspace>)
        .or_else(returned_error::<LeaveWorkspace>)
        .or_else(returned_error::<DeleteNote>)
        .or_else(returned_error::<DeleteFile>);
    view! {
        {super::tab_title("Workspace")}
        <ReturnedError error=failed/>
        <div class="stack wide" data-holds-data="true">
            {opened(contents, Some("Workspace"), move |contents, frame| view! { <Contents contents frame position/> }.into_any())}
        </div>
    }
}

#[component]
fn Contents(contents: WorkspaceContents, frame: Frame, position: Position) -> impl IntoView {
    let id = contents.workspace.id.clone();
    let may_edit = contents.workspace.role >= WorkspaceRole::Editor;
    view! {
        <heading::Heading workspace=contents.workspace/>
        {match contents.inside {
            Inside::Open { notes, files } => {
                view! {
                    <notes::Notes workspace=id.clone() page=notes is_first=position.notes_first may_edit/>
                    <files::Files
                        workspace=id
                        page=files
                        is_first=position.files_first
                        may_edit
                        limit=frame.deployment.max_file_bytes
                    />
                }
                    .into_any()
            }
            Inside::Locked(face) => view! { <Locked face workspace=id/> }.into_any(),
        }}
    }
}
