//! One file, or one folder, a page.

pub mod data_encryption;
pub mod not_found;
pub mod settings;
pub mod sign_in;
pub mod workspace;
pub mod workspaces;

use leptos::prelude::*;
use leptos_meta::Title;

/// The title of the browser's tab.
pub fn tab_title(page: &'static str) -> impl IntoView {
    view! { <Title text=format!("{page} · Keystead")/> }
}
