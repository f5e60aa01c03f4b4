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
pub fn Files(workspace: String, page: Page<FileEntry>, is_first: bool, may_edit: bool, limit: u64) -> impl IntoView {
    let first = (!is_first).then(|| format!("/workspaces/{workspace}"));
    view! {
        <section class="card">
            <header>
                <h2>"Files"</h2>
                {may_edit.then(|| view! { <Uploader workspace=workspace.clone() limit/> })}
            </header>
            <div data-part="files">
                <Table workspace files=page.items may_edit/>
                <Pager query="files_after" next=page.next first older="Older files"/>
            </div>
        </section>
    }
}

#[component]
fn Table(workspace: String, files: Vec<FileEntry>, may_edit: bool) -> impl IntoView {
    if files.is_empty() {
        let invitation = may_edit.then_some(" Choose some, or drop them anywhere on this page.");
        return view! { <p class="body soft">"No files here yet." {invitation}</p> }.into_any();
    }
    let rows = files.into_iter().map(|file| view! { <Row workspace=workspace.clone() file may_edit/> }).collect_view();
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
                        {may_edit
                            .then(|| {
                                view! {
                                    <th scope="col">
                                        <span class="visually-hidden">"Actions"</span>
                                    </th>
                                }
                            })}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

#[component]
fn Row(workspace: String, file: FileEntry, may_edit: bool) -> impl IntoView {
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
            {may_edit
                .then(|| {
                    view! {
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
                    }
                })}
        </tr>
    }
}
