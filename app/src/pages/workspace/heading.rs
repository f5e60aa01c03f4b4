//! The name of a workspace, and changing or deleting it.

use crate::{
    api::{
        workspace_members::{LeaveWorkspace, members_page},
        workspaces::{DeleteWorkspace, UpdateWorkspace, update_workspace},
    },
    browser::page::{self, Fields},
    components::{
        dialog::{CancelButton, ConfirmDialog, Dialog},
        form::{FieldError, PostForm, SendButton},
    },
    model::{
        error::ApiError,
        workspace::{Saved, Workspace, WorkspaceRole},
    },
    pages::workspaces::{DescriptionField, TextFields, check_texts},
};
use leptos::{prelude::*, server_fn::ServerFn, task::spawn_local};
use leptos_meta::Title;

#[component]
pub fn Heading(workspace: Workspace) -> impl IntoView {
    view! {
        <Title text=format!("{} · Keystead", workspace.name)/>
        <div class="page-head">
            <div data-part="name">
                <p class="small">
                    <a href="/workspaces">"Workspaces"</a>
                </p>
                <h1 class="wrap">{workspace.name.clone()}</h1>
                <p>
                    <span class="visually-hidden">"Your role: "</span>
                    <span class="badge">{workspace.role.label()}</span>
                </p>
                <p class="lede wrap lines">{workspace.description.clone()}</p>
            </div>
            {actions(&workspace)}
        </div>
        {match workspace.role {
            WorkspaceRole::Owner => {
                view! {
                    <ConfirmDialog
                        id="delete-workspace"
                        title="Delete this workspace?"
                        question=format!(
                            "{} is deleted with all notes and files in it. This cannot be undone.",
                            workspace.name,
                        )
                        url=DeleteWorkspace::PATH
                        fields=vec![("workspace", workspace.id.clone())]
                    />
                }
            }
            WorkspaceRole::Editor | WorkspaceRole::Reader => {
                view! {
                    <ConfirmDialog
                        id="leave-workspace"
                        title="Leave this workspace?"
                        question="You will not see it any more, until an owner adds you again."
                        answer="Leave"
                        url=LeaveWorkspace::PATH
                        fields=vec![("workspace", workspace.id.clone())]
                    />
                }
            }
        }}
        {(workspace.role >= WorkspaceRole::Editor).then(|| view! { <EditWorkspace workspace/> })}
    }
}

/// What the role of whoever looks allows.
fn actions(workspace: &Workspace) -> AnyView {
    match workspace.role {
        WorkspaceRole::Owner => view! {
            <div class="row">
                <a class="button" href=members_page(&workspace.id)>
                    "Members"
                </a>
                <button class="button" type="button" popovertarget="edit-workspace">
                    "Rename"
                </button>
                <button class="button destroy" type="button" popovertarget="delete-workspace">
                    "Delete workspace"
                </button>
            </div>
        }
        .into_any(),
        role => view! {
            <div class="row">
                {(role == WorkspaceRole::Editor)
                    .then(|| {
                        view! {
                            <button class="button" type="button" popovertarget="edit-workspace">
                                "Describe"
                            </button>
                        }
                    })}
                <button class="button" type="button" popovertarget="leave-workspace">
                    "Leave"
                </button>
            </div>
        }
        .into_any(),
    }
}

/// The dialog that changes name and description; the description alone for an editor.
#[island]
fn EditWorkspace(workspace: Workspace) -> impl IntoView {
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    // The texts as somebody else has saved them meanwhile.
    let theirs = RwSignal::new(None::<String>);
    let rev = RwSignal::new(workspace.rev);
    let id = workspace.id.clone();
    let may_rename = workspace.role == WorkspaceRole::Owner;
    let send = move |fields: Fields| {
        let (name, description) = (may_rename.then(|| fields.text("name")), fields.text("description"));
        let problem = check_texts(name.as_deref(), &description);
        error.set(problem.map(ApiError::from));
        if problem.is_some() || busy.get_untracked() {
            return;
        }
        busy.set(true);
        let id = id.clone();
        spawn_local(async move {
            match update_workspace(id, rev.get_untracked(), name, description).await {
                Ok(Saved::Stored(_)) => page::reload(),
                Ok(Saved::Conflict(newer)) => {
                    rev.set(newer.rev);
                    theirs.set(Some(newer.name));
                }
                Err(refused) => error.set(Some(refused)),
            }
            busy.set(false);
        });
    };
    view! {
        <Dialog id="edit-workspace" title="Rename or describe">
            <PostForm url=UpdateWorkspace::PATH on_send=send>
                <input type="hidden" name="workspace" value=workspace.id/>
                <input type="hidden" name="rev" value=workspace.rev.to_string()/>
                {if may_rename {
                    view! { <TextFields name=workspace.name description=workspace.description/> }.into_any()
                } else {
                    view! { <DescriptionField description=workspace.description/> }.into_any()
                }}
                <p class="notice warn small" role="alert" hidden=move || theirs.with(Option::is_none)>
                    "Somebody else changed this workspace. It is now called "
                    {move || theirs.get().unwrap_or_default()}
                    ". Save again to replace that with your own."
                </p>
                <FieldError id="edit-workspace-error" error=error/>
                <div class="row">
                    <SendButton label="Save" busy/>
                    <CancelButton dialog="edit-workspace"/>
                </div>
            </PostForm>
        </Dialog>
    }
}
