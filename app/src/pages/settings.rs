//! Organization Settings: the tabs, and the two pages that only show.

use crate::{
    api::organization::members,
    components::{moment::Ago, opened::opened},
    format,
    model::identity::{Frame, MemberEntry, Role},
};
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
            {tab("/settings/data-encryption", "Data Encryption")}
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

#[component]
pub fn MembersPage() -> impl IntoView {
    let list = OnceResource::new(members());
    view! {
        {super::tab_title("Members")}
        <div>
            <h2>"Members"</h2>
            <p class="lede">"Everybody who can sign in. Administrators may also change the key that protects the data."</p>
        </div>
        {opened(list, None, |members, _| view! { <Members members/> }.into_any())}
    }
}

#[component]
fn Members(members: Vec<MemberEntry>) -> impl IntoView {
    let rows = members
        .into_iter()
        .map(|member| {
            let badge = if member.role == Role::Administrator { "badge good" } else { "badge" };
            view! {
                <tr>
                    <td class="wrap">{member.name}</td>
                    <td class="wrap">{member.email}</td>
                    <td>
                        <span class=badge>{member.role.label()}</span>
                    </td>
                    <td>
                        {match member.last_sign_in_at {
                            Some(at) => view! { <Ago at/> }.into_any(),
                            None => "never".into_any(),
                        }}
                    </td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section class="card" aria-label="Members">
            <div class="scroll" tabindex="0" role="group" aria-label="List of members">
                <table class="list">
                    <thead>
                        <tr>
                            <th scope="col">"Name"</th>
                            <th scope="col">"Email"</th>
                            <th scope="col">"Role"</th>
                            <th scope="col">"Last sign-in"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
}
