//! Data Encryption: whose key protects this deployment, and who can take it away.
//!
//! The page is brought up to date in place while it is open: what only shows is exchanged, what a person types into is not.

mod arn_field;
mod coverage;
mod delete;
mod history;
mod impact;
mod job;
mod live;
mod locked;
mod locked_workspaces;
mod past;
mod policy;
mod preflight;
mod protection;
mod setup;

use crate::{
    api::encryption::{ActivateKey, DeleteKey, TestKey, read_data_encryption},
    components::{form::returned_error, opened::opened},
    model::{
        encryption::{DataEncryption, RootKind},
        identity::{Deployment, Frame},
        job::{JobKind, JobState},
        lock::LockCause,
    },
};
use impact::Direction;
use leptos::prelude::*;

#[component]
pub fn DataEncryptionPage() -> impl IntoView {
    let data = OnceResource::new(read_data_encryption());
    view! {
        {crate::pages::tab_title("Data Encryption")}
        <div>
            <h2>"Data Encryption"</h2>
            <p class="lede">"Whose key protects this deployment, and who can take it away."</p>
        </div>
        {opened(data, None, |data, frame| view! { <Cards data frame/> }.into_any())}
    }
}

#[component]
fn Cards(data: DataEncryption, frame: Frame) -> impl IntoView {
    let hindrance = hindrance(&data);
    let form = form(&data);
    let history = history::history(&data.history);
    let past = past::past_jobs(&data.past_jobs);
    let shape = format!("{form:?} {hindrance:?} {}", data.root.arn);
    view! {
        <div class="stack wide" data-shape=shape>
            <p class="visually-hidden" role="status" data-part="status">
                {status(&data)}
            </p>
            <div data-part="protection">
                {protection::protection(&data, &frame.deployment.id)}
            </div>
            <div data-part="workspaces">{locked_workspaces::locked_workspaces(&data.locked_workspaces)}</div>
            <div data-part="job">{data.job.as_ref().map(|job| job::job_card(job, data.may_change))}</div>
            // It also hears the forms of the job's card, so it says beside it what was wrong.
            <live::Live failed=job::actions::failed()/>
            {match form {
                Form::Setup => setup_card(&data, &frame.deployment, hindrance),
                Form::Delete => delete_card(&data, hindrance),
                Form::Neither => ().into_any(),
            }}
            <div data-part="coverage">
                <coverage::Coverage data/>
            </div>
            <div data-part="past">{past}</div>
            <div data-part="history">{history}</div>
        </div>
    }
}

fn setup_card(data: &DataEncryption, place: &Deployment, hindrance: Option<&'static str>) -> AnyView {
    let failed = returned_error::<ActivateKey>().or_else(returned_error::<TestKey>);
    let impact = impact::impact(Direction::Activate, data);
    view! {
        <setup::Setup principal=data.principal_arn.clone() place=place.clone() of_session=data.principal_is_of_session hindrance failed>
            <div data-part="impact">{impact}</div>
        </setup::Setup>
    }
    .into_any()
}

fn delete_card(data: &DataEncryption, hindrance: Option<&'static str>) -> AnyView {
    let failed = returned_error::<DeleteKey>();
    let impact = impact::impact(Direction::Delete, data);
    view! {
        <delete::DeleteCard arn=data.root.arn.clone() hindrance failed>
            <div data-part="impact">{impact}</div>
        </delete::DeleteCard>
    }
    .into_any()
}

/// What a person can do on the page.
#[derive(Clone, Copy, Debug)]
enum Form {
    Setup,
    Delete,
    Neither,
}

fn form(data: &DataEncryption) -> Form {
    let is_changing = data.job.as_ref().is_some_and(|job| job.state.is_unfinished());
    match data.root.kind {
        RootKind::Customer => Form::Delete,
        RootKind::Provider if is_changing => Form::Neither,
        RootKind::Provider => Form::Setup,
    }
}

/// What is said, once, to people who cannot see the page change.
fn status(data: &DataEncryption) -> String {
    let lock = data.lock.as_ref().map_or("", |lock| lock.cause.badge());
    let job = data.job.as_ref().map_or("", |job| job.announcement());
    let alone = match data.locked_workspaces.len() {
        0 => String::new(),
        1 => "1 workspace is locked alone.".to_owned(),
        many => format!("{many} workspaces are locked alone."),
    };
    format!("{lock} {alone} {job}")
}

/// Why the key cannot be changed now, by this person; `None` if it can.
fn hindrance(data: &DataEncryption) -> Option<&'static str> {
    if !data.may_change {
        return Some("Only an administrator of your organization can change the key.");
    }
    if let Some(lock) = &data.lock {
        return Some(match lock.cause {
            LockCause::Starting => "The key can be changed as soon as AWS has answered the first key check.",
            _ => {
                "The key in control cannot be used now, so no data can be moved away from it. Make it usable again first."
            }
        });
    }
    let is_leaving = data
        .job
        .as_ref()
        .is_some_and(|job| job.kind == JobKind::Delete && matches!(job.state, JobState::Running | JobState::Paused));
    is_leaving.then_some("The key is being deleted already.")
}
