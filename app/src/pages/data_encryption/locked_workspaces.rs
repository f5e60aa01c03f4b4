//! Workspaces whose data keys AWS refuses while the rest works. Their names are not told here: the list is for whoever looks
//! after the key, who meets the same ids in the key policy and in `CloudTrail`.

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

/// The card that lists them; nothing if there are none.
pub fn locked_workspaces(all: &[LockedWorkspace]) -> Option<impl IntoView + use<>> {
    if all.is_empty() {
        return None;
    }
    let badge = format::counted(u64::try_from(all.len()).unwrap_or(u64::MAX), "workspace", "workspaces");
    let groups = by_cause(all).into_iter().map(group).collect_view();
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

fn group(group: Group) -> impl IntoView {
    let members = group.members.into_iter().map(member).collect_view();
    view! {
        <div class="notice bad">
            <strong>{group.face.notice()}</strong>
            <p>{group.face.remedy()}</p>
            <ul class="plain">{members}</ul>
        </div>
    }
}

fn member(workspace: LockedWorkspace) -> impl IntoView {
    let face = workspace.lock;
    view! {
        <li>
            <a class="mono wrap" href=format!("/workspaces/{}", workspace.id)>
                {workspace.id.clone()}
            </a>
            <span class="small soft">
                " since " <Moment at=face.since seconds=true/>
                {face.code.map(|code| view! { " · " <span class="mono wrap">{code}</span> })}
                {face.request_id.map(|id| view! { " · request " <span class="mono wrap">{id}</span> })}
            </span>
        </li>
    }
}
