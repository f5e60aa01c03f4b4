//! Notes: shown in full, newest first.

use super::note_editor::{NoteEditor, NoteSource};
use crate::{
    api::notes::DeleteNote,
    components::{dialog::ConfirmDialog, moment::Ago, pager::Pager},
    model::workspace::{Note, Page},
};
use leptos::{prelude::*, server_fn::ServerFn};

const DAMAGED_NOTE: &str = "The stored note does not open: it was changed or moved in the database. Your operator can restore it from a backup.";

#[component]
pub fn Notes(workspace: String, page: Page<Note>, is_first: bool, may_edit: bool) -> impl IntoView {
    let first = (!is_first).then(|| format!("/workspaces/{workspace}"));
    let is_empty = page.items.is_empty();
    let items =
        page.items.into_iter().map(|note| view! { <Item workspace=workspace.clone() note may_edit/> }).collect_view();
    view! {
        <section class="card">
            <header>
                <h2>"Notes"</h2>
                {may_edit.then(|| view! { <NoteEditor workspace=workspace note=None/> })}
            </header>
            {items}
            {is_empty.then(|| view! { <p class="body soft">"No notes here yet."</p> })}
            <Pager query="notes_after" next=page.next first older="Older notes"/>
        </section>
    }
}

#[component]
fn Item(workspace: String, note: Note, may_edit: bool) -> impl IntoView {
    let (id, dialog) = (note.id.clone(), format!("delete-{}", note.id));
    let is_edited = note.updated_at != note.created_at;
    let source = (!note.damaged).then(|| NoteSource { id: note.id.clone(), rev: note.rev, text: note.text });
    view! {
        <article class="body note" data-note=id>
            {note.damaged.then(|| view! { <p class="notice bad">{DAMAGED_NOTE}</p> })}
            <div class="prose" inner_html=note.html></div>
            <div class="row note-foot">
                <p class="small soft">
                    {note.author} " · " <Ago at=note.created_at/>
                    {is_edited.then(|| view! { ", edited " <Ago at=note.updated_at/> })}
                </p>
                {may_edit.then(|| delete_button(dialog.clone()))}
                {source
                    .filter(|_| may_edit)
                    .map(|source| view! { <NoteEditor workspace=workspace.clone() note=Some(source)/> })}
            </div>
            {may_edit
                .then(|| {
                    view! {
                        <ConfirmDialog
                            id=dialog
                            title="Delete this note?"
                            question="The note is deleted for everybody. This cannot be undone."
                            url=DeleteNote::PATH
                            fields=vec![("workspace", workspace), ("note", note.id)]
                        />
                    }
                })}
        </article>
    }
}

fn delete_button(dialog: String) -> impl IntoView {
    view! {
        <button class="button small destroy" type="button" popovertarget=dialog>
            "Delete"
        </button>
    }
}
