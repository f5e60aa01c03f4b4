//! The name of a workspace, and changing or deleting it.

use super::Desk;
use crate::{
    api::workspaces::{DeleteWorkspace, UpdateWorkspace},
    browser::page::{self, Fields},
    components::dialog::{ConfirmDialog, FormDialog},
    model::{
        error::ApiError,
        workspace::{Saved, Workspace},
    },
    pages::workspaces::{TextFields, check_texts},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;

#[component]
pub fn Heading(desk: Desk, workspace: Workspace) -> impl IntoView {
    let shown = RwSignal::new(workspace);
    let error = RwSignal::new(None::<ApiError>);
    let save = ServerAction::<UpdateWorkspace>::new();
    let delete = ServerAction::<DeleteWorkspace>::new();
    Effect::new(move |_| match save.value().get() {
        Some(Ok(Saved::Stored(stored))) => {
            shown.set(stored);
            page::close_dialog("edit-workspace");
            page::focus("workspace-name");
        }
        // The newer texts are shown behind the dialog, which keeps the person's own; saving again goes on top of them.
        Some(Ok(Saved::Conflict(theirs))) => {
            shown.update(|shown| *shown = theirs);
            error.set(Some(ApiError::Conflict));
        }
        Some(Err(latest)) => error.set(Some(latest)),
        None => {}
    });
    let send = move |fields: Fields| {
        let (name, description) = (fields.text("name"), fields.text("description"));
        let problem = check_texts(&name, &description);
        error.set(problem.map(ApiError::from));
        if problem.is_none() && !save.pending().get_untracked() {
            let rev = shown.with_untracked(|shown| shown.rev);
            save.dispatch(UpdateWorkspace { workspace: desk.id.get_untracked(), rev, name, description });
        }
    };
    let refused = move || delete.value().get().and_then(Result::err).map(|error| error.message());
    let (name, description) = shown.with_untracked(|shown| (shown.name.clone(), shown.description.clone()));
    view! {
        <Title text=move || shown.with(|shown| format!("{} · Keystead", shown.name))/>
        <div class="page-head">
            <div>
                <p class="small">
                    <a href="/workspaces">"Workspaces"</a>
                </p>
                <h1 class="wrap" id="workspace-name" tabindex="-1">
                    {move || shown.with(|shown| shown.name.clone())}
                </h1>
                <p class="lede wrap lines">{move || shown.with(|shown| shown.description.clone())}</p>
            </div>
            <div class="row scripted">
                <button class="button" type="button" popovertarget="edit-workspace">
                    "Rename"
                </button>
                <button class="button destroy" type="button" popovertarget="delete-workspace">
                    "Delete workspace"
                </button>
            </div>
        </div>
        {move || refused().map(|text| view! { <p class="notice bad" role="alert">{text}</p> })}
        <FormDialog
            id="edit-workspace"
            title="Edit workspace"
            url=UpdateWorkspace::PATH
            send="Save"
            on_send=send
            error=error
            busy=save.pending()
        >
            <TextFields prefix="edit" name=name description=description/>
        </FormDialog>
        <ConfirmDialog
            id="delete-workspace"
            title="Delete this workspace?"
            question=Signal::derive(move || {
                format!(
                    "{} is deleted with all notes and files in it. This cannot be undone.",
                    shown.with(|shown| shown.name.clone()),
                )
            })
            on_yes=move |()| {
                delete.dispatch(DeleteWorkspace { workspace: desk.id.get_untracked() });
            }
        />
    }
}
