//! Using one's own key: what it must be, what it must allow, testing it and activating it.

use super::{
    arn_field::{ArnField, FIELD},
    key_test::HEADING,
    policy::Policy,
};
use crate::{
    api::encryption::{ActivateKey, PAGE, TestKey, activate_key, test_key},
    browser::{
        live_parts,
        page::{self, Fields},
    },
    components::{
        form::PostForm,
        more::{More, Section},
    },
    model::{error::ApiError, identity::Deployment, key_arn::KeyArn, key_test::Activation},
};
use leptos::{prelude::*, server_fn::ServerFn, task::spawn_local};

/// The card. `entered` is the key whose test is shown; `failed` is what went wrong when the form was sent without scripts.
#[component]
pub fn Setup(
    principal: Option<String>,
    of_session: bool,
    place: Deployment,
    entered: Option<String>,
    hindrance: Option<&'static str>,
    failed: Option<ApiError>,
    children: Children,
) -> impl IntoView {
    view! {
        <section class="card">
            <header>
                <h2>"Use your own key"</h2>
                <span class="small soft">"Takes about 5 minutes"</span>
            </header>
            <div class="body">
                <More about=Section::Activate/>
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
                                    "Create the key with its whole policy in one go, or add two statements to the policy of a key that exists. They allow three actions, only for this deployment, and nothing else."
                                </p>
                            </div>
                            <Policy place=place.clone() principal of_session/>
                        </div>
                    </li>
                    <li data-state="running">
                        <KeyForm entered hindrance=hindrance.map(str::to_owned) failed/>
                    </li>
                </ol>
                {children()}
            </div>
        </section>
    }
}

/// The form. `failed` is what went wrong when it was last sent without scripts.
#[island]
fn KeyForm(entered: Option<String>, hindrance: Option<String>, failed: Option<ApiError>) -> impl IntoView {
    let error = RwSignal::new(failed);
    let busy = RwSignal::new(false);
    let is_hindered = hindrance.is_some();

    // Both buttons ask for the same: an ARN that could be right.
    let accept = move |entered: &str| {
        if busy.get_untracked() || is_hindered {
            return None;
        }
        match KeyArn::parse(entered) {
            Ok(arn) => {
                error.set(None);
                busy.set(true);
                Some(arn.as_str().to_owned())
            }
            Err(wrong) => {
                error.set(Some(wrong.into()));
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
                Ok(Activation::Begun) => page::leave_for(PAGE),
                Ok(Activation::Refused(test)) => show(&test),
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
                Ok(test) => show(&test),
                Err(refused) => refuse(refused),
            }
            busy.set(false);
        });
    };
    let kind = if is_hindered { "button" } else { "submit" };
    let is_off = move || (is_hindered || busy.get()).then_some("true");
    view! {
        <PostForm url=ActivateKey::PATH on_send=on_activate grave=true>
            <ArnField
                placeholder=""
                hint="You find it in the AWS console under KMS › Customer managed keys. Aliases are not accepted: one can be pointed at another key."
                entered
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
    }
}

/// Shows a test: the address names it from now on, so it is there again after the page is loaded anew.
fn show(test: &str) {
    page::set_query(&format!("?test={test}"));
    live_parts::ask_again(|fresh| {
        live_parts::exchange(&fresh);
        page::focus(HEADING);
    });
}
