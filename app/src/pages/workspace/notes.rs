//! Notes: shown in full, newest first, one at a time in the editor.

use super::Desk;
use crate::{
    api::notes::{create_note, delete_note, update_note},
    browser::page,
    components::{
        dialog::ConfirmDialog,
        form::{FieldError, PostForm, SendButton},
        moment::Ago,
    },
    model::{
        error::{ApiError, Invalid},
        workspace::{Note, Saved, limits},
    },
    pages::workspaces::Pager,
};
use leptos::{prelude::*, task::spawn_local};

/// What is in the editor.
#[derive(Clone, PartialEq)]
enum Subject {
    New,
    /// A note, and the revision that the text goes on top of.
    Note {
        id: String,
        rev: i64,
    },
}

/// What a person is writing. It outlives the data shown around it.
#[derive(Clone, Copy)]
pub struct Draft {
    subject: RwSignal<Option<Subject>>,
    text: RwSignal<String>,
    /// The note as somebody else has saved it meanwhile.
    theirs: RwSignal<Option<Note>>,
    error: RwSignal<Option<ApiError>>,
    is_saving: RwSignal<bool>,
}

impl Draft {
    pub fn new() -> Self {
        Self {
            subject: RwSignal::new(None),
            text: RwSignal::new(String::new()),
            theirs: RwSignal::new(None),
            error: RwSignal::new(None),
            is_saving: RwSignal::new(false),
        }
    }

    fn open(self, subject: Subject, text: String) {
        self.text.set(text);
        self.error.set(None);
        self.theirs.set(None);
        self.subject.set(Some(subject));
        page::focus("note-text");
    }

    fn is_about(self, id: &str) -> bool {
        self.subject.with(|subject| matches!(subject, Some(Subject::Note { id: about, .. }) if about == id))
    }
}

/// Ends editing, showing what somebody else has saved meanwhile.
fn close(desk: Desk) {
    let draft = desk.draft;
    draft.subject.set(None);
    draft.text.set(String::new());
    draft.error.set(None);
    if let Some(theirs) = draft.theirs.try_update(Option::take).flatten() {
        replace(desk, theirs);
    }
    page::focus("notes-heading");
}

fn replace(desk: Desk, newer: Note) {
    desk.notes.update(|notes| {
        if let Some(note) = notes.iter_mut().find(|note| note.id == newer.id) {
            *note = newer;
        }
    });
}

async fn save(desk: Desk) {
    let draft = desk.draft;
    let (workspace, text) = (desk.id.get_untracked(), draft.text.get_untracked());
    let Some(subject) = draft.subject.get_untracked() else { return };
    let saved = match subject {
        Subject::New => create_note(workspace, text).await.map(Saved::Stored),
        Subject::Note { id, rev } => update_note(workspace, id, rev, text).await,
    };
    match saved {
        Ok(Saved::Stored(note)) => {
            draft.theirs.set(None);
            if draft.subject.get_untracked() == Some(Subject::New) {
                desk.notes.update(|notes| notes.insert(0, note));
            } else {
                replace(desk, note);
            }
            close(desk);
        }
        Ok(Saved::Conflict(theirs)) => {
            draft.subject.set(Some(Subject::Note { id: theirs.id.clone(), rev: theirs.rev }));
            draft.theirs.set(Some(theirs));
            page::focus("theirs");
        }
        Err(error) => draft.error.set(Some(error)),
    }
}

#[component]
pub fn Notes(desk: Desk, next: Option<String>, is_first: bool) -> impl IntoView {
    let draft = desk.draft;
    let doomed = RwSignal::new(None::<String>);
    let refused = RwSignal::new(None::<ApiError>);
    let is_new = Memo::new(move |_| draft.subject.with(|subject| *subject == Some(Subject::New)));
    let is_open = Memo::new(move |_| draft.subject.with(Option::is_some));
    let destroy = move |()| {
        let Some(id) = doomed.get_untracked() else { return };
        spawn_local(async move {
            match delete_note(desk.id.get_untracked(), id.clone()).await {
                Ok(()) => {
                    desk.notes.update(|notes| notes.retain(|note| note.id != id));
                    refused.set(None);
                    page::focus("notes-heading");
                }
                Err(error) => refused.set(Some(error)),
            }
        });
    };
    view! {
        <section class="card">
            <header>
                <h2 id="notes-heading" tabindex="-1">
                    "Notes"
                </h2>
                <Show when=move || !is_open.get()>
                    <button
                        class="button primary scripted"
                        type="button"
                        on:click=move |_| draft.open(Subject::New, String::new())
                    >
                        "New note"
                    </button>
                </Show>
            </header>
            <FieldError id="notes-error" error=refused/>
            <Show when=move || is_new.get()>
                <div class="body">
                    <Editor desk/>
                </div>
            </Show>
            <For each=move || desk.notes.get() key=|note| (note.id.clone(), note.rev) let:note>
                <Item desk note doomed is_open/>
            </For>
            <Show when=move || desk.notes.with(Vec::is_empty) && !is_open.get()>
                <p class="body soft">"No notes here yet."</p>
            </Show>
            <Pager
                query="notes_after"
                next=next
                first=(!is_first).then(|| format!("/workspaces/{}", desk.id.get_untracked()))
                older="Older notes"
            />
        </section>
        <ConfirmDialog
            id="delete-note"
            title="Delete for everybody?"
            question="The note is deleted. This cannot be undone."
            on_yes=destroy
        />
    }
}

