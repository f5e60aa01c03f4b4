//! The job that changes the key: its stages, how far and how fast it is, why it waits, how it ended, and what can be done.
//!
//! The card is exchanged in place while the page is open. So whatever in it can have the focus has an id.

pub mod actions;
mod amounts;
mod chart;
mod rate;
mod result;
mod steps;

use self::actions::JobAction;
use super::refused::delete_refused;
use crate::{
    components::{
        moment::Moment,
        more::{More, Section},
    },
    format,
    model::job::{JobFailure, JobStage, JobState, JobView, PauseReason},
};
use leptos::prelude::*;

/// The heading of the card: it has the focus when what had it is gone.
pub const HEADING: &str = "job-heading";

/// Where the report of a complete job is.
pub fn report(id: &str) -> String {
    format!("/settings/data-encryption/jobs/{id}/report")
}

/// The job's card. Buttons are shown to those who `may_change` the key.
pub fn job_card(job: &JobView, may_change: bool) -> impl IntoView + use<> {
    let badge = match job.state {
        JobState::Running => "badge warn",
        JobState::Paused => "badge",
        JobState::Complete => "badge good",
        JobState::Failed => "badge bad",
    };
    view! {
        <section class="card">
            <header>
                <h2 id=HEADING tabindex="-1">
                    {job.title()}
                </h2>
                <span class=badge>{job.state.label()}</span>
            </header>
            <div class="body">
                {notice(job, may_change)} {steps::steps(job)} {facts(job)} {chart::chart(job)} {amounts::amounts(job)}
                {result::result(job, may_change)} {result::kept(job, may_change)} {foot(job, may_change)}
                {job.state.is_unfinished().then(|| view! { <More about=Section::After id="more-after"/> })}
            </div>
        </section>
    }
}

/// Since when, by whom, how fast, and for how long still.
fn facts(job: &JobView) -> impl IntoView + use<> {
    let is_rewriting = job.state == JobState::Running && job.stage == JobStage::Reencrypt;
    let pace = rate::pace_now(&job.marks).filter(|_| is_rewriting).map(|pace| {
        let items = format::counted(pace.items, "item", "items");
        view! {
            <dt>"Rate now"</dt>
            <dd>{format!("{} and {items} per second", format::bytes(pace.bytes))}</dd>
        }
    });
    let left = rate::time_left(&job.items, &job.marks).filter(|_| is_rewriting).map(|seconds| {
        view! {
            <dt>"Time left"</dt>
            <dd>{format::roughly(seconds)}</dd>
        }
    });
    let ended = job.finished_at.map(|at| {
        view! {
            <dt>"Ended"</dt>
            <dd>
                <Moment at=at seconds=true/>
            </dd>
        }
    });
    view! {
        <dl class="facts">
            <dt>"Begun"</dt>
            <dd>
                <Moment at=job.created_at seconds=true/>
                {format!(" by {}", job.requested_by)}
            </dd>
            {ended} {pace} {left}
        </dl>
    }
}

/// Why the job waits or failed, with AWS's own word.
fn notice(job: &JobView, may_change: bool) -> Option<impl IntoView + use<>> {
    const NOTHING_CHANGED: &str = "Nothing has changed: the key that was in control still is";
    let (class, title, text) = match (job.state, job.waiting, job.failure) {
        (JobState::Failed, _, Some(failure @ JobFailure::DataDestroyed)) => {
            ("notice bad", "It ended with the data".to_owned(), failure.message())
        }
        (JobState::Failed, _, Some(failure)) => ("notice bad", NOTHING_CHANGED.to_owned(), failure.message()),
        (JobState::Failed, ..) => {
            ("notice bad", NOTHING_CHANGED.to_owned(), "Try again; if it fails again, tell your operator.")
        }
        (JobState::Paused, Some(reason @ PauseReason::Administrator), _) => {
            let by = job.paused_by.as_deref().unwrap_or("an administrator");
            ("notice warn", format!("Paused by {by}"), reason.message())
        }
        (JobState::Paused, Some(reason), _) => ("notice warn", "Paused".to_owned(), reason.message()),
        // It was turned round, and has turned back.
        (JobState::Running, _, Some(_)) => {
            ("notice warn", "Your key was not deleted".to_owned(), JobFailure::TURNED_BACK)
        }
        _ => return None,
    };
    let code = job.code.clone();
    let may_delete = may_change && job.failure == Some(JobFailure::OldRootRefused);
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
                            "Workspace "
                            <a class="mono wrap" id="job-scope" href=format!("/workspaces/{scope}")>
                                {scope.clone()}
                            </a>
                        </p>
                        {may_delete.then(|| view! { <div class="row">{delete_refused(&scope, "delete-refused")}</div> })}
                    }
                })}
        </div>
    })
}

/// The button of an unfinished job, or the report of a complete one, which names workspaces.
fn foot(job: &JobView, may_change: bool) -> Option<AnyView> {
    if job.state == JobState::Complete {
        if !may_change {
            return None;
        }
        let link = view! {
            <div class="row">
                <a class="button" id="job-report" href=report(&job.id) download>
                    "Download report"
                </a>
            </div>
        };
        return Some(link.into_any());
    }
    let action = JobAction::of_unfinished(job).filter(|_| may_change)?;
    Some(view! { <div class="row">{actions::button(action)}</div> }.into_any())
}
