//! Writing a note. What is being written stays in the page until it is saved, also through a save by somebody else and a
//! lock; the browser asks before a page with unsaved text is left. It is never put into the browser's storage.

use crate::{
    api::notes::{create_note, update_note},
    browser::page::{self, Fields},
    components::form::{FieldError, PostForm, SendButton},
    model::{
        error::{ApiError, Invalid},
        workspace::{Saved, limits},
    },
};
use leptos::{prelude::*, task::spawn_local};
use serde::{Deserialize, Serialize};

/// A note as its writers see it.
#[derive(Clone, Serialize, Deserialize)]
pub struct NoteSource {
    pub id: String,
    pub rev: i64,
    pub text: String,
}

/// What is being written, and what has become of it.
#[derive(Clone, Copy)]
struct Writing {
    workspace: StoredValue<String>,
    /// `None` for a new note.
    note: StoredValue<Option<String>>,
    /// The id of the field.
    field: StoredValue<String>,
    is_open: RwSignal<bool>,
    text: RwSignal<String>,
    /// Whether there is something to lose.
    is_changed: RwSignal<bool>,
    /// The revision that the text goes on top of.
    rev: RwSignal<i64>,
    /// The newer note, as the server shows it, when somebody else has saved it meanwhile.
    theirs: RwSignal<Option<String>>,
    error: RwSignal<Option<ApiError>>,
    busy: RwSignal<bool>,
}

impl Writing {
    fn new(workspace: String, id: Option<String>, rev: i64) -> Self {
        let field = id.as_ref().map_or_else(|| "new-note".to_owned(), |id| format!("note-{id}"));
        Self {
            workspace: StoredValue::new(workspace),
            note: StoredValue::new(id),
            field: StoredValue::new(field),
            is_open: RwSignal::new(false),
            text: RwSignal::new(String::new()),
            is_changed: RwSignal::new(false),
            rev: RwSignal::new(rev),
            theirs: RwSignal::new(None),
            error: RwSignal::new(None),
            busy: RwSignal::new(false),
        }
    }

    fn focus(self) {
        self.field.with_value(|id| page::focus(id));
    }

    fn write(self, text: String) {
        self.is_changed.set(true);
        self.text.set(text);
    }

    fn open(self, text: String) {
        self.text.set(text);
        self.is_changed.set(false);
        self.is_open.set(true);
        self.focus();
    }

    fn close(self) {
        self.is_open.set(false);
        if self.theirs.get_untracked().is_some() {
            page::reload_when_drawn();
        }
    }

    fn send(self) {
        let problem = self.text.with_untracked(|text| check(text));
        self.error.set(problem.map(ApiError::from));
        if problem.is_some() {
            return self.focus();
        }
        if !self.busy.get_untracked() {
            self.busy.set(true);
            spawn_local(async move {
                self.save().await;
                self.busy.set(false);
            });
        }
    }

    async fn save(self) {
        let (workspace, text) = (self.workspace.get_value(), self.text.get_untracked());
        let saved = match self.note.get_value() {
            None => create_note(workspace, text).await.map(Saved::Stored),
            Some(note) => update_note(workspace, note, self.rev.get_untracked(), text).await,
        };
        match saved {
            Ok(Saved::Stored(_)) => {
                self.is_open.set(false);
                page::reload_when_drawn();
            }
            Ok(Saved::Conflict(newer)) => {
                self.rev.set(newer.rev);
                self.theirs.set(Some(newer.html));
            }
            Err(refused) => self.error.set(Some(refused)),
        }
    }
}

fn check(text: &str) -> Option<Invalid> {
    if text.trim().is_empty() {
        Some(Invalid::NoteMissing)
    } else if text.len() > limits::NOTE_BYTES {
        Some(Invalid::NoteTooLong)
    } else {
        None
    }
}

/// A button, *New note* or *Edit*, and the editor that it opens.
#[island]
pub fn NoteEditor(workspace: String, note: Option<NoteSource>) -> impl IntoView {
    let (id, rev, stored) = note.map_or((None, 0, String::new()), |note| (Some(note.id), note.rev, note.text));
    let (class, label) = if id.is_some() { ("button small", "Edit") } else { ("button primary", "New note") };
    let writing = Writing::new(workspace, id, rev);
    view! {
        <div class="scripted" hidden=move || writing.is_open.get()>
            <button class=class type="button" on:click=move |_| writing.open(stored.clone())>
                {label}
            </button>
        </div>
        {move || writing.is_open.get().then(|| view! { <Editor writing/> })}
    }
}

#[component]
fn Editor(writing: Writing) -> impl IntoView {
    let error_id = format!("{}-error", writing.field.get_value());
    let described_by = error_id.clone();
    view! {
        <div class="editor" data-unsaved=move || writing.is_changed.get().then_some("true")>
            {move || writing.theirs.get().map(|html| view! { <Theirs html/> })}
            <PostForm url="" on_send=move |_: Fields| writing.send()>
                <div class="field">
                    <label for=writing.field.get_value()>"Note"</label>
                    <textarea
                        class="input"
                        id=writing.field.get_value()
                        rows="8"
                        aria-describedby=described_by
                        aria-invalid=move || writing.error.with(Option::is_some).then_some("true")
                        prop:value=move || writing.text.get()
                        on:input:target=move |event| writing.write(event.target().value())
                    ></textarea>
                    <p class="hint">"You can use Markdown."</p>
                    <FieldError id=error_id error=writing.error/>
                </div>
                <div class="row">
                    <SendButton label="Save" busy=writing.busy/>
                    <button class="button" type="button" on:click=move |_| writing.close()>
                        "Cancel"
                    </button>
                </div>
            </PostForm>
        </div>
    }
}

/// What somebody else has saved meanwhile.
#[component]
fn Theirs(html: String) -> impl IntoView {
    view! {
        <div class="notice warn" role="alert">
            <strong>"Somebody else saved this note"</strong>
            <p class="small">
                "This is how it looks now. Your own text is still below: take over what you need, then save again."
            </p>
            <div class="prose quoted" inner_html=html></div>
        </div>
    }
}
