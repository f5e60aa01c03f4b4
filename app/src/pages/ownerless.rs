//! Workspaces that nobody owns (any more), for administrators: their owners were removed or disabled. Their names are not
//! told, because an administrator reads only what they are a member of.

use crate::{
    api::workspace_members::{GiveWorkspaceOwner, ownerless_workspaces},
    components::{
        form::{ReturnedError, returned_error},
        moment::Ago,
        opened::PageFrame,
    },
    format,
    model::membership::OwnerlessWorkspace,
    problem,
};
use leptos::{prelude::*, server_fn::ServerFn};

/// The card that lists them; nothing if there are none, or for somebody who is no administrator.
#[component]
pub fn OwnerlessWorkspaces() -> impl IntoView {
    let PageFrame(frame) = PageFrame::here();
    let found = OnceResource::new(ownerless_workspaces());
    let failed = returned_error::<GiveWorkspaceOwner>();
    view! {
        <ReturnedError error=failed/>
        <Suspense>
            {move || Suspend::new(async move {
                let (found, email) = (found.await.unwrap_or_default(), frame.await.ok()?.me.email);
                (!found.is_empty()).then(|| view! { <Card found email/> })
            })}
        </Suspense>
    }
}

#[component]
fn Card(found: Vec<OwnerlessWorkspace>, email: String) -> impl IntoView {
    let badge = format::counted(u64::try_from(found.len()).unwrap_or(u64::MAX), "workspace", "workspaces");
    let items = found.into_iter().map(|one| view! { <Item one email=email.clone()/> }).collect_view();
    view! {
        <section class="card" aria-labelledby="ownerless">
            <header>
                <h2 id="ownerless">"Workspaces without an owner"</h2>
                <span class="badge warn">{badge}</span>
            </header>
            <div class="body">
                <p class="lede">
                    "Their owners cannot sign in any more. Name a new owner, who can then read everything in the workspace. The audit log keeps that you did."
                </p>
                <ul class="plain">{items}</ul>
            </div>
        </section>
    }
}

#[component]
fn Item(one: OwnerlessWorkspace, email: String) -> impl IntoView {
    let field = format!("owner-{}", one.id);
    let listed = u64::try_from(one.members.len()).unwrap_or(u64::MAX);
    let more = one.member_count.saturating_sub(listed);
    let names = if one.members.is_empty() { "nobody".to_owned() } else { one.members.join(", ") };
    // What had been typed before proof was asked for, without scripts.
    let typed = problem::typed("owner").filter(|_| problem::typed("workspace").as_ref() == Some(&one.id));
    let more = (more > 0).then(|| format!(" and {} more", format::count(more)));
    view! {
        <li class="stack">
            <p>
                <span class="mono wrap">{one.id.clone()}</span>
                <span class="small soft">" made " <Ago at=one.created_at/> ", members: " {names} {more}</span>
            </p>
            <form class="row inline" method="post" action=GiveWorkspaceOwner::PATH data-grave="always">
                <input type="hidden" name="workspace" value=one.id.clone()/>
                <label for=field.clone()>"Email of the new owner"</label>
                <input class="input" id=field name="email" type="email" required autocomplete="off" value=typed.unwrap_or(email)/>
                <button class="button" type="submit" aria-label=format!("Make owner of {}", one.id)>
                    "Make owner"
                </button>
            </form>
        </li>
    }
}
