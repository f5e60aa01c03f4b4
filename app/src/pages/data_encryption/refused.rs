//! Deleting a workspace whose data key AWS refuses. Nobody could change the key while it is there, so an administrator may do
//! it who is no member of it, and without anything of it being opened.

use crate::{api::workspace_members::DeleteRefusedWorkspace, components::dialog::ConfirmDialog};
use leptos::{prelude::*, server_fn::ServerFn};

/// The button and its question. `place` tells apart the buttons for one workspace on a page.
pub fn delete_refused(workspace: &str, place: &'static str) -> impl IntoView + use<> {
    let dialog = format!("{place}-{workspace}");
    view! {
        <button
            class="button small destroy"
            type="button"
            id=format!("{dialog}-open")
            popovertarget=dialog.clone()
            aria-label=format!("Delete workspace {workspace}")
        >
            "Delete workspace"
        </button>
        <ConfirmDialog
            id=dialog
            title="Delete this workspace?"
            question=format!(
                "The workspace {workspace} is deleted for everybody, with all notes and files in it. Nothing of it is opened. This cannot be undone.",
            )
            url=DeleteRefusedWorkspace::PATH
            fields=vec![("workspace", workspace.to_owned())]
            grave=true
        />
    }
}
