//! The stages of a job, as a list of steps.

use crate::{
    format,
    model::job::{JobKind, JobStage, JobState, JobView},
};
use leptos::prelude::*;

/// How much a record counts for beside a byte of file content.
const RECORD_WEIGHT: u64 = 512;

/// What is done, and of how much, in one measure.
const fn work(job: &JobView) -> (u64, u64) {
    (
        job.bytes_done.saturating_add(job.records_done.saturating_mul(RECORD_WEIGHT)),
        job.bytes_total.saturating_add(job.records_total.saturating_mul(RECORD_WEIGHT)),
    )
}

/// How far the rewriting is; `None` while it is not known how much there is: nothing of nothing would look like all of it.
fn percent(job: &JobView, state: &str) -> Option<u64> {
    let (done, total) = work(job);
    match state {
        "done" => Some(100),
        _ if !job.is_counted() => None,
        "waiting" | "failed" => Some(0),
        _ => Some(format::percent(done, total).min(99)),
    }
}

/// What is rewritten, and of how much.
fn amount(job: &JobView, state: &str) -> String {
    if !job.is_counted() {
        let text = match state {
            "running" => "Counting what there is to rewrite",
            "done" => "How much it was is not recorded",
            "failed" => "Nothing was rewritten",
            _ => "It is counted when this step begins",
        };
        return text.to_owned();
    }
    format!(
        "{} of {} · {} of {} · {} of {}",
        format::count(job.records_done),
        format::counted(job.records_total, "record", "records"),
        format::count(job.files_done),
        format::counted(job.files_total, "file", "files"),
        format::bytes(job.bytes_done),
        format::bytes(job.bytes_total),
    )
}

/// The list.
pub fn steps(job: &JobView) -> impl IntoView + use<> {
    view! { <ol class="steps">{control(job)} {rewrite(job)} {finish(job)}</ol> }
}

/// How a stage stands.
fn step_state(job: &JobView, stage: JobStage) -> &'static str {
    if job.state == JobState::Complete || job.stage > stage {
        "done"
    } else if job.stage < stage {
        "waiting"
    } else if job.state == JobState::Failed {
        "failed"
    } else {
        "running"
    }
}

/// Only of a job that changes the root key.
fn control(job: &JobView) -> Option<impl IntoView + use<>> {
    let is_done = step_state(job, JobStage::Control) == "done";
    let (title, key, after) = match (job.kind, is_done) {
        (JobKind::Retry, _) => return None,
        (JobKind::Activate, false) => ("Your key is taking control", "your key", ""),
        (JobKind::Activate, true) => ("Your key took control", "your key", " Disabling it already locks everything."),
        (JobKind::Delete, false) => ("The provider's key is taking control", "the provider's key", ""),
        (JobKind::Delete, true) => {
            ("The provider's key took control", "the provider's key", " Your key is not needed any more.")
        }
    };
    let text = format!(
        "{} of {} wrapped with {key}.{after}",
        format::count(job.keys_done),
        format::counted(job.keys_total, "data key", "data keys"),
    );
    Some(view! {
        <li data-state=step_state(job, JobStage::Control)>
            <div>
                <h3>{title}</h3>
                <p class="soft small">{text}</p>
            </div>
        </li>
    })
}

fn rewrite(job: &JobView) -> impl IntoView + use<> {
    let state = step_state(job, JobStage::Reencrypt);
    let title = match job.kind {
        JobKind::Activate | JobKind::Delete => "Rewriting data under new data keys",
        JobKind::Retry => "Rewriting what was set aside under the current data keys",
    };
    let percent = percent(job, state);
    let amount = amount(job, state);
    let is_running = state == "running";
    view! {
        <li data-state=state>
            <div class="stack">
                <div class="row">
                    <h3>{title}</h3>
                    {percent.map(|percent| view! { <span class="soft small">{percent} " %"</span> })}
                </div>
                <progress aria-label="Re-encryption" max="100" value=percent.unwrap_or(0).to_string()></progress>
                <p class="soft small">
                    {amount} {is_running.then_some(". You can keep working.")}
                </p>
            </div>
        </li>
    }
}

fn finish(job: &JobView) -> impl IntoView + use<> {
    let state = step_state(job, JobStage::Finish);
    let text = match (state, job.set_aside.is_empty()) {
        ("done", true) => "Nothing refers to them any more.",
        ("done", false) => "Those of the items set aside are kept; nothing refers to the others any more.",
        _ => "Only when nothing refers to them any more.",
    };
    view! {
        <li data-state=state>
            <div>
                <h3>"Verify and destroy the old data keys"</h3>
                <p class="soft small">{text}</p>
            </div>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::job::JobItems;

    fn job(stage: JobStage, counted: Option<(u64, u64)>) -> JobView {
        let (total, done) = counted.unwrap_or_default();
        let kind = JobItems { kind: "Notes".to_owned(), total, done, bytes_total: 0, bytes_done: 0, set_aside: 0 };
        JobView {
            id: "x".to_owned(),
            kind: JobKind::Activate,
            state: if stage == JobStage::Done { JobState::Complete } else { JobState::Running },
            stage,
            waiting: None,
            failure: None,
            code: None,
            scope: None,
            from_arn: String::new(),
            to_arn: String::new(),
            requested_by: "Ada".to_owned(),
            created_at: 0,
            control_at: None,
            finished_at: None,
            keys_total: 0,
            keys_done: 0,
            paused_by: None,
            items: counted.map(|_| kind).into_iter().collect(),
            marks: Vec::new(),
            records_total: total,
            records_done: done,
            files_total: 0,
            files_done: 0,
            bytes_total: 0,
            bytes_done: 0,
            set_aside: Vec::new(),
            may_retry: false,
        }
    }

    fn shown(job: &JobView) -> (Option<u64>, String) {
        let state = step_state(job, JobStage::Reencrypt);
        (percent(job, state), amount(job, state))
    }

    #[test]
    fn what_is_not_counted_yet_is_no_progress() {
        let counting = shown(&job(JobStage::Reencrypt, None));
        assert_eq!(counting, (None, "Counting what there is to rewrite".to_owned()));
        assert_eq!(shown(&job(JobStage::Control, None)).0, None);
        let (percent, amount) = shown(&job(JobStage::Reencrypt, Some((200, 50))));
        assert_eq!(percent, Some(25));
        assert!(amount.starts_with("50 of 200 records"), "{amount}");
        assert_eq!(shown(&job(JobStage::Reencrypt, Some((0, 0)))).0, Some(99), "counted, and there is nothing");
        assert_eq!(shown(&job(JobStage::Done, Some((2, 2)))).0, Some(100));
    }
}
