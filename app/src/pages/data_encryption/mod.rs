//! Data Encryption: whose key protects this deployment, and who can take it away.
//!
//! The page is brought up to date in place while it is open: what only shows is exchanged, what a person types into is not.

#![allow(clippy::needless_pass_by_value, reason = "the properties of a component are its own")]

mod arn_field;
mod coverage;
mod delete;
mod history;
mod impact;
mod job;
mod key_test;
mod live;
mod locked;
mod locked_workspaces;
mod past;
mod policy;
mod protection;
mod refused;
mod setup;

use crate::{
    api::{
        encryption::{ActivateKey, DeleteKey, LOADS_ITSELF, TestKey, read_data_encryption},
        workspace_members::DeleteRefusedWorkspace,
    },
    components::{
        form::{ReturnedError, returned_error},
        opened::opened,
        redirect::load_again,
    },
    model::{
        encryption::{DataEncryption, RootKind},
        identity::{Deployment, Frame},
        job::{JobKind, JobState},
        key_test::KeyTest,
        lock::LockCause,
    },
    problem,
};
use impact::Direction;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// Without scripts the page is loaded anew after so many seconds while a test goes on.
const TEST_LOADS_AGAIN: u32 = 5;

#[component]
pub fn DataEncryptionPage() -> impl IntoView {
    let test = use_query_map().with_untracked(|query| query.get("test"));
    let data = OnceResource::new(read_data_encryption(test));
    view! {
        {crate::pages::tab_title("Data Encryption")}
        <div>
            <h2>"Data Encryption"</h2>
            <p class="lede">"Whose key protects this deployment, and who can take it away."</p>
        </div>
        <ReturnedError error={returned_error::<DeleteRefusedWorkspace>()}/>
        {opened(data, None, |data, frame| view! { <Cards data frame/> }.into_any())}
    }
}

#[component]
fn Cards(data: DataEncryption, frame: Frame) -> impl IntoView {
    let hindrance = hindrance(&data);
    let form = form(&data);
    let history = history::history(&data.history);
    let past = past::past_jobs(&data.past_jobs, data.may_change);
    let shape = format!("{form:?} {hindrance:?} {}", data.root.arn);
    view! {
        <div class="stack wide" data-shape=shape>
            <p class="visually-hidden" role="status" data-part="status">
                {status(&data)}
            </p>
            <div data-part="protection">
                {protection::protection(&data, &frame.deployment.id)}
            </div>
            <div data-part="workspaces">{locked_workspaces::locked_workspaces(&data.locked_workspaces, data.may_change)}</div>
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
    let principal = data.principal_arn.clone();
    let entered = data.test.as_ref().map(|test| test.arn.clone()).or_else(|| typed_before(data));
    let is_followed = use_query_map().with_untracked(|query| query.get(LOADS_ITSELF)).is_some();
    if is_followed && data.test.as_ref().is_some_and(KeyTest::is_open) {
        load_again(TEST_LOADS_AGAIN);
    }
    let impact = impact::impact(Direction::Activate, data);
    let shown = data.test.as_ref().map(|test| key_test::key_test(test, place, principal.as_deref()));
    view! {
        <setup::Setup principal place=place.clone() of_session=data.principal_is_of_session entered hindrance failed>
            // Right below the button that asks for it.
            <div data-part="test">{shown}</div>
            <div data-part="impact">{impact}</div>
        </setup::Setup>
    }
    .into_any()
}

fn delete_card(data: &DataEncryption, hindrance: Option<&'static str>) -> AnyView {
    let failed = returned_error::<DeleteKey>();
    let entered = typed_before(data);
    let impact = impact::impact(Direction::Delete, data);
    view! {
        <delete::DeleteCard arn=data.root.arn.clone() entered hindrance failed>
            <div data-part="impact">{impact}</div>
        </delete::DeleteCard>
    }
    .into_any()
}

/// The ARN that somebody had typed before they were asked for proof. A link must not be able to type it: it chooses the key, or
/// is the confirmation.
fn typed_before(data: &DataEncryption) -> Option<String> {
    problem::typed("arn").filter(|_| data.has_just_confirmed)
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
    let test = data.test.as_ref().map_or("", key_test::announcement);
    let alone = match data.locked_workspaces.len() {
        0 => String::new(),
        1 => "1 workspace is locked alone.".to_owned(),
        many => format!("{many} workspaces are locked alone."),
    };
    format!("{lock} {alone} {job} {test}")
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
