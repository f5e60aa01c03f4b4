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
    let (done, total) = work(job);
    let percent = match state {
        "waiting" | "failed" => 0,
        "done" => 100,
        _ => format::percent(done, total).min(99),
    };
    let amount = format!(
        "{} of {} · {} of {} · {} of {}",
        format::count(job.records_done),
        format::counted(job.records_total, "record", "records"),
        format::count(job.files_done),
        format::counted(job.files_total, "file", "files"),
        format::bytes(job.bytes_done),
        format::bytes(job.bytes_total),
    );
    let is_running = state == "running";
    view! {
        <li data-state=state>
            <div class="stack">
                <div class="row">
                    <h3>{title}</h3>
                    <span class="soft small">{percent} " %"</span>
                </div>
                <progress aria-label="Re-encryption" max="100" value=percent.to_string()></progress>
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
