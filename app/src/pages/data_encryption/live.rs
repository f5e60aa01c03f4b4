//! Keeps the page current while it is open.

use crate::browser::{live_parts, page, watch};
use leptos::prelude::*;
use std::time::Duration;

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

/// The island that does it. It shows nothing of its own.
#[island]
pub fn Live() -> impl IntoView {
    Effect::new(|_| {
        let now = page::now();
        let fresh = Freshness {
            asked_at: StoredValue::new(0),
            shown_at: StoredValue::new(now),
            is_outdated: StoredValue::new(false),
        };
        watch::every(Duration::from_secs(1), move || fresh.tick());
        watch::listen(EVENTS, move || fresh.refresh());
    });
}

impl Freshness {
    fn tick(self) {
        let now = page::now();
        let shown_for = now - self.shown_at.get_value();
        count_on(shown_for);
        if shown_for > STALE_AFTER || self.is_outdated.get_value() {
            self.refresh();
        }
    }

    /// Asks for the page, unless an answer is awaited already.
    fn refresh(self) {
        let now = page::now();
        // An answer that never comes must not stop the page from asking.
        if now - self.asked_at.get_value() < STALE_AFTER {
            return self.is_outdated.set_value(true);
        }
        self.asked_at.set_value(now);
        self.is_outdated.set_value(false);
        live_parts::ask_again(move |newer| {
            self.asked_at.set_value(0);
            self.shown_at.set_value(page::now());
            let here = page::document().and_then(|here| live_parts::shape(&here));
            if here == live_parts::shape(&newer) {
                live_parts::exchange(&newer);
            } else {
                page::reload();
            }
        });
    }
}

/// Counts on the seconds since the last successful key check.
fn count_on(shown_for: i64) {
    if let Some(place) = page::first("[data-verified]") {
        let told = place.get_attribute("data-verified").and_then(|text| text.parse::<i64>().ok());
        if let Some(told) = told {
            place.set_text_content(Some(&((told + shown_for) / 1_000).to_string()));
        }
    }
}
