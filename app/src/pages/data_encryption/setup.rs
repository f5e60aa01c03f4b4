//! Using one's own key: what it must be, what it must allow, and activating it.

use super::{
    Board,
    arn_field::{ArnField, FIELD, check},
    hindrance, policy,
    preflight::PreflightList,
};
use crate::{
    api::encryption::{ActivateKey, TestKey},
    browser::page::{self, Fields},
    components::form::{CopyButton, PostForm, last_error},
    model::preflight::Preflight,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

#[component]
pub fn Setup(board: Board) -> impl IntoView {
    let region = board.deployment.with_value(|place| place.region.clone());
    let principal = board.part(|state| state.principal_arn.clone());
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
                            <h3>"Create a symmetric KMS key in " {region}</h3>
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
                            <Policy board principal/>
                        </div>
                    </li>
                    <li data-state="running">
                        <KeyForm board/>
                    </li>
                </ol>
            </div>
        </section>
    }
}

#[component]
fn Policy(board: Board, principal: Memo<Option<String>>) -> impl IntoView {
    let text = Memo::new(move |_| {
        let principal = principal.get();
        let principal = principal.as_deref().unwrap_or("<the principal of this deployment>");
        board.deployment.with_value(|place| policy::statements(&place.id, principal))
    });
    view! {
        <Show when=move || principal.with(Option::is_none)>
            <p class="notice warn small">
                "The AWS principal of this deployment is not known here. Ask your operator for its ARN and put it in place of the words in angle brackets."
            </p>
        </Show>
        <div class="code">
            <CopyButton label="Copy key policy" text=text/>
            <pre tabindex="0">{move || text.get()}</pre>
        </div>
    }
}

#[component]
fn KeyForm(board: Board) -> impl IntoView {
    let activate = ServerAction::<ActivateKey>::new();
    let test = ServerAction::<TestKey>::new();
    let error = last_error(|| activate.value().get());
    if let Some(earlier) = last_error(|| test.value().get()).get_untracked() {
        error.set(Some(earlier));
    }
    let tried = RwSignal::new(None::<Preflight>);
    let passed_before =
        use_query_map().with_untracked(|query| query.get("tested")).is_some_and(|word| word == "passed");
    let blocked = board.part(hindrance);
    let is_busy = Memo::new(move |_| activate.pending().get() || test.pending().get());

    Effect::new(move |_| match activate.value().get() {
        Some(Ok(())) => {
            board.refresh();
            page::focus("job-heading");
        }
        Some(Err(latest)) => {
            error.set(Some(latest));
            page::focus(FIELD);
        }
        None => {}
    });
    Effect::new(move |_| match test.value().get() {
        Some(Ok(preflight)) => {
            tried.set(Some(preflight));
            page::focus("preflight");
        }
        Some(Err(latest)) => {
            error.set(Some(latest));
            page::focus(FIELD);
        }
        None => {}
    });

    // Both buttons ask for the same: an ARN that could be right.
    let accept = move |entered: &str| {
        if is_busy.get_untracked() || board.state.with_untracked(hindrance).is_some() {
            return None;
        }
        tried.set(None);
        match check(board, entered) {
            Ok(arn) => {
                error.set(None);
                Some(arn.as_str().to_owned())
            }
            Err(problem) => {
                error.set(Some(problem));
                page::focus(FIELD);
                None
            }
        }
    };
    let on_activate = move |fields: Fields| {
        if let Some(arn) = accept(&fields.text("arn")) {
            activate.dispatch(ActivateKey { arn });
        }
    };
    let on_test = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        if let Some(arn) = accept(&page::field_value(FIELD)) {
            test.dispatch(TestKey { arn });
        }
    };
    let kind = move || if blocked.with(Option::is_some) { "button" } else { "submit" };
    let is_off = move || (blocked.with(Option::is_some) || is_busy.get()).then_some("true");
    view! {
        <div class="stack">
            <PostForm url=ActivateKey::PATH on_send=on_activate>
                <ArnField
                    placeholder=""
                    hint="You find it in the AWS console under KMS › Customer managed keys. Aliases are not accepted: one can be pointed at another key."
                    error
                    hindrance=blocked
                />
                <div class="row">
                    // First in the form, so that the return key presses it.
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
                </div>
            </PostForm>
            <p class="small soft" role="status">
                {move || if is_busy.get() { "Asking AWS…" } else { "" }}
            </p>
            {move || tried.get().map(|preflight| view! { <PreflightList preflight/> })}
            {(passed_before && error.with_untracked(Option::is_none))
                .then(|| {
                    view! {
                        <p class="notice good">
                            "The key tested last passed every step that must pass. Nothing has been changed."
                        </p>
                    }
                })}
        </div>
    }
}
