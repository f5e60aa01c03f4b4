//! The page that is open: its address, its focus, its forms.

use wasm_bindgen::JsCast;
use web_sys::{Document, Element, FormData, HtmlElement, HtmlInputElement, SubmitEvent, VisibilityState};

/// Unix milliseconds by the browser's clock.
#[allow(clippy::cast_possible_truncation)]
pub fn now() -> i64 {
    js_sys::Date::now() as i64
}

/// The document that is open.
pub fn document() -> Option<Document> {
    web_sys::window().and_then(|window| window.document())
}

/// The first element that matches.
pub fn first(selector: &str) -> Option<Element> {
    document().and_then(|document| document.query_selector(selector).ok().flatten())
}

/// Every element that matches.
pub fn all(selector: &str) -> Vec<Element> {
    document().map(|document| all_in(&document, selector)).unwrap_or_default()
}

/// Every element of a document that matches.
pub fn all_in(document: &Document, selector: &str) -> Vec<Element> {
    let Ok(list) = document.query_selector_all(selector) else { return Vec::new() };
    (0..list.length()).filter_map(|at| list.item(at).and_then(|node| node.dyn_into().ok())).collect()
}

fn by_id<T: JsCast>(id: &str) -> Option<T> {
    document().and_then(|document| document.get_element_by_id(id)).and_then(|element| element.dyn_into().ok())
}

/// Marks the page as interactive, for style sheets and for tests.
pub fn mark_hydrated() {
    let root = document().and_then(|document| document.document_element());
    if let Some(root) = root {
        let _ = root.set_attribute("data-hydrated", "true");
    }
}

/// Whether anybody can see the page.
pub fn is_visible() -> bool {
    document().is_some_and(|document| document.visibility_state() == VisibilityState::Visible)
}

/// Path and query of the page.
pub fn address() -> String {
    let Some(window) = web_sys::window() else { return String::new() };
    let location = window.location();
    let mut path = location.pathname().unwrap_or_default();
    // An error that an earlier form brought back is of no use later.
    if let Ok(search) = location.search()
        && !search.contains("__err")
    {
        path.push_str(&search);
    }
    path
}

/// The id in the address, percent-encoded as it is there, if the page is that of a workspace.
pub fn workspace() -> Option<String> {
    let path = address();
    let id = path.strip_prefix("/workspaces/")?.split(['?', '/']).next()?;
    (!id.is_empty()).then(|| id.to_owned())
}

/// Whether the page says that it may not be shown.
pub fn is_refused() -> bool {
    first("[data-refused]").is_some()
}

/// Replaces the query of the address, without loading anything.
pub fn set_query(query: &str) {
    if let Some(history) = web_sys::window().and_then(|window| window.history().ok()) {
        let _ = history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(query));
    }
}

/// What somebody was writing, out of sight while data is locked.
pub fn hidden_data() -> Option<Element> {
    first("[data-holds-data][hidden]")
}

/// Leaves for another page of this site. Everything in memory is gone afterwards.
pub fn leave_for(path: &str) {
    if let Some(window) = web_sys::window() {
        let _ = window.location().assign(path);
    }
}

/// Loads the page again, without what an earlier form brought back.
pub fn reload() {
    if let Some(window) = web_sys::window() {
        let location = window.location();
        if location.search().is_ok_and(|search| search.contains("__err")) {
            leave_for(&address());
        } else {
            let _ = location.reload();
        }
    }
}

/// Loads the page again once it has been brought up to date, so that what was just saved does not count as unsaved.
pub fn reload_when_drawn() {
    leptos::prelude::request_animation_frame(reload);
}

/// Whether somebody has written something here that is not saved.
pub fn has_unsaved() -> bool {
    first("[data-unsaved]").is_some()
}

/// Moves the focus to the element with this id, once the page has been brought up to date.
pub fn focus(id: &str) {
    let id = id.to_owned();
    leptos::prelude::request_animation_frame(move || {
        if let Some(element) = by_id::<HtmlElement>(&id) {
            let _ = element.focus();
        }
    });
}

/// The id of the element that has the focus; empty if it has none.
pub fn focused() -> String {
    document().and_then(|document| document.active_element()).map(|element| element.id()).unwrap_or_default()
}

/// What is in the input field with this id.
pub fn field_value(id: &str) -> String {
    by_id::<HtmlInputElement>(id).map(|input| input.value()).unwrap_or_default()
}

/// Puts text on the clipboard.
pub fn copy(text: &str) {
    if let Some(window) = web_sys::window() {
        // The promise is not waited for: there is nothing to do if the browser says no.
        let _ = window.navigator().clipboard().write_text(text);
    }
}

/// The fields of a form that is being sent.
pub struct Fields(Option<FormData>);

impl Fields {
    /// Reads them from the event, and keeps the browser from sending the form itself.
    pub fn take(event: &SubmitEvent) -> Self {
        event.prevent_default();
        let form = event.target().and_then(|target| target.dyn_into().ok());
        Self(form.and_then(|form| FormData::new_with_form(&form).ok()))
    }

    /// The text of the field with this name; empty if there is none.
    pub fn text(&self, name: &str) -> String {
        self.0.as_ref().and_then(|data| data.get(name).as_string()).unwrap_or_default()
    }
}
