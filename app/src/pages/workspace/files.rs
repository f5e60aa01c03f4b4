//! The files of a workspace.

use super::{Desk, uploads::UploadList};
use crate::{
    api::files::delete_file,
    browser::page,
    components::{dialog::ConfirmDialog, form::FieldError, moment::Ago},
    format,
    model::{error::ApiError, workspace::FileEntry},
    pages::workspaces::Pager,
};
use leptos::{html, prelude::*, task::spawn_local};

#[component]
pub fn Files(desk: Desk, next: Option<String>, is_first: bool) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    let doomed = RwSignal::new(None::<FileEntry>);
    let refused = RwSignal::new(None::<ApiError>);
    let choose = move |_| {
        if let Some(input) = input.get_untracked() {
            input.click();
        }
    };
    let chosen = move |_| {
        if let Some(input) = input.get_untracked() {
            desk.uploads.add(desk, input.files());
            // So that the same file can be chosen once more.
            input.set_value("");
        }
    };
    let destroy = move |()| {
        let Some(file) = doomed.get_untracked() else { return };
        spawn_local(async move {
            match delete_file(desk.id.get_untracked(), file.id.clone()).await {
                Ok(()) => {
                    desk.files.update(|files| files.retain(|other| other.id != file.id));
                    refused.set(None);
                    page::focus("files-heading");
                }
                Err(error) => refused.set(Some(error)),
            }
        });
    };
    view! {
        <section class="card">
            <header>
                <h2 id="files-heading" tabindex="-1">
                    "Files"
                </h2>
                <div class="scripted">
                    <label class="visually-hidden" for="file-input">
                        "File"
                    </label>
                    <input
                        class="visually-hidden"
                        id="file-input"
                        type="file"
                        multiple
                        tabindex="-1"
                        node_ref=input
                        on:change=chosen
                    />
                    <button class="button primary" type="button" on:click=choose>
                        "Upload file"
                    </button>
                </div>
            </header>
            <FieldError id="files-error" error=refused/>
            <UploadList desk/>
            <Show
                when=move || !desk.files.with(Vec::is_empty)
                fallback=|| view! { <p class="body soft">"No files here yet. Choose some, or drop them anywhere on this page."</p> }
            >
                <div class="scroll">
                    <table class="list">
                        <thead>
                            <tr>
                                <th scope="col">"Name"</th>
                                <th scope="col" class="num">
                                    "Size"
                                </th>
                                <th scope="col">"Type"</th>
                                <th scope="col">"Uploaded by"</th>
                                <th scope="col">"Uploaded"</th>
                                <th scope="col">
                                    <span class="visually-hidden">"Actions"</span>
                                </th>
                            </tr>
                        </thead>
                        <tbody>
                            <For each=move || desk.files.get() key=|file| file.id.clone() let:file>
                                <Row desk file doomed/>
                            </For>
                        </tbody>
                    </table>
                </div>
            </Show>
            <Pager
                query="files_after"
                next=next
                first=(!is_first).then(|| format!("/workspaces/{}", desk.id.get_untracked()))
                older="Older files"
            />
        </section>
        <ConfirmDialog
            id="delete-file"
            title="Delete for everybody?"
            question=Signal::derive(move || {
                let name = doomed.with(|file| file.as_ref().map(|file| file.name.clone())).unwrap_or_default();
                format!("{name} is deleted. This cannot be undone.")
            })
            on_yes=destroy
        />
    }
}

#[component]
fn Row(desk: Desk, file: FileEntry, doomed: RwSignal<Option<FileEntry>>) -> impl IntoView {
    let doom = {
        let file = file.clone();
        move |_| doomed.set(Some(file.clone()))
    };
    view! {
        <tr>
            <td class="wrap">
                <a href=format!("/workspaces/{}/files/{}", desk.id.get_untracked(), file.id) rel="external" download>
                    {file.name}
                </a>
            </td>
            <td class="num">{format::bytes(file.bytes)}</td>
            <td class="wrap">{file.media_type}</td>
            <td>{file.uploaded_by}</td>
            <td>
                <Ago at=file.created_at/>
            </td>
            <td class="num">
                <button class="button small destroy scripted" type="button" popovertarget="delete-file" on:click=doom>
                    "Delete"
                </button>
            </td>
        </tr>
    }
}
