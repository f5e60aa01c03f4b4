//! Single sign-on on one's own account: connecting it and letting it go.

use crate::{
    api::account::{CONNECT, DisconnectSingleSignOn},
    components::{dialog::ConfirmDialog, moment::Moment},
    model::single_sign_on::SingleSignOn,
};
use leptos::{prelude::*, server_fn::ServerFn};

/// How it stands, and what can be done. Somebody without a password cannot let it go.
#[component]
pub fn Card(single_sign_on: SingleSignOn, has_password: bool) -> impl IntoView {
    let SingleSignOn { label, connected_at } = single_sign_on;
    let (badge, class) = match connected_at {
        Some(_) => ("Connected", "badge good"),
        None => ("Not connected", "badge"),
    };
    view! {
        <section class="card" aria-labelledby="single-sign-on-title">
            <header>
                <h2 id="single-sign-on-title">{label}</h2>
                <span class=class>{badge}</span>
            </header>
            <div class="body">
                {match connected_at {
                    Some(since) => view! { <Connected since has_password/> }.into_any(),
                    None => view! { <NotConnected/> }.into_any(),
                }}
            </div>
        </section>
    }
}

#[component]
fn NotConnected() -> impl IntoView {
    view! {
        <p class="lede">
            "Once connected, you can sign in here by single sign-on. Your password still works. You are asked there who you are."
        </p>
        <form method="post" action=CONNECT data-grave="always">
            <button class="button" type="submit">
                "Connect single sign-on"
            </button>
        </form>
    }
}

#[component]
fn Connected(since: i64, has_password: bool) -> impl IntoView {
    view! {
        <p class="lede">
            "Connected since " <Moment at=since/>
            ". Whether a second factor is asked for there is not decided here: ours is asked for with your password only."
        </p>
        {has_password
            .then(|| {
                view! {
                    <div class="row">
                        <button class="button destroy" type="button" popovertarget="single-sign-on-off">
                            "Disconnect"
                        </button>
                    </div>
                    <ConfirmDialog
                        id="single-sign-on-off"
                        title="Disconnect single sign-on?"
                        question="From then on only your password signs you in. All your other sessions end."
                        answer="Disconnect"
                        url=DisconnectSingleSignOn::PATH
                        fields=Vec::new()
                        grave=true
                    />
                }
            })}
    }
}
