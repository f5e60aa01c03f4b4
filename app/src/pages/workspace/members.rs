//! The members of a workspace, for its owners. Plain forms only: nothing of it is compiled for the browser.

use crate::{
    api::workspace_members::{
        AddWorkspaceMember, ChangeWorkspaceRole, RemoveWorkspaceMember, members_page, read_workspace_members,
    },
    components::{
        dialog::ConfirmDialog,
        form::{ReturnedError, returned_error},
        moment::Ago,
        opened::opened,
        pager::Pager,
    },
    model::{
        membership::{Candidate, WorkspaceMember, WorkspaceMembers},
        workspace::WorkspaceRole,
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

#[component]
pub fn WorkspaceMembersPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|params| params.get("id")).unwrap_or_default();
    let after = use_query_map().with_untracked(|query| query.get("after"));
    let is_first = after.is_none();
    let members = OnceResource::new(read_workspace_members(id, after));
    let failed = returned_error::<AddWorkspaceMember>()
        .or_else(returned_error::<ChangeWorkspaceRole>)
        .or_else(returned_error::<RemoveWorkspaceMember>);
    view! {
        {crate::pages::tab_title("Members")}
        <ReturnedError error=failed/>
        <div class="stack wide" data-holds-data="true">
            {opened(
                members,
                Some("Members"),
                move |found, _| {
                    view! {
                        <Heading found=found.clone()/>
                        <Add workspace=found.workspace.id.clone() candidates=found.candidates.clone()/>
                        <List found is_first/>
                    }
                        .into_any()
                },
            )}
        </div>
    }
}

#[component]
fn Heading(found: WorkspaceMembers) -> impl IntoView {
    let workspace = found.workspace;
    view! {
        <Title text=format!("Members · {} · Keystead", workspace.name)/>
        <div class="page-head">
            <div>
                <p class="small wrap">
                    <a href="/workspaces">"Workspaces"</a>
                    " / "
                    <a href=format!("/workspaces/{}", workspace.id)>{workspace.name}</a>
                </p>
                <h1>"Members"</h1>
                <p class="lede">
                    "Only members can see this workspace. Administrators of your organization see nothing of it unless they are members too."
                </p>
            </div>
        </div>
    }
}

/// The choices of a role, each with what it allows.
fn roles(chosen: WorkspaceRole) -> impl IntoView {
    WorkspaceRole::ALL
        .map(|role| view! { <option value=role.word() selected=role == chosen>{role.label()}</option> })
        .collect_view()
}

#[component]
fn Add(workspace: String, candidates: Vec<Candidate>) -> impl IntoView {
    let offered =
        candidates.into_iter().map(|person| view! { <option value=person.email>{person.name}</option> }).collect_view();
    let meanings = WorkspaceRole::ALL
        .map(|role| view! { <li><strong>{role.label()}</strong> " " {role.meaning()} "."</li> })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="add-member">
            <header>
                <h2 id="add-member">"Add a member"</h2>
            </header>
            <form class="body" method="post" action=AddWorkspaceMember::PATH>
                <input type="hidden" name="workspace" value=workspace/>
                <div class="field">
                    <label for="member-email">"Email"</label>
                    <input
                        class="input"
                        id="member-email"
                        name="email"
                        type="email"
                        required
                        autocomplete="off"
                        list="candidates"
                        aria-describedby="member-email-hint"
                    />
                    <datalist id="candidates">{offered}</datalist>
                    <p class="hint" id="member-email-hint">
                        "Somebody who is in your organization already."
                    </p>
                </div>
                <div class="field">
                    <label for="member-role">"Role"</label>
                    <select class="input" id="member-role" name="role" aria-describedby="role-meanings">
                        {roles(WorkspaceRole::Reader)}
                    </select>
                </div>
                <ul class="small soft plain" id="role-meanings">{meanings}</ul>
                <div class="row">
                    <button class="button primary" type="submit">
                        "Add member"
                    </button>
                </div>
            </form>
        </section>
    }
}

#[component]
fn List(found: WorkspaceMembers, is_first: bool) -> impl IntoView {
    let workspace = found.workspace.id;
    let first = (!is_first).then(|| members_page(&workspace));
    let rows = found
        .members
        .items
        .into_iter()
        .map(|member| view! { <Row workspace=workspace.clone() member/> })
        .collect_view();
    view! {
        <section class="card" aria-label="Members">
            <div class="scroll" tabindex="0" role="group" aria-label="List of members">
                <table class="list">
                    <thead>
                        <tr>
                            <th scope="col">"Name"</th>
                            <th scope="col">"Role"</th>
                            <th scope="col">"Added"</th>
                            <th scope="col">
                                <span class="visually-hidden">"Actions"</span>
                            </th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            <Pager query="after" next=found.members.next first older="Older members"/>
        </section>
    }
}

#[component]
fn Row(workspace: String, member: WorkspaceMember) -> impl IntoView {
    let WorkspaceMember { user, name, email, role, added_at, is_me, is_disabled } = member;
    let (dialog, select) = (format!("remove-{user}"), format!("role-{user}"));
    let (verb, title, question) = if is_me {
        ("Leave", "Leave this workspace?", "You will not see it any more, until an owner adds you again.".to_owned())
    } else {
        ("Remove", "Remove this member?", format!("{name} will not see this workspace any more."))
    };
    view! {
        <tr>
            <td class="wrap">
                {name.clone()} {is_me.then(|| view! { " " <span class="badge">"You"</span> })}
                {is_disabled.then(|| view! { " " <span class="badge warn">"Disabled"</span> })}
                <p class="small soft">{email}</p>
            </td>
            <td>
                <form class="row" method="post" action=ChangeWorkspaceRole::PATH>
                    <input type="hidden" name="workspace" value=workspace.clone()/>
                    <input type="hidden" name="user" value=user.clone()/>
                    <label class="visually-hidden" for=select.clone()>
                        {format!("Role of {name}")}
                    </label>
                    <select class="input" id=select name="role">
                        {roles(role)}
                    </select>
                    <button class="button small" type="submit" aria-label=format!("Save the role of {name}")>
                        "Save"
                    </button>
                </form>
            </td>
            <td>
                <Ago at=added_at/>
            </td>
            <td class="num">
                <button
                    class="button small destroy"
                    type="button"
                    popovertarget=dialog.clone()
                    aria-label=if is_me { "Leave".to_owned() } else { format!("Remove {name}") }
                >
                    {verb}
                </button>
                <ConfirmDialog
                    id=dialog
                    title
                    question
                    answer=verb
                    url=RemoveWorkspaceMember::PATH
                    fields=vec![("workspace", workspace), ("user", user)]
                />
            </td>
        </tr>
    }
}
