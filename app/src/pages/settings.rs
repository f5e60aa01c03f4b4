//! Organization Settings: the tabs, and the page that only shows.

use crate::{components::opened::opened, format, model::identity::Frame};
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

#[component]
pub fn GeneralPage() -> impl IntoView {
    // Everything shown is in the frame already.
    let nothing = OnceResource::new(async { Ok(()) });
    view! {
        {super::tab_title("Organization Settings")}
        {opened(nothing, None, |(), frame| view! { <General frame/> }.into_any())}
    }
}

#[component]
fn General(frame: Frame) -> impl IntoView {
    let place = frame.deployment;
    view! {
        <div>
            <h2>"General"</h2>
            <p class="lede">"What this deployment is called and where it runs. Your operator sets these."</p>
        </div>
        <section class="card">
            <div class="body">
                <dl class="facts">
                    <dt>"Organization"</dt>
                    <dd>{place.organization}</dd>
                    <dt>"Deployment id"</dt>
                    <dd class="mono">{place.id}</dd>
                    <dt>"AWS region"</dt>
                    <dd class="mono">{place.region}</dd>
                    <dt>"Largest file"</dt>
                    <dd>{format::bytes(place.max_file_bytes)}</dd>
                    <dt>"Version"</dt>
                    <dd class="mono">{place.version}</dd>
                </dl>
            </div>
        </section>
    }
}
