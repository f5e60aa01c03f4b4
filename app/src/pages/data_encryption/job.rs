//! The job that changes the key: its stages, how far it is, why it waits, how it ended.

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

/// The job's card.
pub fn job_card(job: &JobView) -> impl IntoView + use<> {
    let badge = match job.state {
        JobState::Running => "badge warn",
        JobState::Paused => "badge",
        JobState::Complete => "badge good",
        JobState::Failed => "badge bad",
    };
    view! {
        <section class="card">
            <header>
                <h2 id="job-heading" tabindex="-1">
                    {job.title()}
                </h2>
                <span class=badge>{job.state.label()}</span>
            </header>
            <div class="body">{notice(job)} <ol class="steps">{control(job)} {rewrite(job)} {finish(job)}</ol> {result(job)}</div>
        </section>
    }
}

/// How a stage stands, for the list of steps.
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

fn control(job: &JobView) -> impl IntoView + use<> {
    let is_done = step_state(job, JobStage::Control) == "done";
    let (title, key, after) = match (job.kind, is_done) {
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
    view! {
        <li data-state=step_state(job, JobStage::Control)>
            <div>
                <h3>{title}</h3>
                <p class="soft small">{text}</p>
            </div>
        </li>
    }
}

fn rewrite(job: &JobView) -> impl IntoView + use<> {
    let state = step_state(job, JobStage::Reencrypt);
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
                    <h3>"Rewriting data under new data keys"</h3>
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
    let text =
        if state == "done" { "Nothing refers to them any more." } else { "Only when nothing refers to them any more." };
    view! {
        <li data-state=state>
            <div>
                <h3>"Verify and destroy the old data keys"</h3>
                <p class="soft small">{text}</p>
            </div>
        </li>
    }
}

/// Why the job waits or failed, with AWS's own word.
fn notice(job: &JobView) -> Option<impl IntoView + use<>> {
    let (class, title, text) = match (job.state, job.waiting, job.failure) {
        (JobState::Failed, _, Some(failure)) => {
            ("notice bad", "Nothing has changed: the key that was in control still is", failure.message())
        }
        (JobState::Failed, ..) => (
            "notice bad",
            "Nothing has changed: the key that was in control still is",
            "Try again; if it fails again, tell your operator.",
        ),
        (JobState::Paused, Some(reason), _) => ("notice warn", "Paused", reason.message()),
        _ => return None,
    };
    let code = job.code.clone();
    let scope = job.scope.clone().filter(|scope| scope != "organization");
    Some(view! {
        <div class=class>
            <strong>{title}</strong>
            <p class="small">{text}</p>
            {code
                .map(|code| view! { <p class="small">"AWS answered " <span class="mono wrap">{code}</span> "."</p> })}
            {scope
                .map(|scope| {
                    view! {
                        <p class="small">
                            "Workspace " <a class="mono wrap" href=format!("/workspaces/{scope}")>{scope.clone()}</a>
                        </p>
                    }
                })}
        </div>
    })
}

/// How a complete job ended.
fn result(job: &JobView) -> Option<impl IntoView + use<>> {
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
    let groups = job
        .set_aside
        .iter()
        .map(|group| {
            let text = format!("{} {}", format::counted(group.items, "item", "items"), group.reason.message());
            view! { <li>{text}</li> }
        })
        .collect_view();
    let left = if set_aside == 0 { " Nothing is left under the old data keys." } else { "" };
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
                        <ul class="small plain">{groups}</ul>
                    }
                })}
        </div>
    })
}
