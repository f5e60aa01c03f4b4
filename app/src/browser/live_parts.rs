//! Brings parts of a page up to date in place: the page is asked for again, and where a part of it looks different now, the
//! part is exchanged. What a person is typing into is never such a part.

use super::{ago, of_itself, page, presses, request};
use leptos::prelude::set_timeout;
use std::{
    cell::{Cell, RefCell},
    time::Duration,
};
use wasm_bindgen::JsCast;
use web_sys::{Document, DomParser, Element, SupportedType};

/// Asks for this page again, and gives it to `then`. Without an answer nothing is called.
pub fn ask_again(then: impl FnOnce(Document) + 'static) {
    let asked = page::address();
    request::get(&asked.clone(), move |status, text| match status {
        // Meanwhile the address has come to name something else, which that answer does not show.
        200 if page::address() != asked => ask_again(then),
        200 => {
            let parsed = DomParser::new().and_then(|parser| parser.parse_from_string(&text, SupportedType::TextHtml));
            if let Ok(fresh) = parsed {
                // An answer that was redirected is the sign-in page.
                if find(&fresh, "[data-framed]").is_some() { then(fresh) } else { of_itself::session_may_have_ended() }
            }
        }
        401 => of_itself::session_may_have_ended(),
        _ => {}
    });
}

/// How soon it is looked whether a part can be exchanged now.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

thread_local! {
    /// How many times [`bring_up_to_date`] has asked, and the last of those times that was answered.
    static ASKED: Cell<u64> = const { Cell::new(0) };
    static ANSWERED: Cell<u64> = const { Cell::new(0) };
    /// The newest answer to it, until it is shown, or dropped because the data is locked.
    static NEWEST: RefCell<Option<Document>> = const { RefCell::new(None) };
}

/// Asks for this page again, and exchanges its parts when nothing is being pressed or is open in one of them. No answer is shown
/// after a newer one.
pub fn bring_up_to_date() {
    let number = ASKED.get() + 1;
    ASKED.set(number);
    ask_again(move |fresh| {
        if number > ANSWERED.replace(ANSWERED.get().max(number)) && NEWEST.replace(Some(fresh)).is_none() {
            show_newest();
        }
    });
}

fn show_newest() {
    if presses::is_one_down() || page::first("[data-part] :popover-open").is_some() {
        return set_timeout(show_newest, LOOK_AGAIN);
    }
    let newest = NEWEST.take();
    // Data that became locked meanwhile was taken off the page, and stays off.
    if let Some(fresh) = newest.filter(|_| page::hidden_data().is_none()) {
        exchange(&fresh);
    }
}

/// Exchanges every part marked with `data-part` that looks different in `fresh`.
pub fn exchange(fresh: &Document) {
    keep_open(fresh);
    let focused = page::focused();
    for part in page::all("[data-part]") {
        let name = part.get_attribute("data-part").unwrap_or_default();
        let Some(newer) = find(fresh, &format!("[data-part=\"{name}\"]")) else { continue };
        let html = newer.inner_html();
        if part.inner_html() != html {
            part.set_inner_html(&html);
        }
    }
    if page::focused() != focused {
        page::focus(&focused);
    }
    ago::refresh();
}

/// What a reader has opened stays open.
fn keep_open(fresh: &Document) {
    for opened in page::all("details[open]") {
        if let Some(same) = fresh.get_element_by_id(&opened.id()) {
            let _ = same.set_attribute("open", "");
        }
    }
}

/// The shape of the page: what cannot be exchanged, because people type into it. When it differs, the page must be loaded.
pub fn shape(of: &Document) -> Option<String> {
    find(of, "[data-shape]").and_then(|element| element.get_attribute("data-shape"))
}

fn find(document: &Document, selector: &str) -> Option<Element> {
    document.query_selector(selector).ok().flatten().and_then(|element| element.dyn_into().ok())
}
