//! The list of workspaces.

use crate::{
    api::workspaces::{CreateWorkspace, create_workspace, list_workspaces},
    browser::page::Fields,
    components::{
        dialog::{CancelButton, Dialog},
        form::{FieldError, PostForm, ReturnedError, SendButton, returned_error},
        icon::{Icon, TILES},
        moment::Ago,
        opened::opened,
        pager::Pager,
    },
    format,
    model::{
        error::{ApiError, Invalid},
        workspace::{Page, WorkspaceSummary, limits},
    },
};
use leptos::{prelude::*, server_fn::ServerFn, task::spawn_local};
use leptos_router::hooks::use_query_map;

#[component]
pub fn WorkspacesPage() -> impl IntoView {
    let after = use_query_map().with_untracked(|query| query.get("after"));
    let is_first = after.is_none();
    let list = OnceResource::new(list_workspaces(after));
    let failed = returned_error::<CreateWorkspace>();
    view! {
        {super::tab_title("Workspaces")}
        <div class="page-head">
            <div>
                <h1>"Workspaces"</h1>
                <p class="lede">"Everything inside a workspace is encrypted with a data key of its own."</p>
            </div>
            <button class="button primary" type="button" popovertarget="new-workspace">
                "New workspace"
            </button>
        </div>
        <ReturnedError error=failed/>
        <NewWorkspace/>
        <div class="stack" data-holds-data="true">
            {opened(list, None, move |page, _| view! { <List page is_first/> }.into_any())}
        </div>
    }
}

/// The dialog that makes a workspace.
#[island]
fn NewWorkspace() -> impl IntoView {
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let send = move |fields: Fields| {
        let (name, description) = (fields.text("name"), fields.text("description"));
        let problem = check_texts(Some(&name), &description);
        error.set(problem.map(ApiError::from));
        if problem.is_some() || busy.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            // When it goes well, the answer leads to the new workspace.
            if let Err(refused) = create_workspace(name, description).await {
                error.set(Some(refused));
            }
            busy.set(false);
        });
    };
    view! {
        <Dialog id="new-workspace" title="New workspace">
            <PostForm url=CreateWorkspace::PATH on_send=send>
                <TextFields name=String::new() description=String::new()/>
                <FieldError id="new-workspace-error" error=error/>
                <div class="row">
                    <SendButton label="Create" busy/>
                    <CancelButton dialog="new-workspace"/>
                </div>
            </PostForm>
        </Dialog>
    }
}

/// What is wrong with a workspace's texts, as the server would say too. There is no name if only the description changes.
pub fn check_texts(name: Option<&str>, description: &str) -> Option<Invalid> {
    if name.is_some_and(|name| name.trim().is_empty()) {
        Some(Invalid::NameMissing)
    } else if name.is_some_and(|name| name.trim().chars().count() > limits::NAME_CHARS) {
        Some(Invalid::NameTooLong)
    } else if description.trim().chars().count() > limits::DESCRIPTION_CHARS {
        Some(Invalid::DescriptionTooLong)
    } else {
        None
    }
}

/// The fields *Name* and *Description*.
#[component]
pub fn TextFields(name: String, description: String) -> impl IntoView {
    view! {
        <div class="field">
            <label for="name">"Name"</label>
            <input class="input" id="name" name="name" type="text" required autofocus autocomplete="off" value=name/>
        </div>
        <DescriptionField description/>
    }
}

/// The field *Description*.
#[component]
pub fn DescriptionField(description: String) -> impl IntoView {
    view! {
        <div class="field">
            <label for="description">"Description"</label>
            <textarea class="input" id="description" name="description" rows="3">
                {description}
            </textarea>
        </div>
    }
}

#[component]
fn List(page: Page<WorkspaceSummary>, is_first: bool) -> impl IntoView {
    if page.items.is_empty() && is_first {
        return view! {
            <section class="card">
                <div class="empty">
                    <Icon paths=TILES/>
                    <h2>"No workspaces yet"</h2>
                    <p class="lede">
                        "A workspace holds notes and files. Make one with New workspace; everything you put into it is encrypted before it is stored."
                    </p>
                </div>
            </section>
        }
        .into_any();
    }
    let rows = page.items.into_iter().map(|item| view! { <Row item/> }).collect_view();
    view! {
        <section class="card">
            <div class="scroll">
                <table class="list">
                    <thead>
                        <tr>
                            <th scope="col">"Name"</th>
                            <th scope="col">"Your role"</th>
                            <th scope="col" class="num">
                                "Notes"
                            </th>
                            <th scope="col" class="num">
                                "Files"
                            </th>
                            <th scope="col" class="num">
                                "Stored"
                            </th>
                            <th scope="col">"Updated"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
        <Pager query="after" next=page.next first=(!is_first).then_some("/workspaces".to_owned()) older="Older"/>
    }
    .into_any()
}

#[component]
fn Row(item: WorkspaceSummary) -> impl IntoView {
    let name = if item.damaged { "This name is damaged".to_owned() } else { item.name };
    view! {
        <tr>
            <td class="wrap">
                <a href=format!("/workspaces/{}", item.id)>{name}</a>
                {item.locked.then(|| view! { " " <span class="badge bad">"Locked"</span> })}
            </td>
            <td>{item.role.label()}</td>
            <td class="num">{format::count(item.notes)}</td>
            <td class="num">{format::count(item.files)}</td>
            <td class="num">{format::bytes(item.stored_bytes)}</td>
            <td>
                <Ago at=item.updated_at/>
            </td>
        </tr>
    }
}
