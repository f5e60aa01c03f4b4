//! The files of a workspace.

use super::uploader::Uploader;
use crate::{
    api::files::DeleteFile,
    components::{dialog::ConfirmDialog, moment::Ago, pager::Pager},
    format,
    model::workspace::{FileEntry, Page},
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn Files(workspace: String, page: Page<FileEntry>, is_first: bool, limit: u64) -> impl IntoView {
    let first = (!is_first).then(|| format!("/workspaces/{workspace}"));
    view! {
        <section class="card">
            <header>
                <h2>"Files"</h2>
                <Uploader workspace=workspace.clone() limit/>
            </header>
            <div data-part="files">
                <Table workspace files=page.items/>
                <Pager query="files_after" next=page.next first older="Older files"/>
            </div>
        </section>
    }
}

#[component]
fn Table(workspace: String, files: Vec<FileEntry>) -> impl IntoView {
    if files.is_empty() {
        return view! { <p class="body soft">"No files here yet. Choose some, or drop them anywhere on this page."</p> }
            .into_any();
    }
    let rows = files.into_iter().map(|file| view! { <Row workspace=workspace.clone() file/> }).collect_view();
    view! {
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
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

#[component]
fn Row(workspace: String, file: FileEntry) -> impl IntoView {
    let dialog = format!("delete-{}", file.id);
    let name = if file.damaged { "This name is damaged".to_owned() } else { file.name };
    view! {
        <tr>
            <td class="wrap">
                <a href=format!("/workspaces/{workspace}/files/{}", file.id) download>
                    {name.clone()}
                </a>
            </td>
            <td class="num">{format::bytes(file.bytes)}</td>
            <td class="wrap">{file.media_type}</td>
            <td>{file.uploaded_by}</td>
            <td>
                <Ago at=file.created_at/>
            </td>
            <td class="num">
                <button class="button small destroy" type="button" popovertarget=dialog.clone()>
                    "Delete"
                </button>
                <ConfirmDialog
                    id=dialog
                    title="Delete this file?"
                    question=format!("{name} is deleted for everybody. This cannot be undone.")
                    url=DeleteFile::PATH
                    fields=vec![("workspace", workspace), ("file", file.id)]
                />
            </td>
        </tr>
    }
}
