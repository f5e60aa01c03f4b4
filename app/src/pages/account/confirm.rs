//! Where proof is given that it is still the same person, without scripts. With scripts a dialog does it.

use crate::{
    api::{account::CONFIRM, session::GiveProof},
    components::{
        form::{FieldNote, ReturnedError, returned_error},
        opened::PageFrame,
        proof::SecretField,
    },
    model::{error::ApiError, single_sign_on::ProofWays},
    problem, return_path,
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn ConfirmPage() -> impl IntoView {
    let then = problem::typed("then").unwrap_or_default();
    let then = return_path::checked(&then).to_owned();
    let failed = returned_error::<GiveProof>();
    let PageFrame(frame) = PageFrame::here();
    view! {
        {crate::pages::tab_title("Confirm that it is you")}
        <div class="page-head">
            <h1>"Confirm that it is you"</h1>
        </div>
        <ReturnedError error=problem::returned()/>
        <Suspense>
            {move || {
                let (then, failed) = (then.clone(), failed.clone());
                Suspend::new(async move {
                    frame.await.ok().map(|frame| view! { <Ways ways=frame.proof_ways then failed/> })
                })
            }}
        </Suspense>
    }
}

/// The ways there are for this person.
#[component]
fn Ways(ways: ProofWays, then: String, failed: Option<ApiError>) -> impl IntoView {
    let invalid = failed.is_some();
    let cancel = then.clone();
    let by_password = ways.password.then(|| {
        view! {
            <form class="stack" method="post" action=GiveProof::PATH>
                <input type="hidden" name="then" value=then.clone()/>
                <SecretField id="confirm-secret" invalid/>
                <FieldNote id="confirm-secret-error" error=failed/>
                <div class="row">
                    <button class="button primary" type="submit">
                        "Confirm"
                    </button>
                </div>
            </form>
        }
    });
    let class = if ways.password { "button" } else { "button primary" };
    let elsewhere = ways.single_sign_on.map(|label| {
        view! {
            <form class="stack" method="post" action=CONFIRM>
                <input type="hidden" name="then" value=then/>
                <p class="soft">"You are asked there who you are, also if you are signed in there."</p>
                <div class="row">
                    <button class=class type="submit">
                        "Confirm with " {label}
                    </button>
                </div>
            </form>
        }
    });
    view! {
        <section class="card" aria-label="Confirm">
            <div class="body">
                <p class="lede">
                    "What you want to do is grave, and you have not shown for a while that it is you. You return to where you were, with what you had typed, and press the button again."
                </p>
                {by_password}
                {elsewhere}
                <div class="row">
                    <a class="button" href=cancel>
                        "Cancel"
                    </a>
                </div>
            </div>
        </section>
    }
}

/// What a tab shows that was opened only to give proof.
#[component]
pub fn ConfirmedPage() -> impl IntoView {
    view! {
        {crate::pages::tab_title("Confirmed")}
        <div class="page-head">
            <h1>"Confirmed"</h1>
        </div>
        <p class="notice good" role="status">
            "It is you. Close this tab, and press Continue in the other one. It counts for 5 minutes."
        </p>
    }
}
