//! A workspace: its notes and its files.
//!
//! What a person is writing or sending belongs to the page and not to the data shown, so that neither a lock nor a reload of
//! the data loses it.

mod files;
mod heading;
mod notes;
mod uploads;

use crate::{
    api::workspaces::{WorkspaceContents, open_workspace},
    components::opened::opened,
    live::Live,
    model::{
        error::ApiError,
        identity::Frame,
        workspace::{FileEntry, Note},
    },
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use notes::Draft;
use uploads::Uploads;

/// What the parts of the page share.
#[derive(Clone, Copy)]
struct Desk {
    /// The workspace's id.
    id: Memo<String>,
    notes: RwSignal<Vec<Note>>,
    files: RwSignal<Vec<FileEntry>>,
    draft: Draft,
    uploads: Uploads,
}

#[component]
pub fn WorkspacePage() -> impl IntoView {
    let live = Live::here();
    let (params, query) = (use_params_map(), use_query_map());
    let id = Memo::new(move |_| params.with(|params| params.get("id")).unwrap_or_default());
    let notes_after = Memo::new(move |_| query.with(|query| query.get("notes_after")));
    let files_after = Memo::new(move |_| query.with(|query| query.get("files_after")));
    let desk = Desk {
        id,
        notes: RwSignal::new(Vec::new()),
        files: RwSignal::new(Vec::new()),
        draft: Draft::new(),
        uploads: Uploads::new(),
    };
    let contents = Resource::new(
        move || (live.is_locked.get(), id.get(), notes_after.get(), files_after.get()),
        move |(_, id, notes_after, files_after)| async move {
            match live.lock.get_untracked() {
                Some(face) => Err(ApiError::Locked(Box::new(face))),
                None => open_workspace(id, notes_after, files_after).await,
            }
        },
    );
    // What has been opened is forgotten when it is locked, not only hidden.
    Effect::new(move |_| {
        if live.is_locked.get() {
            desk.notes.set(Vec::new());
            desk.files.set(Vec::new());
        }
    });
    uploads::accept_drops(desk);
    view! {
        {opened(
            contents,
            move |contents, frame| {
                let (notes_first, files_first) =
                    (notes_after.get_untracked().is_none(), files_after.get_untracked().is_none());
                view! { <Contents desk contents frame notes_first files_first/> }.into_any()
            },
        )}
    }
}

#[component]
fn Contents(
    desk: Desk,
    contents: WorkspaceContents,
    frame: Frame,
    notes_first: bool,
    files_first: bool,
) -> impl IntoView {
    desk.notes.set(contents.notes.items);
    desk.files.set(contents.files.items);
    desk.uploads.limit.set_value(frame.deployment.max_file_bytes);
    view! {
        <heading::Heading desk workspace=contents.workspace/>
        <notes::Notes desk next=contents.notes.next is_first=notes_first/>
        <files::Files desk next=contents.files.next is_first=files_first/>
        <uploads::DropHint desk/>
    }
}
