//! Makes the pages of `app` interactive in the browser. Nothing else belongs here.

/// Called once by the script that loads this module.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_body(app::App);
}
