//! Past changes of key: each job that has ended, but for the one whose card is shown.

use super::job::report;
use crate::{
    components::moment::Moment,
    format,
    model::job::{JobState, JobSummary},
};
use leptos::prelude::*;

/// How many lines are shown before the reader asks for more.
const SHOWN: usize = 5;

/// The card with the list, newest first; nothing if there are none. Reports name workspaces, so they are for administrators,
/// who `may_change` the key.
pub fn past_jobs(jobs: &[JobSummary], may_change: bool) -> Option<impl IntoView + use<>> {
    if jobs.is_empty() {
        return None;
    }
    let (newest, older) = jobs.split_at(jobs.len().min(SHOWN));
    let older = (!older.is_empty()).then(|| {
        view! {
            <details id="past-older" class="body">
                <summary id="past-older-summary">{older.len()} " older"</summary>
                {list(older, may_change)}
            </details>
        }
    });
    Some(view! {
        <section class="card">
            <header>
                <h2>"Past changes of key"</h2>
            </header>
            {list(newest, may_change)}
            {older}
        </section>
    })
}

fn list(jobs: &[JobSummary], may_change: bool) -> impl IntoView + use<> {
    let lines = jobs.iter().map(|job| line(job, may_change)).collect_view();
    view! { <ol class="history">{lines}</ol> }
}

fn line(job: &JobSummary, may_change: bool) -> impl IntoView + use<> {
    let badge = match job.state {
        JobState::Complete if job.set_aside > 0 => "badge warn",
        JobState::Complete => "badge good",
        _ => "badge bad",
    };
    let report = (job.state == JobState::Complete && may_change).then(|| {
        // There are several: each says which it is.
        let label = format!("Download report of {}", format::people_time(job.created_at, true));
        view! {
            <p class="small">
                <a id=format!("report-{}", job.id) href=report(&job.id) aria-label=label download>
                    "Download report"
                </a>
            </p>
        }
    });
    view! {
        <li class="stack">
            <div class="row">
                <h3>{job.title()}</h3>
                <span class=badge>{job.outcome()}</span>
            </div>
            <p>{job.account()}</p>
            <p class="small soft">
                <Moment at=job.created_at seconds=true/>
                {format!(" by {}", job.requested_by)}
            </p>
            {report}
        </li>
    }
}
