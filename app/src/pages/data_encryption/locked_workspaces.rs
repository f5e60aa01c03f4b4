//! Workspaces whose data keys AWS refuses while the rest works. Their names are not told here: the list is for whoever looks
//! after the key, who meets the same ids in the key policy and in `CloudTrail`.

use super::refused::delete_refused;
use crate::{
    components::moment::Moment,
    format,
    model::{
        encryption::LockedWorkspace,
        lock::{LockCause, LockFace},
    },
};
use leptos::prelude::*;

/// Workspaces that are locked for the same reason.
struct Group {
    face: LockFace,
    members: Vec<LockedWorkspace>,
}

/// The card that lists them; nothing if there are none. Who `may_change` the key may delete them.
pub fn locked_workspaces(all: &[LockedWorkspace], may_change: bool) -> Option<impl IntoView + use<>> {
    if all.is_empty() {
        return None;
    }
    let badge = format::counted(u64::try_from(all.len()).unwrap_or(u64::MAX), "workspace", "workspaces");
    let groups = by_cause(all).into_iter().map(|of| group(of, may_change)).collect_view();
    Some(view! {
        <section class="card">
            <header>
                <h2>"Locked alone"</h2>
                <span class="badge bad">{badge}</span>
            </header>
            <div class="body">
                <p class="lede">"The rest of your data is open. A workspace's id is its scope in the key policy."</p>
                {groups}
            </div>
        </section>
    })
}

fn by_cause(all: &[LockedWorkspace]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for workspace in all {
        let cause: LockCause = workspace.lock.cause;
        match groups.iter_mut().find(|group| group.face.cause == cause) {
            Some(group) => group.members.push(workspace.clone()),
            None => groups.push(Group { face: workspace.lock.clone(), members: vec![workspace.clone()] }),
        }
    }
    groups
}

fn group(group: Group, may_change: bool) -> impl IntoView {
    let members = group.members.into_iter().map(|of| member(of, may_change)).collect_view();
    view! {
        <div class="notice bad">
            <strong>{group.face.notice()}</strong>
            <p>{group.face.remedy()}</p>
            <ul class="plain">{members}</ul>
        </div>
    }
}

/// Members can go to it; others know it by its id alone.
fn member(workspace: LockedWorkspace, may_change: bool) -> impl IntoView {
    let LockedWorkspace { id, is_member, lock: face } = workspace;
    let name = if is_member {
        view! {
            <a class="mono wrap" href=format!("/workspaces/{id}")>
                {id.clone()}
            </a>
        }
        .into_any()
    } else {
        view! { <span class="mono wrap">{id.clone()}</span> }.into_any()
    };
    view! {
        <li>
            {name}
            <span class="small soft">
                " since " <Moment at=face.since seconds=true/>
                {face.code.map(|code| view! { " · " <span class="mono wrap">{code}</span> })}
                {face.request_id.map(|id| view! { " · request " <span class="mono wrap">{id}</span> })}
            </span>
            {may_change.then(|| view! { " " {delete_refused(&id, "delete-locked")} })}
        </li>
    }
}
