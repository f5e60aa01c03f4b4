//! Fresh proof before something grave. Forms say with `data-grave` that they need it: `always`, or `administrator` if the role
//! chosen in them is that. Before such a form is sent, the dialog asks for password or code, if the last proof is too old; what
//! was typed stays where it is, and the form is then sent as if its button had been pressed. Without scripts the server sends
//! people to a page that does the same.
//!
//! Who proves by single sign-on does it in another tab, so that this page stays as it is, and then presses *Continue* here: the
//! server is asked whether there is proof now, never believed to.

use crate::{
    api::{
        account::{CONFIRM, CONFIRMED_PAGE},
        session::{GiveProof, give_proof, proof_left},
    },
    browser::page::{self, Fields},
    components::{
        dialog::{CancelButton, Dialog},
        form::{FieldError, PostForm, SendButton},
    },
    model::{
        error::ApiError,
        single_sign_on::{ProofWays, SingleSignOnRefused},
    },
};
use leptos::{prelude::*, server_fn::ServerFn, task::spawn_local};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Event, FormData, HtmlElement, HtmlFormElement};

const DIALOG: &str = "proof";
const OPENER: &str = "#proof-opener";
/// For so long proof counts, less than the server says: it must not run out on the way.
const FRESH_MS: i64 = 290_000;

/// The field for what only this person knows.
#[component]
pub fn SecretField(id: &'static str, #[prop(optional)] invalid: bool) -> impl IntoView {
    view! {
        <div class="field">
            <label for=id>"Password, or a code of your second factor"</label>
            <input
                class="input"
                id=id
                name="secret"
                type="password"
                autocomplete="current-password"
                autofocus
                required
                aria-invalid=invalid.then_some("true")
                aria-describedby=format!("{id}-error")
            />
        </div>
    }
}

/// The dialog. `left` is for how many seconds the last proof counts.
#[island]
pub fn ProofDialog(left: u32, ways: ProofWays) -> impl IntoView {
    let (error, busy) = (RwSignal::new(None::<ApiError>), RwSignal::new(false));
    let fresh_until = StoredValue::new(0_i64);
    Effect::new(move |_| {
        fresh_until.set_value(page::now() + i64::from(left) * 1_000 - 10_000);
        let hold = move |event: Event| {
            let form = event.target().and_then(|target| target.dyn_into::<HtmlFormElement>().ok());
            let Some(form) = form.filter(is_grave) else { return };
            if page::now() < fresh_until.get_value() {
                return;
            }
            event.prevent_default();
            event.stop_immediate_propagation();
            release();
            let _ = form.set_attribute(HELD, "true");
            error.set(None);
            if let Some(opener) = page::first(OPENER).and_then(|opener| opener.dyn_into::<HtmlElement>().ok()) {
                opener.click();
            }
        };
        let hold = Closure::<dyn Fn(Event)>::new(hold).into_js_value();
        if let Some(window) = web_sys::window() {
            // On its way down, before the form itself hears of it.
            let _ = window.add_event_listener_with_callback_and_bool("submit", hold.unchecked_ref(), true);
        }
    });
    let send = move |fields: Fields| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            match give_proof(fields.text("secret"), String::new()).await {
                Ok(()) => go_on(fresh_until, FRESH_MS),
                Err(refused) => {
                    error.set(Some(refused));
                    page::focus("proof-secret");
                }
            }
            busy.set(false);
        });
    };
    let ask = move |_| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            match proof_left().await {
                Ok(0) => error.set(Some(SingleSignOnRefused::NotYet.into())),
                Ok(seconds) => go_on(fresh_until, i64::from(seconds) * 1_000 - 10_000),
                Err(refused) => error.set(Some(refused)),
            }
            busy.set(false);
        });
    };
    let has_password = ways.password;
    let by_password = has_password.then(|| {
        view! {
            <PostForm url=GiveProof::PATH on_send=send>
                <SecretField id="proof-secret"/>
                <FieldError id="proof-secret-error" error=error/>
                <div class="row">
                    <SendButton label="Confirm" busy/>
                    <CancelButton dialog=DIALOG/>
                </div>
            </PostForm>
        }
    });
    let elsewhere = ways.single_sign_on.map(|label| {
        view! {
            <form class="stack" method="post" action=CONFIRM target="_blank">
                <input type="hidden" name="then" value=CONFIRMED_PAGE/>
                <p class="soft">"You are asked there who you are, in a new tab. Then come back and continue here."</p>
                <div class="row">
                    <button class="button" type="submit">
                        {format!("Confirm with {label}")}
                    </button>
                    <button class="button" type="button" on:click=ask aria-disabled=move || busy.get().then_some("true")>
                        "Continue"
                    </button>
                </div>
            </form>
        }
    });
    let below = (!has_password).then(|| {
        view! {
            <FieldError id="proof-error" error=error/>
            <div class="row">
                <CancelButton dialog=DIALOG/>
            </div>
        }
    });
    view! {
        <button id="proof-opener" type="button" hidden popovertarget=DIALOG></button>
        <Dialog id=DIALOG title="Confirm that it is you">
            <p class="soft">"This is grave, and you have not shown for a while that it is you."</p>
            {by_password}
            {elsewhere}
            {below}
        </Dialog>
    }
}

/// There is proof for so many milliseconds: closes the dialog and sends the form that waits.
fn go_on(fresh_until: StoredValue<i64>, left: i64) {
    fresh_until.set_value(page::now() + left);
    if let Some(opener) = page::first(OPENER).and_then(|opener| opener.dyn_into::<HtmlElement>().ok()) {
        opener.click();
    }
    if let Some(form) = release() {
        let _ = form.request_submit();
    }
}

/// Marks the form that waits for the proof. The form itself is not kept in a signal: those are made on the server too, where
/// they may end on another thread than they began on, which something of the browser's must not.
const HELD: &str = "data-held";

/// Takes the mark off the form that waits, and gives the form.
fn release() -> Option<HtmlFormElement> {
    let form = page::first("form[data-held]")?.dyn_into::<HtmlFormElement>().ok()?;
    let _ = form.remove_attribute(HELD);
    Some(form)
}

fn is_grave(form: &HtmlFormElement) -> bool {
    match form.get_attribute("data-grave").as_deref() {
        Some("always") => true,
        Some("administrator") => {
            let fields = FormData::new_with_form(form).ok();
            fields.and_then(|fields| fields.get("role").as_string()).as_deref() == Some("administrator")
        }
        _ => false,
    }
}
