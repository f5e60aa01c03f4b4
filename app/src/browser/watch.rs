//! Things that happen again and again while a page is open, and stop when it is left. Nothing runs while the page is hidden:
//! a browser has few connections to one host, and nobody is looking.

use super::page;
use leptos::{ev, prelude::*};
use std::time::Duration;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::EventSource;

/// Calls `work` every `period` while the page is visible, and at once when it becomes visible again, until the owner of the
/// effect is gone.
pub fn every(period: Duration, work: impl Fn() + Clone + 'static) {
    let tick = {
        let work = work.clone();
        move || {
            if page::is_visible() {
                work();
            }
        }
    };
    let on_return = window_event_listener(visibility_change(), {
        let tick = tick.clone();
        move |_| tick()
    });
    let timer = set_interval_with_handle(tick, period).ok();
    on_cleanup(move || {
        on_return.remove();
        if let Some(timer) = timer {
            timer.clear();
        }
    });
}

/// Calls `changed` for each event the server sends, until the owner of the effect is gone. A connection that was closed while
/// the page was hidden is followed by one call, because events may have been missed.
pub fn listen(path: &'static str, changed: impl Fn() + Clone + 'static) {
    let source = StoredValue::new_local(None::<EventSource>);
    let connect = {
        let changed = changed.clone();
        move || {
            let Ok(opened) = EventSource::new(path) else { return };
            let on_message = Closure::<dyn Fn()>::new(changed.clone()).into_js_value();
            opened.set_onmessage(Some(on_message.unchecked_ref()));
            source.set_value(Some(opened));
        }
    };
    let disconnect = move || {
        source.try_update_value(|source| {
            if let Some(opened) = source.take() {
                opened.close();
            }
        });
    };
    if page::is_visible() {
        connect();
    }
    let on_visibility = window_event_listener(visibility_change(), move |_| {
        disconnect();
        if page::is_visible() {
            connect();
            changed();
        }
    });
    on_cleanup(move || {
        on_visibility.remove();
        disconnect();
    });
}

/// It is sent to the document and bubbles up to the window.
fn visibility_change() -> ev::Custom<web_sys::Event> {
    ev::Custom::new("visibilitychange")
}
