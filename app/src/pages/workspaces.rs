//! The list of workspaces.

use crate::{
    api::workspaces::{CreateWorkspace, list_workspaces},
    browser::page::Fields,
    components::{
        dialog::FormDialog,
        form::last_error,
        icon::{Icon, TILES},
        moment::Ago,
        opened::opened,
    },
    format,
    live::Live,
    model::{
        error::{ApiError, Invalid},
        workspace::{Page, WorkspaceSummary, limits},
    },
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

#[component]
pub fn WorkspacesPage() -> impl IntoView {
    let live = Live::here();
    let query = use_query_map();
    let after = Memo::new(move |_| query.with(|query| query.get("after")));
    let list = Resource::new(
        move || (live.is_locked.get(), after.get()),
        move |(_, after)| async move {
            match live.lock.get_untracked() {
                Some(face) => Err(ApiError::Locked(Box::new(face))),
                None => list_workspaces(after).await,
            }
        },
    );
    view! {
        {super::tab_title("Workspaces")}
        <div class="page-head">
            <div>
                <h1>"Workspaces"</h1>
                <p class="lede">"Everything inside a workspace is encrypted with a data key of its own."</p>
            </div>
            <Show when=move || !live.is_locked.get()>
                <button class="button primary" type="button" popovertarget="new-workspace">
                    "New workspace"
                </button>
            </Show>
        </div>
        <NewWorkspace/>
        {opened(list, move |page, _| view! { <List page is_first=after.get_untracked().is_none()/> }.into_any())}
    }
}

#[component]
fn NewWorkspace() -> impl IntoView {
    let action = ServerAction::<CreateWorkspace>::new();
    let error = last_error(|| action.value().get());
    Effect::new(move |_| {
        if let Some(Err(latest)) = action.value().get() {
            error.set(Some(latest));
        }
    });
    let send = move |fields: Fields| {
        if action.pending().get_untracked() {
            return;
        }
        let (name, description) = (fields.text("name"), fields.text("description"));
        let problem = check_texts(&name, &description);
        error.set(problem.map(ApiError::from));
        if problem.is_none() {
            action.dispatch(CreateWorkspace { name, description });
        }
    };
    view! {
        <FormDialog
            id="new-workspace"
            title="New workspace"
            url=CreateWorkspace::PATH
            send="Create"
            on_send=send
            error=error
            busy=action.pending()
        >
            <TextFields prefix="new" name=String::new() description=String::new()/>
        </FormDialog>
    }
}

/// What is wrong with a workspace's texts, as the server would say too.
pub fn check_texts(name: &str, description: &str) -> Option<Invalid> {
    if name.trim().is_empty() {
        Some(Invalid::NameMissing)
    } else if name.trim().chars().count() > limits::NAME_CHARS {
        Some(Invalid::NameTooLong)
    } else if description.trim().chars().count() > limits::DESCRIPTION_CHARS {
        Some(Invalid::DescriptionTooLong)
    } else {
        None
    }
}

/// The fields *Name* and *Description*.
#[component]
pub fn TextFields(prefix: &'static str, name: String, description: String) -> impl IntoView {
    let (name_id, description_id) = (format!("{prefix}-name"), format!("{prefix}-description"));
    view! {
        <div class="field">
            <label for=name_id.clone()>"Name"</label>
            <input class="input" id=name_id name="name" type="text" required autofocus autocomplete="off" value=name/>
        </div>
        <div class="field">
            <label for=description_id.clone()>"Description"</label>
            <textarea class="input" id=description_id name="description" rows="3">
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
        <section class="card" aria-label="Workspaces">
            <div class="scroll">
                <table class="list">
                    <thead>
                        <tr>
                            <th scope="col">"Name"</th>
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
    view! {
        <tr>
            <td class="wrap">
                <a href=format!("/workspaces/{}", item.id)>{item.name}</a>
            </td>
            <td class="num">{format::count(item.notes)}</td>
            <td class="num">{format::count(item.files)}</td>
            <td class="num">{format::bytes(item.stored_bytes)}</td>
            <td>
                <Ago at=item.updated_at/>
            </td>
        </tr>
    }
}

/// Links to the first page and to the next one. `next` is the server's own word for where the next page begins.
#[component]
pub fn Pager(query: &'static str, next: Option<String>, first: Option<String>, older: &'static str) -> impl IntoView {
    if next.is_none() && first.is_none() {
        return ().into_any();
    }
    view! {
        <div class="row pager">
            {first
                .map(|href| {
                    view! {
                        <a class="button" href=href>
                            "Newest"
                        </a>
                    }
                })}
            {next
                .map(|next| {
                    view! {
                        <a class="button" href=format!("?{query}={}", leptos_router::location::Url::escape(&next))>
                            {older}
                        </a>
                    }
                })}
        </div>
    }
    .into_any()
}
