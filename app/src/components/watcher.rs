//! Watches over an open page: hides data that has become locked, brings it back, and keeps its dates current.

use crate::browser::{ago, draft, live_parts, page, watch};
use leptos::{ev, prelude::*};
use std::time::Duration;
use wasm_bindgen::JsCast;
use web_sys::Element;

/// How often the server is asked whether data is locked.
const ASK_EVERY: Duration = Duration::from_secs(3);

/// On every page, and the last island on it: when it runs, all others do.
#[island]
pub fn Watcher() -> impl IntoView {
    Effect::new(|_| {
        ago::refresh();
        let _ = set_interval_with_handle(ago::refresh, Duration::from_secs(30));
        copy_on_click();
        if page::first("[data-framed]").is_some() {
            watch::every(ASK_EVERY, ask);
        } else {
            draft::forget_all();
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

fn ask() {
    crate::browser::request::ask_state(|answer| {
        let shows_lock = page::first("[data-locked]").is_some();
        match answer {
            Err(_) => page::leave_for_sign_in(),
            // Data becomes locked while it is shown: take it off the page at once, then ask what to show instead.
            Ok(Some(_)) if !shows_lock => {
                if let Some(data) = page::first("[data-holds-data]") {
                    data.set_inner_html("");
                    page::reload();
                }
            }
            // It may be this one workspace that is locked, so look before loading the page.
            Ok(None) if shows_lock => live_parts::ask_again(|fresh| {
                if !fresh.query_selector("[data-locked]").is_ok_and(|found| found.is_some()) {
                    page::reload();
                }
            }),
            Ok(_) => {}
        }
    });
}
