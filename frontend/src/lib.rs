//! Makes the pages of `app` interactive in the browser. Nothing else belongs here.

// The islands are exported to the script by their own names.
#[allow(unused_imports, reason = "linking the crate is what exports its islands")]
use app::*;

/// Called once by the script that loads this module.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    app::begin();
}
