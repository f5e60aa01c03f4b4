//! How a complete job ended: what was rewritten, and what was set aside and why.

use super::actions::{self, JobAction};
use crate::{
    format,
    model::job::{JobState, JobView, SetAside, SetAsideItem},
};
use leptos::prelude::*;

/// The notice; nothing while the job is not complete.
pub fn result(job: &JobView, may_change: bool) -> Option<impl IntoView + use<>> {
    let finished_at = job.finished_at.filter(|_| job.state == JobState::Complete)?;
    let took = u64::try_from(finished_at - job.created_at).unwrap_or(0).div_ceil(1_000);
    let set_aside: u64 = job.set_aside.iter().map(|group| group.items).sum();
    let rewritten = format!(
        "{} and {} ({}) were rewritten in {}.",
        format::counted(job.records_done, "record", "records"),
        format::counted(job.files_done, "file", "files"),
        format::bytes(job.bytes_done),
        format::seconds(took),
    );
    let left = if set_aside == 0 { " Nothing is left under the old data keys." } else { "" };
    let groups = job.set_aside.iter().enumerate().map(|(at, of)| group(at, of)).collect_view();
    Some(view! {
        <div class=if set_aside == 0 { "notice good" } else { "notice warn" }>
            <p>{rewritten} {left}</p>
            {(set_aside > 0)
                .then(|| {
                    view! {
                        <p>
                            <strong>{format::counted(set_aside, "item", "items")} " set aside"</strong>
                            ". They would not open, so they were not rewritten, and their data key is kept."
                        </p>
                        {groups}
                        {(may_change && job.may_retry)
                            .then(|| {
                                view! {
                                    <p class="small">
                                        "When what is wrong with them has been repaired, for example from a backup, they can be tried again."
                                    </p>
                                    <div class="row">{actions::button(JobAction::Retry)}</div>
                                }
                            })}
                    }
                })}
        </div>
    })
}

/// What an earlier job has set aside, below one that failed or was cancelled; nothing if there is nothing to be tried again.
pub fn kept(job: &JobView, may_change: bool) -> Option<impl IntoView + use<>> {
    let is_told = job.state == JobState::Complete && !job.set_aside.is_empty();
    (job.may_retry && !is_told).then(|| {
        view! {
            <div class="notice warn">
                <p>
                    "Items that an earlier change of key has set aside are not rewritten yet, and their old data key is kept."
                </p>
                {may_change.then(|| view! { <div class="row">{actions::button(JobAction::Retry)}</div> })}
            </div>
        }
    })
}

/// The items of one reason. What is opened stays open while the page is brought up to date, so it must be known again.
fn group(at: usize, group: &SetAside) -> AnyView {
    let title = format!("{} {}", format::counted(group.items, "item", "items"), group.reason.message());
    // Only administrators are told which.
    if group.listed.is_empty() {
        return view! { <p class="small">{title}</p> }.into_any();
    }
    let listed = group.listed.iter().enumerate().map(|(number, of)| item(at, number, of)).collect_view();
    let more = more(group).map(|more| view! { <li>{more}</li> });
    view! {
        <details id=format!("aside-{at}")>
            <summary id=format!("aside-{at}-summary")>{title}</summary>
            <ul class="small plain">{listed} {more}</ul>
        </details>
    }
    .into_any()
}

fn more(group: &SetAside) -> Option<String> {
    let listed = u64::try_from(group.listed.len()).unwrap_or(u64::MAX);
    let more = group.items.saturating_sub(listed);
    (more > 0).then(|| format!("and {} more", format::count(more)))
}

fn item(at: usize, number: usize, item: &SetAsideItem) -> impl IntoView + use<> {
    let workspace = item.workspace.clone().map(|workspace| {
        view! {
            " in workspace "
            <a class="mono wrap" id=format!("aside-{at}-{number}") href=format!("/workspaces/{workspace}")>
                {workspace.clone()}
            </a>
        }
    });
    view! {
        <li>{item.kind.clone()} ": " <span class="mono wrap">{item.id.clone()}</span> {workspace}</li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::job::SetAsideReason;

    #[test]
    fn what_is_not_listed_is_counted() {
        let item = SetAsideItem { kind: "Notes".to_owned(), id: "x".to_owned(), workspace: None };
        let group =
            |items, listed| SetAside { reason: SetAsideReason::Tampered, items, listed: vec![item.clone(); listed] };
        assert_eq!(more(&group(20, 20)), None);
        assert_eq!(more(&group(1_220, 20)).as_deref(), Some("and 1,200 more"));
    }
}
