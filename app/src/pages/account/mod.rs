//! One's own account: password, second factor, single sign-on, sessions. Plain forms only: nothing of it is compiled for the browser.

mod confirm;
mod sessions;
mod single_sign_on;
mod two_factor;

pub use confirm::{ConfirmPage, ConfirmedPage};
pub use two_factor::TwoFactorPage;

use super::shown;
use crate::{
    api::account::{
        BeginSecondFactor, ChangePassword, DisconnectSingleSignOn, EndOtherSessions, EndSession, RemoveSecondFactor,
        read_account,
    },
    components::{
        form::{ReturnedError, returned_error},
        moment::Ago,
        opened::opened,
    },
    model::people::Account,
    problem,
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn AccountPage() -> impl IntoView {
    let account = OnceResource::new(read_account());
    let failed = problem::returned()
        .or_else(returned_error::<BeginSecondFactor>)
        .or_else(returned_error::<RemoveSecondFactor>)
        .or_else(returned_error::<DisconnectSingleSignOn>)
        .or_else(returned_error::<EndSession>)
        .or_else(returned_error::<EndOtherSessions>);
    let done = match problem::typed("done").as_deref() {
        Some("password") => Some("Your password is changed. All other sessions have ended."),
        Some("connected") => Some("Single sign-on is connected. You can sign in with it from now on."),
        Some("disconnected") => Some("Single sign-on is disconnected. All other sessions have ended."),
        Some("second-factor-off") => Some("The second factor is off. All other sessions have ended."),
        _ => None,
    };
    view! {
        {super::tab_title("Your account")}
        <div class="page-head">
            <h1>"Your account"</h1>
        </div>
        {done.map(|done| view! { <p class="notice good" role="status">{done}</p> })}
        <ReturnedError error=failed/>
        {shown::recovery_codes().map(|codes| view! { <two_factor::FreshCodes codes/> })}
        {opened(account, None, |account, _| view! { <Cards account/> }.into_any())}
    }
}

#[component]
fn Cards(account: Account) -> impl IntoView {
    let Account { me, password_changed_at, sessions, second_factor, single_sign_on } = account;
    let email = me.email.clone();
    let has_password = password_changed_at.is_some();
    // A second factor stands beside a password: without one there is nothing to add it to.
    let with_password = password_changed_at.map(|changed_at| {
        view! {
            <Password email changed_at/>
            <two_factor::Card second_factor/>
        }
    });
    view! {
        <section class="card" aria-label="Who you are">
            <div class="body">
                <dl class="facts">
                    <dt>"Name"</dt>
                    <dd>{me.name}</dd>
                    <dt>"Email"</dt>
                    <dd>{me.email}</dd>
                    <dt>"Role"</dt>
                    <dd>{me.role.label()}</dd>
                </dl>
            </div>
        </section>
        {with_password}
        {single_sign_on
            .map(|single_sign_on| view! { <single_sign_on::Card single_sign_on has_password/> })}
        <sessions::Card sessions/>
    }
}

#[component]
fn Password(email: String, changed_at: i64) -> impl IntoView {
    let failed = returned_error::<ChangePassword>();
    view! {
        <section class="card" aria-labelledby="password-title">
            <header>
                <h2 id="password-title">"Password"</h2>
                <span class="small soft">"Set " <Ago at=changed_at/></span>
            </header>
            <form class="body" method="post" action=ChangePassword::PATH>
                // For password managers, which keep it under this name.
                <input type="hidden" name="email" autocomplete="username" value=email/>
                <ReturnedError error=failed/>
                <div class="field">
                    <label for="current-password">"Current password"</label>
                    <input
                        class="input"
                        id="current-password"
                        name="current"
                        type="password"
                        autocomplete="current-password"
                        required
                    />
                </div>
                <NewPassword label="New password" name="new"/>
                <div class="row">
                    <button class="button primary" type="submit">
                        "Change password"
                    </button>
                    <span class="small soft">"All your other sessions end."</span>
                </div>
            </form>
        </section>
    }
}

/// A field for a password that is to be set, with what it must be.
#[component]
pub fn NewPassword(label: &'static str, name: &'static str) -> impl IntoView {
    view! {
        <div class="field">
            <label for="new-password">{label}</label>
            <input
                class="input"
                id="new-password"
                name=name
                type="password"
                autocomplete="new-password"
                minlength="12"
                maxlength="128"
                required
                aria-describedby="new-password-hint"
            />
            <p class="hint" id="new-password-hint">
                "At least 12 characters. Several words are easy to remember. It need not have digits or signs, but must not be one that many people use."
            </p>
        </div>
    }
}