#[component]
fn Item(desk: Desk, note: Note, doomed: RwSignal<Option<String>>, is_open: Memo<bool>) -> impl IntoView {
    let note = StoredValue::new(note);
    let is_here = Memo::new(move |_| note.with_value(|note| desk.draft.is_about(&note.id)));
    let edit = move |_| {
        let note = note.get_value();
        desk.draft.open(Subject::Note { id: note.id, rev: note.rev }, note.text);
    };
    let shown = move || {
        let note = note.get_value();
        let id = StoredValue::new(note.id);
        view! {
            <div class="prose" inner_html=note.html></div>
            <div class="row note-foot">
                <p class="small soft">
                    {note.author} " · " <Ago at=note.created_at/>
                    {(note.updated_at != note.created_at)
                        .then(|| view! { ", edited " <Ago at=note.updated_at/> })}
                </p>
                <Show when=move || !is_open.get()>
                    <div class="row scripted">
                        <button class="button small" type="button" on:click=edit>
                            "Edit"
                        </button>
                        <button
                            class="button small destroy"
                            type="button"
                            popovertarget="delete-note"
                            on:click=move |_| doomed.set(Some(id.get_value()))
                        >
                            "Delete"
                        </button>
                    </div>
                </Show>
            </div>
        }
    };
    view! {
        <article class="body note">
            {move || if is_here.get() { view! { <Editor desk/> }.into_any() } else { shown().into_any() }}
        </article>
    }
}

#[component]
fn Editor(desk: Desk) -> impl IntoView {
    let draft = desk.draft;
    let send = move |_| {
        let problem = draft.text.with_untracked(|text| {
            if text.trim().is_empty() {
                Some(Invalid::NoteMissing)
            } else if text.len() > limits::NOTE_BYTES {
                Some(Invalid::NoteTooLong)
            } else {
                None
            }
        });
        draft.error.set(problem.map(ApiError::from));
        if problem.is_some() {
            page::focus("note-text");
        } else if !draft.is_saving.get_untracked() {
            draft.is_saving.set(true);
            spawn_local(async move {
                save(desk).await;
                draft.is_saving.set(false);
            });
        }
    };
    let conflict = move || {
        draft.theirs.get().map(|theirs| {
            view! {
                <div class="notice warn" id="theirs" tabindex="-1" role="alert">
                    <strong>"Somebody else saved this note"</strong>
                    <p class="small">
                        "This is how it looks now. Your own text is still below: take over what you need, then save again."
                    </p>
                    <div class="prose quoted" inner_html=theirs.html></div>
                </div>
            }
        })
    };
    view! {
        {conflict}
        <PostForm url="" on_send=send>
            <div class="field">
                <label for="note-text">"Note"</label>
                <textarea
                    class="input"
                    id="note-text"
                    rows="8"
                    aria-describedby="note-hint note-error"
                    aria-invalid=move || draft.error.with(Option::is_some).then_some("true")
                    prop:value=move || draft.text.get()
                    on:input:target=move |event| draft.text.set(event.target().value())
                ></textarea>
                <p class="hint" id="note-hint">
                    "You can use Markdown."
                </p>
                <FieldError id="note-error" error=draft.error/>
            </div>
            <div class="row">
                <SendButton label="Save" busy=draft.is_saving/>
                <button class="button" type="button" on:click=move |_| close(desk)>
                    "Cancel"
                </button>
            </div>
        </PostForm>
    }
}
