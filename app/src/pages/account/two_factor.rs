//! The second factor: setting it up, its recovery codes, and switching it off.

use crate::{
    api::account::{
        BeginSecondFactor, CancelSecondFactor, PAGE, RemoveSecondFactor, TWO_FACTOR_PAGE, confirm_path, read_set_up,
    },
    components::{
        dialog::ConfirmDialog,
        form::{CopyButton, FieldNote, ReturnedError, returned_error},
        moment::Moment,
        opened::opened,
        redirect::GoTo,
    },
    format,
    model::{
        error::ApiError,
        people::{SecondFactor, SetUp},
    },
    problem,
};
use leptos::{prelude::*, server_fn::ServerFn};

const CONFIRM: &str = "/account/two-factor/confirm";
const NEW_CODES: &str = "/account/two-factor/codes";

/// How it stands, and what can be done.
#[component]
pub fn Card(second_factor: SecondFactor) -> impl IntoView {
    let (badge, class) = match second_factor {
        SecondFactor::Off => ("Off", "badge"),
        SecondFactor::On { .. } => ("On", "badge good"),
    };
    view! {
        <section class="card" aria-labelledby="second-factor-title">
            <header>
                <h2 id="second-factor-title">"Second factor"</h2>
                <span class=class>{badge}</span>
            </header>
            <div class="body">
                {match second_factor {
                    SecondFactor::Off => view! { <Off/> }.into_any(),
                    SecondFactor::On { since, codes_left } => view! { <On since codes_left/> }.into_any(),
                }}
            </div>
        </section>
    }
}

#[component]
fn Off() -> impl IntoView {
    view! {
        <p class="lede">
            "With a second factor, nobody can sign in with your password alone. You need an app on your phone that shows codes."
        </p>
        <form method="post" action=BeginSecondFactor::PATH data-grave="always">
            <button class="button" type="submit">
                "Set up second factor"
            </button>
        </form>
    }
}

#[component]
fn On(since: i64, codes_left: u64) -> impl IntoView {
    let few = codes_left <= 2;
    view! {
        <p class="lede">"Since " <Moment at=since/> " you are asked for a code when you sign in."</p>
        <p class=if few { "notice warn" } else { "soft" }>
            {format::counted(codes_left, "recovery code is left.", "recovery codes are left.")}
        </p>
        <div class="row">
            <form method="post" action=NEW_CODES data-grave="always">
                <button class="button" type="submit">
                    "Make new recovery codes"
                </button>
            </form>
            <button class="button destroy" type="button" popovertarget="second-factor-off">
                "Switch off"
            </button>
        </div>
        <ConfirmDialog
            id="second-factor-off"
            title="Switch off the second factor?"
            question="From then on your password alone is enough to sign in. All your other sessions end."
            answer="Switch off"
            url=RemoveSecondFactor::PATH
            fields=Vec::new()
            grave=true
        />
    }
}

/// Recovery codes that have just been made.
#[component]
pub fn FreshCodes(codes: Vec<String>) -> impl IntoView {
    let text = codes.join("\n");
    // A link to the text itself: a file without a request, so that the codes are nowhere else.
    let mut file = String::from("data:text/plain;charset=utf-8,");
    crate::return_path::encode(&mut file, &format!("Recovery codes for Keystead\n\n{text}\n"));
    let rows = codes.into_iter().map(|code| view! { <li class="mono">{code}</li> }).collect_view();
    view! {
        <section class="notice good" aria-labelledby="fresh-codes" role="status">
            <h2 id="fresh-codes">"Your recovery codes"</h2>
            <p>
                "Keep them where you find them without your phone. Each lets you sign in once in place of a code. They are shown only now, and earlier ones are worth nothing any more."
            </p>
            <div class="code">
                <ul class="recovery-codes">{rows}</ul>
                <CopyButton label="Copy recovery codes" text/>
            </div>
            <p class="row">
                <a class="button" href=file download="keystead-recovery-codes.txt">
                    "Download"
                </a>
                <a class="button" href=PAGE>
                    "I have kept them"
                </a>
            </p>
        </section>
    }
}

/// Setting it up.
#[component]
pub fn TwoFactorPage() -> impl IntoView {
    // Whoever sees the secret can put it in force, so it is not shown to a session that somebody has left open.
    let set_up = OnceResource::new(async {
        match read_set_up().await {
            Ok(set_up) => Ok(Ok(set_up)),
            Err(ApiError::ProofNeeded) => Ok(Err(())),
            Err(error) => Err(error),
        }
    });
    let failed = returned_error::<CancelSecondFactor>();
    view! {
        {crate::pages::tab_title("Second factor")}
        <div class="page-head">
            <div>
                <p class="small">
                    <a href=PAGE>"Your account"</a>
                </p>
                <h1>"Set up second factor"</h1>
            </div>
        </div>
        <ReturnedError error=failed/>
        {opened(
            set_up,
            None,
            |set_up, _| match set_up {
                Ok(Some(set_up)) => view! { <Steps set_up/> }.into_any(),
                Ok(None) => view! { <GoTo path=PAGE/> }.into_any(),
                Err(()) => view! { <GoTo path=confirm_path(TWO_FACTOR_PAGE)/> }.into_any(),
            },
        )}
    }
}

#[component]
fn Steps(set_up: SetUp) -> impl IntoView {
    let SetUp { secret, path, width } = set_up;
    let failed = problem::returned();
    let invalid = failed.is_some().then_some("true");
    // A margin of four squares, without which apps do not find the picture.
    let view_box = format!("-4 -4 {0} {0}", width + 8);
    let groups: Vec<String> =
        secret.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
    view! {
        <section class="card" aria-label="Second factor">
            <div class="body">
                <ol class="steps">
                    <li>
                        <div class="stack">
                            <h2>"Scan this picture with your authenticator app"</h2>
                            <svg class="qr" viewBox=view_box role="img" aria-label="Picture for the authenticator app">
                                <path d=path></path>
                            </svg>
                            <p class="soft">"Or type this key into the app:"</p>
                            <div class="code">
                                <pre class="commands" tabindex="0" aria-label="Key">
                                    {groups.join(" ")}
                                </pre>
                                <CopyButton label="Copy key" text=secret/>
                            </div>
                        </div>
                    </li>
                    <li>
                        <form class="stack" method="post" action=CONFIRM>
                            <h2>"Enter the code that the app shows"</h2>
                            <div class="field">
                                <label for="code">"Code"</label>
                                <input
                                    class="input mono"
                                    id="code"
                                    name="code"
                                    type="text"
                                    inputmode="numeric"
                                    autocomplete="one-time-code"
                                    maxlength="20"
                                    required
                                    aria-invalid=invalid
                                    aria-describedby="code-error"
                                />
                                <FieldNote id="code-error" error=failed/>
                            </div>
                            <div class="row">
                                <button class="button primary" type="submit">
                                    "Switch on"
                                </button>
                            </div>
                        </form>
                    </li>
                </ol>
                <form method="post" action=CancelSecondFactor::PATH>
                    <button class="button" type="submit">
                        "Cancel"
                    </button>
                </form>
            </div>
        </section>
    }
}
