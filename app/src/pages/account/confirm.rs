//! Where proof is given that it is still the same person, without scripts. With scripts a dialog does it.

use crate::{
    api::session::GiveProof,
    components::{
        form::{FieldNote, returned_error},
        proof::SecretField,
    },
    problem, return_path,
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn ConfirmPage() -> impl IntoView {
    let then = problem::typed("then").unwrap_or_default();
    let then = return_path::checked(&then).to_owned();
    let failed = returned_error::<GiveProof>();
    let invalid = failed.is_some();
    view! {
        {crate::pages::tab_title("Confirm that it is you")}
        <div class="page-head">
            <h1>"Confirm that it is you"</h1>
        </div>
        <section class="card" aria-label="Confirm">
            <form class="body" method="post" action=GiveProof::PATH>
                <p class="lede">
                    "What you want to do is grave, and you have not entered your password for a while. You return to where you were, with what you had typed, and press the button again."
                </p>
                <input type="hidden" name="then" value=then.clone()/>
                <SecretField id="confirm-secret" invalid/>
                <FieldNote id="confirm-secret-error" error=failed/>
                <div class="row">
                    <button class="button primary" type="submit">
                        "Confirm"
                    </button>
                    <a class="button" href=then>
                        "Cancel"
                    </a>
                </div>
            </form>
        </section>
    }
}
