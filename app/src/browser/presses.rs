//! Whether a button or key is down. What is being pressed must not be exchanged: the press would be lost.

use super::page;
use leptos::{ev, prelude::*};
use std::cell::Cell;
use web_sys::Event;

/// A button or key that went down longer ago is not pressed any more, even if it was let go where nobody saw it; in milliseconds. A
/// key that repeats goes down each time.
const PRESS: i64 = 1_000;

thread_local! {
    /// When one last went down, by the browser's clock; 0 once one was let go.
    static DOWN_SINCE: Cell<i64> = const { Cell::new(0) };
}

/// Takes note of presses from now on, until the page is left.
pub fn watch() {
    let events =
        [("pointerdown", true), ("keydown", true), ("pointerup", false), ("pointercancel", false), ("keyup", false)];
    for (name, is_down) in events {
        let _ = window_event_listener(ev::Custom::<Event>::new(name), move |_| {
            DOWN_SINCE.set(if is_down { page::now() } else { 0 });
        });
    }
}

/// Whether one is down.
pub fn is_one_down() -> bool {
    (0..PRESS).contains(&(page::now() - DOWN_SINCE.get()))
}
