//! Keeps the page current while it is open, and sends the forms of the job's card, which are exchanged with it.

use super::job::{HEADING, actions::JobAction};
use crate::{
    browser::{live_parts, of_itself, page, presses, watch},
    format,
    model::error::ApiError,
};
use leptos::{
    ev::{self, SubmitEvent},
    prelude::*,
    task::spawn_local,
};
use std::time::Duration;
use wasm_bindgen::JsCast;
use web_sys::{Document, Element};

/// The server says here that something has changed; what has, is then asked for.
const EVENTS: &str = "/settings/data-encryption/events";
/// Asked for anyway when nothing has been heard for so long; in milliseconds.
const STALE_AFTER: i64 = 8_000;

/// When the page was last asked for, by the browser's clock, and whether an answer is awaited.
#[derive(Clone, Copy)]
struct Freshness {
    asked_at: StoredValue<i64>,
    shown_at: StoredValue<i64>,
    /// Something changed while an answer was awaited, so the page must be asked for once more.
    is_outdated: StoredValue<bool>,
}

/// The island that does it. All it shows is what was wrong with a form of the job's card; `failed` is what was wrong when one
/// was last sent without scripts.
#[island]
pub fn Live(failed: Option<ApiError>) -> impl IntoView {
    let error = RwSignal::new(failed);
    Effect::new(move |_| {
        let now = page::now();
        let fresh = Freshness {
            asked_at: StoredValue::new(0),
            shown_at: StoredValue::new(now),
            is_outdated: StoredValue::new(false),
        };
        watch::every(Duration::from_secs(1), move || fresh.tick());
        watch::listen(EVENTS, move || fresh.refresh());
        send_on_submit(fresh, error);
    });
    view! {
        <p class="notice bad" role="alert" hidden=move || error.with(Option::is_none)>
            {move || error.with(|error| error.as_ref().map_or("", ApiError::message))}
        </p>
    }
}

/// Sends whatever form of the job's card is submitted, one at a time.
fn send_on_submit(fresh: Freshness, error: RwSignal<Option<ApiError>>) {
    let is_sending = StoredValue::new(false);
    let listener = window_event_listener(ev::submit, move |event: SubmitEvent| {
        let form = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let path = form.as_ref().and_then(|form| form.get_attribute("action")).unwrap_or_default();
        let Some(action) = JobAction::of(&path) else { return };
        event.prevent_default();
        // The button is off from when it is pressed until the card is exchanged for one that shows what came of it.
        let button = form.and_then(|form| form.query_selector("button").ok().flatten());
        let is_off = button.as_ref().is_some_and(|button| button.has_attribute("aria-disabled"));
        if is_off || is_sending.get_value() {
            return;
        }
        is_sending.set_value(true);
        error.set(None);
        if let Some(button) = button {
            let _ = button.set_attribute("aria-disabled", "true");
        }
        spawn_local(async move {
            if let Err(refused) = action.send().await {
                error.set(Some(refused));
            }
            is_sending.set_value(false);
            // Also when it was refused: perhaps somebody else was faster.
            fresh.refresh();
        });
    });
    on_cleanup(move || listener.remove());
}

impl Freshness {
    fn tick(self) {
        let now = page::now();
        let shown_for = now - self.shown_at.get_value();
        count_on(shown_for);
        // The clock may have been set back.
        if !(0..=STALE_AFTER).contains(&shown_for) || self.is_outdated.get_value() {
            self.refresh();
        }
    }

    /// Asks for the page, unless an answer is awaited already.
    fn refresh(self) {
        let now = page::now();
        // An answer that never comes must not stop the page from asking.
        if (0..STALE_AFTER).contains(&(now - self.asked_at.get_value())) {
            return self.is_outdated.set_value(true);
        }
        self.asked_at.set_value(now);
        self.is_outdated.set_value(false);
        live_parts::ask_again(move |newer| {
            self.asked_at.set_value(0);
            if presses::is_one_down() {
                return self.is_outdated.set_value(true);
            }
            self.shown_at.set_value(page::now());
            let here = page::document().and_then(|here| live_parts::shape(&here));
            if here == live_parts::shape(&newer) {
                exchange(&newer);
            } else {
                of_itself::reload();
            }
        });
    }
}

/// Exchanges what looks different. What a reader has scrolled sideways stays so. If what had the focus in the job's card is
/// gone, the card's heading gets it.
fn exchange(newer: &Document) {
    let scrolled: Vec<(String, i32)> =
        page::all("[data-part] .scroll[id]").iter().map(|place| (place.id(), place.scroll_left())).collect();
    let is_in_card = page::first("[data-part=\"job\"] :focus").is_some();
    let is_lost = is_in_card && newer.get_element_by_id(&page::focused()).is_none();
    live_parts::exchange(newer);
    for (id, left) in scrolled {
        if let Some(place) = page::first(&format!("#{id}")) {
            place.set_scroll_left(left);
        }
    }
    if is_lost {
        page::focus(HEADING);
    }
}

/// Counts on the seconds since the last successful key check, and down those for which something goes on.
fn count_on(shown_for: i64) {
    if let Some(place) = page::first("[data-left]") {
        let told = place.get_attribute("data-left").and_then(|text| text.parse::<i64>().ok());
        if let Some(told) = told {
            place.set_text_content(Some(&format::countdown(told - shown_for)));
        }
    }
    if let Some(place) = page::first("[data-verified]") {
        let told = place.get_attribute("data-verified").and_then(|text| text.parse::<i64>().ok());
        if let Some(told) = told {
            place.set_text_content(Some(&((told + shown_for) / 1_000).to_string()));
        }
    }
}
