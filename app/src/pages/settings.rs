//! Organization Settings: the heading and the tabs.

use leptos::prelude::*;
use leptos_router::{components::Outlet, hooks::use_location};

/// The heading and the tabs, with the page inside.
#[component]
pub fn SettingsFrame() -> impl IntoView {
    let path = use_location().pathname;
    let tab = move |href: &'static str, label: &'static str| {
        view! {
            <a href=href aria-current=path.with_untracked(|path| path.trim_end_matches('/') == href).then_some("page")>
                {label}
            </a>
        }
    };
    view! {
        <div class="page-head">
            <h1>"Organization Settings"</h1>
        </div>
        <nav class="tabs" aria-label="Organization Settings">
            {tab("/settings", "General")} {tab("/settings/members", "Members")}
            {tab("/settings/data-encryption", "Data Encryption")} {tab("/settings/audit-log", "Audit Log")}
        </nav>
        <Outlet/>
    }
}
