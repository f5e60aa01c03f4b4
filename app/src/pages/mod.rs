//! One file, or one folder, a page.

pub mod account;
pub mod audit_log;
pub mod data_encryption;
pub mod general;
pub mod invitation;
pub mod members;
pub mod not_found;
mod ownerless;
pub mod settings;
mod shown;
pub mod sign_in;
pub mod workspace;
pub mod workspaces;

use leptos::prelude::*;
use leptos_meta::Title;

/// The title of the browser's tab.
pub fn tab_title(page: &'static str) -> impl IntoView {
    view! { <Title text=format!("{page} · Keystead")/> }
}
