//! Using one's own key: what it must be, what it must allow, and activating it.

use super::{
    arn_field::{ArnField, FIELD},
    policy::Policy,
    preflight::PreflightList,
};
use crate::{
    api::encryption::{ActivateKey, TestKey, activate_key, test_key},
    browser::page::{self, Fields},
    components::form::PostForm,
    model::{
        error::{ApiError, KeyRefused},
        identity::Deployment,
        key_arn::KeyArn,
        preflight::Preflight,
    },
};
use leptos::{prelude::*, server_fn::ServerFn, task::spawn_local};
use leptos_router::hooks::use_query_map;

#[component]
pub fn Setup(
    principal: Option<String>,
    of_session: bool,
    place: Deployment,
    hindrance: Option<&'static str>,
    failed: Option<ApiError>,
    children: Children,
) -> impl IntoView {
    let has_passed = failed.is_none()
        && use_query_map().with_untracked(|query| query.get("tested")).is_some_and(|word| word == "passed");
    view! {
        <section class="card">
            <header>
                <h2>"Use your own key"</h2>
                <span class="small soft">"Takes about 5 minutes"</span>
            </header>
            <div class="body">
                <ol class="steps">
                    <li>
                        <div>
                            <h3>"Create a symmetric KMS key in " {place.region.clone()}</h3>
                            <p class="soft">
                                "In the AWS account that should own it. It must be in the same region as this deployment."
                            </p>
                        </div>
                    </li>
                    <li>
                        <div class="stack">
                            <div>
                                <h3>"Let this deployment use it"</h3>
                                <p class="soft">
                                    "Add these statements to the key's policy. They allow three actions, only for this deployment, and nothing else."
                                </p>
                            </div>
                            <Policy place=place.clone() principal of_session/>
                        </div>
                    </li>
                    <li data-state="running">
                        <KeyForm
                            partition=place.partition
                            region=place.region
                            hindrance=hindrance.map(str::to_owned)
                            failed
                        />
                    </li>
                </ol>
                {children()}
                {has_passed
                    .then(|| {
                        view! {
                            <p class="notice good">
                                "The key tested last passed every step that must pass. Nothing has been changed."
                            </p>
                        }
                    })}
            </div>
        </section>
    }
}

/// The form. `failed` is what went wrong when it was last sent without scripts.
#[island]
fn KeyForm(partition: String, region: String, hindrance: Option<String>, failed: Option<ApiError>) -> impl IntoView {
    let error = RwSignal::new(failed);
    let busy = RwSignal::new(false);
    let tried = RwSignal::new(None::<Preflight>);
    let is_hindered = hindrance.is_some();
    let home = StoredValue::new((partition, region));

    // Both buttons ask for the same: an ARN that could be right.
    let accept = move |entered: &str| {
        if busy.get_untracked() || is_hindered {
            return None;
        }
        tried.set(None);
        match home.with_value(|(partition, region)| check(entered, partition, region)) {
            Ok(arn) => {
                error.set(None);
                busy.set(true);
                Some(arn)
            }
            Err(problem) => {
                error.set(Some(problem));
                page::focus(FIELD);
                None
            }
        }
    };
    let refuse = move |refused: ApiError| {
        error.set(Some(refused));
        page::focus(FIELD);
    };
    let on_activate = move |fields: Fields| {
        let Some(arn) = accept(&fields.text("arn")) else { return };
        spawn_local(async move {
            match activate_key(arn).await {
                Ok(()) => page::reload(),
                Err(refused) => refuse(refused),
            }
            busy.set(false);
        });
    };
    let on_test = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        let Some(arn) = accept(&page::field_value(FIELD)) else { return };
        spawn_local(async move {
            match test_key(arn).await {
                Ok(preflight) => {
                    tried.set(Some(preflight));
                    page::focus("preflight");
                }
                Err(refused) => refuse(refused),
            }
            busy.set(false);
        });
    };
    let kind = if is_hindered { "button" } else { "submit" };
    let is_off = move || (is_hindered || busy.get()).then_some("true");
    view! {
        <PostForm url=ActivateKey::PATH on_send=on_activate>
            <ArnField
                placeholder=""
                hint="You find it in the AWS console under KMS › Customer managed keys. Aliases are not accepted: one can be pointed at another key."
                error
                hindrance
            />
            <div class="row">
                // First in the form, so that the return key presses it; last to the eye.
                <button class="button primary order-last" type=kind aria-disabled=is_off aria-describedby="arn-hindrance">
                    "Activate Key"
                </button>
                <button
                    class="button"
                    type=kind
                    formaction=TestKey::PATH
                    aria-disabled=is_off
                    aria-describedby="arn-hindrance"
                    on:click=on_test
                >
                    "Test Key"
                </button>
                <span class="small soft" role="status">
                    {move || if busy.get() { "Asking AWS…" } else { "" }}
                </span>
            </div>
        </PostForm>
        {move || tried.get().map(|preflight| view! { <PreflightList preflight/> })}
    }
}

/// What can be said about an ARN without asking anybody.
fn check(entered: &str, partition: &str, region: &str) -> Result<String, ApiError> {
    let arn = KeyArn::parse(entered)?;
    arn.check_home(partition, region).map_err(KeyRefused::Problem)?;
    Ok(arn.as_str().to_owned())
}
