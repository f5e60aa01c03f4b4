//! The page that is open: its address, its focus, its forms.

use crate::return_path;
use wasm_bindgen::JsCast;
use web_sys::{FormData, HtmlElement, HtmlInputElement, SubmitEvent, VisibilityState};

/// Unix milliseconds by the browser's clock.
#[allow(clippy::cast_possible_truncation)]
pub fn now() -> i64 {
    js_sys::Date::now() as i64
}

fn document() -> Option<web_sys::Document> {
    web_sys::window().and_then(|window| window.document())
}

/// Marks the page as interactive, for style sheets and for tests.
pub fn mark_hydrated() {
    let root = document().and_then(|document| document.document_element());
    if let Some(root) = root.and_then(|root| root.dyn_into::<HtmlElement>().ok()) {
        let _ = root.dataset().set("hydrated", "true");
    }
}

/// The organization's name, as the server wrote it into the page.
#[cfg_attr(feature = "ssr", allow(dead_code, reason = "the server knows the name itself"))]
pub fn organization() -> String {
    let root = document().and_then(|document| document.document_element());
    root.and_then(|root| root.get_attribute("data-organization")).unwrap_or_default()
}

/// Whether anybody can see the page.
pub fn is_visible() -> bool {
    document().is_some_and(|document| document.visibility_state() == VisibilityState::Visible)
}

/// Leaves the page for another one of this site. Everything in memory is gone afterwards.
pub fn leave_for(path: &str) {
    if let Some(window) = web_sys::window() {
        let _ = window.location().assign(path);
    }
}

/// Leaves for the sign-in page, to return here afterwards.
pub fn leave_for_sign_in() {
    if let Some(window) = web_sys::window() {
        let location = window.location();
        let mut path = location.pathname().unwrap_or_default();
        // An error of an earlier form is of no use after signing in.
        if let Ok(search) = location.search()
            && !search.contains("__err")
        {
            path.push_str(&search);
        }
        leave_for(&return_path::sign_in_for(&path));
    }
}

/// Moves the focus to the element with this id, once the page has been brought up to date.
pub fn focus(id: &'static str) {
    leptos::prelude::request_animation_frame(move || {
        let element = document().and_then(|document| document.get_element_by_id(id));
        if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
            let _ = element.focus();
        }
    });
}

/// Closes the dialog with this id.
pub fn close_dialog(id: &str) {
    let element = document().and_then(|document| document.get_element_by_id(id));
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = element.hide_popover();
    }
}

/// What is in the input field with this id.
pub fn field_value(id: &str) -> String {
    let element = document().and_then(|document| document.get_element_by_id(id));
    element
        .and_then(|element| element.dyn_into::<HtmlInputElement>().ok())
        .map(|input| input.value())
        .unwrap_or_default()
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
