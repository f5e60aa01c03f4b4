//! What people see, and the only door to the server: pages, components, server functions, and the types both sides share.
//!
//! Compiled twice. With `ssr`, for the server, it renders whole pages, and everything that only reads works without scripts.
//! With `hydrate`, for the browser, only the islands are left: the few components that people act on. An island must render
//! the same on both sides, so it may read nothing but its properties while rendering.

// The views of whole pages are deeply nested types.
#![recursion_limit = "256"]

pub mod api;
mod browser;
mod components;
pub mod format;
#[cfg(feature = "ssr")]
pub mod help;
pub mod key_policy;
pub mod model;
mod pages;
#[cfg(feature = "ssr")]
pub mod ports;
pub mod problem;
pub mod promises;
pub mod return_path;
pub mod sections;
mod words;

use components::{frame::FrameAroundPage, redirect::GoTo, watcher::Watcher};
use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    path,
};
use pages::{
    account::{AccountPage, ConfirmPage, ConfirmedPage, TwoFactorPage},
    audit_log::AuditLogPage,
    data_encryption::DataEncryptionPage,
    general::GeneralPage,
    invitation::InvitationPage,
    members::MembersPage,
    not_found::NotFoundPage,
    settings::SettingsFrame,
    sign_in::{CodePage, SignInPage},
    workspace::{WorkspaceMembersPage, WorkspacePage},
    workspaces::WorkspacesPage,
};

/// The document around the application, as the server writes it.
#[cfg(feature = "ssr")]
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let style = format!("/{}/{}.css", options.site_pkg_dir, options.output_name);
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="stylesheet" href=style/>
                <HydrationScripts options islands=true/>
                <leptos_meta::MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// The organization's name, for pages that are shown before anybody is signed in. Empty if it cannot be had.
#[cfg_attr(not(feature = "ssr"), allow(clippy::unused_async, reason = "the browser has nobody to ask"))]
pub(crate) async fn organization_name() -> String {
    #[cfg(feature = "ssr")]
    if let Ok(ports) = ports::Ports::current()
        && let Ok(deployment) = ports.organization.deployment().await
    {
        return deployment.organization;
    }
    String::new()
}

/// What the operator calls single sign-on, if it is set up.
#[cfg(feature = "ssr")]
pub(crate) fn single_sign_on_label() -> Option<String> {
    ports::Ports::current().ok()?.session.single_sign_on()
}

/// What the browser does first: where a server function's answer leads to another page, the browser goes there.
#[cfg(feature = "hydrate")]
pub fn begin() {
    _ = leptos::server_fn::redirect::set_redirect_hook(|place: &str| browser::page::leave_for(place));
    leptos::mount::hydrate_islands();
}

/// The whole application.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <Routes fallback=|| view! { <NotFoundPage/> }>
                <Route path=path!("/") view=|| view! { <GoTo path=return_path::HOME/> } ssr=SsrMode::Async/>
                <Route path=path!("/sign-in") view=SignInPage ssr=SsrMode::Async/>
                <Route path=path!("/sign-in/code") view=CodePage ssr=SsrMode::Async/>
                <Route path=path!("/invitations/:token") view=InvitationPage ssr=SsrMode::Async/>
                <ParentRoute path=path!("") view=FrameAroundPage ssr=SsrMode::Async>
                    <Route path=path!("/workspaces") view=WorkspacesPage ssr=SsrMode::Async/>
                    <Route path=path!("/workspaces/:id") view=WorkspacePage ssr=SsrMode::Async/>
                    <Route path=path!("/workspaces/:id/members") view=WorkspaceMembersPage ssr=SsrMode::Async/>
                    <Route path=path!("/account") view=AccountPage ssr=SsrMode::Async/>
                    <Route path=path!("/account/two-factor") view=TwoFactorPage ssr=SsrMode::Async/>
                    <Route path=path!("/account/confirm") view=ConfirmPage ssr=SsrMode::Async/>
                    <Route path=path!("/account/confirmed") view=ConfirmedPage ssr=SsrMode::Async/>
                    <ParentRoute path=path!("/settings") view=SettingsFrame ssr=SsrMode::Async>
                        <Route path=path!("") view=GeneralPage ssr=SsrMode::Async/>
                        <Route path=path!("/members") view=MembersPage ssr=SsrMode::Async/>
                        <Route path=path!("/data-encryption") view=DataEncryptionPage ssr=SsrMode::Async/>
                        <Route path=path!("/audit-log") view=AuditLogPage ssr=SsrMode::Async/>
                    </ParentRoute>
                </ParentRoute>
            </Routes>
        </Router>
        <p class="visually-hidden" id="said" role="status"></p>
        <Watcher/>
    }
}
