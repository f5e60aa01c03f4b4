//! Writing a note. What is being written is kept until it is saved: through a save by somebody else, a lock, a reload.

use crate::{
    api::notes::{create_note, update_note},
    browser::{
        draft,
        page::{self, Fields},
    },
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

/// A button, *New note* or *Edit*, and the editor that it opens.
#[island]
pub fn NoteEditor(workspace: String, note: Option<NoteSource>) -> impl IntoView {
    let is_new = note.is_none();
    let (note_id, rev, stored) =
        note.map_or_else(|| (String::new(), 0, String::new()), |note| (note.id, note.rev, note.text));
    let key = StoredValue::new(format!("draft {workspace} {note_id}"));
    let place = StoredValue::new((workspace, note_id.clone()));
    let stored = StoredValue::new(stored);
    let field = StoredValue::new(format!("note-{note_id}"));
    let is_open = RwSignal::new(false);
    let text = RwSignal::new(String::new());
    let rev = RwSignal::new(rev);
    // The newer note, as the server shows it, when somebody else has saved it meanwhile.
    let theirs = RwSignal::new(None::<String>);
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);

    Effect::new(move |_| {
        if let Some(kept) = key.with_value(|key| draft::read(key)) {
            text.set(kept.text);
            rev.set(kept.rev);
            is_open.set(true);
        }
    });
    let open = move |_| {
        text.set(stored.get_value());
        is_open.set(true);
        field.with_value(|id| page::focus(id));
    };
    let close = move |_| {
        key.with_value(|key| draft::forget(key));
        is_open.set(false);
        if theirs.get_untracked().is_some() {
            page::reload();
        }
    };
    let write = move |written: String| {
        key.with_value(|key| draft::keep(key, rev.get_untracked(), &written));
        text.set(written);
    };
    let send = move |_: Fields| {
        let problem = text.with_untracked(|text| check(text));
        error.set(problem.map(ApiError::from));
        if problem.is_some() || busy.get_untracked() {
            return field.with_value(|id| page::focus(id));
        }
        busy.set(true);
        spawn_local(async move {
            let (workspace, note) = place.get_value();
            let written = text.get_untracked();
            let saved = if is_new {
                create_note(workspace, written).await.map(Saved::Stored)
            } else {
                update_note(workspace, note, rev.get_untracked(), written).await
            };
            match saved {
                Ok(Saved::Stored(_)) => {
                    key.with_value(|key| draft::forget(key));
                    is_open.set(false);
                    page::reload();
                }
                Ok(Saved::Conflict(newer)) => {
                    rev.set(newer.rev);
                    // Kept again, because it goes on top of the newer revision from now on.
                    write(text.get_untracked());
                    theirs.set(Some(newer.html));
                }
                Err(refused) => error.set(Some(refused)),
            }
            busy.set(false);
        });
    };
    let conflict = move || {
        theirs.get().map(|html| {
            view! {
                <div class="notice warn" role="alert">
                    <strong>"Somebody else saved this note"</strong>
                    <p class="small">
                        "This is how it looks now. Your own text is still below: take over what you need, then save again."
                    </p>
                    <div class="prose quoted" inner_html=html></div>
                </div>
            }
        })
    };
    let editor = move || {
        let error_id = field.with_value(|id| format!("{id}-error"));
        let described_by = error_id.clone();
        view! {
            <div class="editor">
                {conflict} <PostForm url="" on_send=send>
                    <div class="field">
                        <label for=field.get_value()>"Note"</label>
                        <textarea
                            class="input"
                            id=field.get_value()
                            rows="8"
                            aria-describedby=described_by
                            aria-invalid=move || error.with(Option::is_some).then_some("true")
                            prop:value=move || text.get()
                            on:input:target=move |event| write(event.target().value())
                        ></textarea>
                        <p class="hint">"You can use Markdown."</p>
                        <FieldError id=error_id error=error/>
                    </div>
                    <div class="row">
                        <SendButton label="Save" busy/>
                        <button class="button" type="button" on:click=close>
                            "Cancel"
                        </button>
                    </div>
                </PostForm>
            </div>
        }
    };
    view! {
        <button
            class=if is_new { "button primary scripted" } else { "button small scripted" }
            type="button"
            hidden=move || is_open.get()
            on:click=open
        >
            {if is_new { "New note" } else { "Edit" }}
        </button>
        {move || is_open.get().then(editor)}
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
