//! Watches over an open page: hides data that has become locked, brings it back, and keeps its dates current.

use crate::{
    browser::{ago, live_parts, of_itself, page, presses, watch},
    model::error::ApiError,
};
use leptos::{ev, prelude::*};
use std::time::Duration;
use wasm_bindgen::JsCast;
use web_sys::{Document, Element};

/// How often the server is asked whether data is locked.
const ASK_EVERY: Duration = Duration::from_secs(3);

/// On every page, and the last island on it: when it runs, all others do.
#[island]
pub fn Watcher() -> impl IntoView {
    Effect::new(|_| {
        ago::refresh();
        let _ = set_interval_with_handle(ago::refresh, Duration::from_secs(30));
        copy_on_click();
        listen_for_leaving();
        presses::watch();
        if page::first("[data-framed]").is_some() {
            watch::every(ASK_EVERY, ask);
        }
        page::mark_hydrated();
    });
}

/// Any element with `data-copy` copies that text when it is pressed.
fn copy_on_click() {
    let _ = window_event_listener(ev::click, |event| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let source = target.and_then(|target| target.closest("[data-copy]").ok().flatten());
        if let Some(source) = source {
            page::copy(&source.get_attribute("data-copy").unwrap_or_default());
            let _ = source.set_attribute("data-copied", "true");
            if let Some(said) = page::first("#said") {
                said.set_text_content(Some("Copied"));
            }
            set_timeout(
                move || {
                    let _ = source.remove_attribute("data-copied");
                },
                Duration::from_secs(2),
            );
        }
    });
}

/// The browser asks before a page is left in which somebody has written something that is not saved.
fn listen_for_leaving() {
    let _ = window_event_listener(ev::beforeunload, |event| {
        of_itself::page_is_left();
        if page::has_unsaved() {
            event.prevent_default();
        }
    });
}

/// Takes the data off the page. If somebody is writing, their text stays, out of sight, and the locked face stands in its
/// place; otherwise nothing stays.
fn hide(data: &Element) {
    if !page::has_unsaved() {
        data.set_inner_html("");
        of_itself::reload();
        return;
    }
    let _ = data.set_attribute("hidden", "");
    for shown in page::all("[data-holds-data] .note > .prose, [data-holds-data] [data-part]") {
        shown.set_inner_html("");
    }
    show_face(data);
}

/// Shows in the place of `data`, which is hidden, why it is locked.
fn show_face(data: &Element) {
    let data = data.clone();
    live_parts::ask_again(move |fresh| {
        if let Ok(Some(face)) = fresh.query_selector("[data-locked]")
            && data.has_attribute("hidden")
            && page::first("[data-locked]").is_none()
        {
            let _ = data.insert_adjacent_html("afterend", &face.outer_html());
            ago::refresh();
        }
    });
}

/// Takes away the locked face that stands in the place of what somebody was writing.
fn uncover(writing: &Element) {
    for face in page::all("[data-locked]") {
        face.remove();
    }
    let _ = writing.remove_attribute("hidden");
}

/// Brings back what somebody was writing, and what stood beside it as far as it is still there on the page as it is now.
fn bring_back(writing: &Element, fresh: &Document) {
    uncover(writing);
    live_parts::exchange(fresh);
    for note in page::all("[data-note]") {
        let id = note.get_attribute("data-note").unwrap_or_default();
        let newer = fresh.query_selector(&format!("[data-note=\"{id}\"] > .prose")).ok().flatten();
        if let (Ok(Some(shown)), Some(newer)) = (note.query_selector(".prose"), newer) {
            shown.set_inner_html(&newer.inner_html());
        }
    }
    // What has been uploaded meanwhile was not shown.
    live_parts::bring_up_to_date();
}

/// Whether a page that was asked for shows what it is about, and is neither locked nor refused.
fn is_open(fresh: &Document) -> bool {
    fresh.query_selector("[data-locked], [data-refused]").is_ok_and(|found| found.is_none())
}

fn ask() {
    crate::browser::request::ask_state(|answer| {
        let shown = page::first("[data-locked]").map(|face| face.get_attribute("data-locked").unwrap_or_default());
        let hidden = page::hidden_data();
        // Taken off the page, which should have been loaded again, and was not because somebody wanted it to stay.
        let is_emptied = page::first("[data-holds-data]:empty").is_some();
        match answer {
            // The reader is no member of the workspace any more. What they are writing is theirs: it stays, in sight.
            Err(ApiError::NotFound) if page::has_unsaved() => {
                if let Some(writing) = hidden {
                    uncover(&writing);
                }
            }
            Err(ApiError::NotFound) => of_itself::reload(),
            Err(_) => of_itself::session_may_have_ended(),
            // Data becomes locked while it is shown: take it off the page at once, then ask what to show instead. The name
            // of a workspace that is locked alone is such data too when everything becomes locked.
            Ok(Some(lock)) if shown.as_deref() != Some(lock.part.word()) => {
                if let Some(data) = page::first("[data-holds-data]:not([hidden])") {
                    hide(&data);
                } else if let Some(writing) = hidden.filter(|_| shown.is_none()) {
                    // Whoever was asked before had no answer.
                    show_face(&writing);
                }
            }
            // The next server asked may see it differently, so look before loading the page.
            Ok(None) if shown.is_some() || hidden.is_some() || is_emptied => live_parts::ask_again(|fresh| {
                if is_open(&fresh) {
                    match page::hidden_data() {
                        Some(writing) => bring_back(&writing, &fresh),
                        None => of_itself::reload(),
                    }
                }
            }),
            Ok(_) => {}
        }
    });
}
