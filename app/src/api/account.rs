//! One's own account.

use crate::{
    model::{
        error::ApiError,
        people::{Account, SetUp},
    },
    return_path,
};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::{
    api::answer::{answer, ask_for_proof},
    ports::{AccountPort, authenticated},
};
#[cfg(feature = "ssr")]
use std::sync::Arc;

/// One's own account.
pub const PAGE: &str = "/account";
/// Where a second factor is set up.
pub const TWO_FACTOR_PAGE: &str = "/account/two-factor";

/// Where the account is connected with single sign-on, and where proof is given by it. Each takes a form.
pub const CONNECT: &str = "/account/single-sign-on/connect";
pub const CONFIRM: &str = "/account/single-sign-on/confirm";
/// What a tab shows in which proof was given by single sign-on, for another tab.
pub const CONFIRMED_PAGE: &str = "/account/confirmed";

/// Where proof is given without scripts, to go to `then` afterwards.
pub fn confirm_path(then: &str) -> String {
    let mut path = String::from("/account/confirm?then=");
    return_path::encode(&mut path, then);
    path
}

#[cfg(feature = "ssr")]
async fn own() -> Result<Arc<dyn AccountPort>, ApiError> {
    Ok(authenticated().await?.0.account)
}

/// Everything the page shows.
#[server(prefix = "/api", endpoint = "account")]
pub async fn read_account() -> Result<Account, ApiError> {
    answer(async { own().await?.account().await }).await
}

/// What to give an authenticator app, if a second factor is being set up.
#[server(prefix = "/api", endpoint = "second_factor_set_up")]
pub async fn read_set_up() -> Result<Option<SetUp>, ApiError> {
    answer(async { own().await?.second_factor_set_up().await }).await
}

/// Sets another password. All other sessions end.
#[server(prefix = "/api", endpoint = "change_password")]
pub async fn change_password(current: String, new: String) -> Result<(), ApiError> {
    answer(async {
        own().await?.change_password(&current, &new).await?;
        leptos_axum::redirect("/account?done=password");
        Ok(())
    })
    .await
}

/// Ends one of one's own sessions.
#[server(prefix = "/api", endpoint = "end_session")]
pub async fn end_session(session: String) -> Result<(), ApiError> {
    answer(async {
        own().await?.end_session(&session).await?;
        leptos_axum::redirect(PAGE);
        Ok(())
    })
    .await
}

/// Ends all others.
#[server(prefix = "/api", endpoint = "end_other_sessions")]
pub async fn end_other_sessions() -> Result<(), ApiError> {
    answer(async {
        own().await?.end_other_sessions().await?;
        leptos_axum::redirect(PAGE);
        Ok(())
    })
    .await
}

/// Begins to set up a second factor.
#[server(prefix = "/api", endpoint = "begin_second_factor")]
pub async fn begin_second_factor() -> Result<(), ApiError> {
    answer(async {
        ask_for_proof(own().await?.begin_second_factor().await, PAGE)?;
        leptos_axum::redirect(TWO_FACTOR_PAGE);
        Ok(())
    })
    .await
}

/// Gives it up again before it is in force.
#[server(prefix = "/api", endpoint = "cancel_second_factor")]
pub async fn cancel_second_factor() -> Result<(), ApiError> {
    answer(async {
        own().await?.cancel_second_factor().await?;
        leptos_axum::redirect(PAGE);
        Ok(())
    })
    .await
}

/// Switches the second factor off. All other sessions end.
#[server(prefix = "/api", endpoint = "remove_second_factor")]
pub async fn remove_second_factor() -> Result<(), ApiError> {
    answer(async {
        ask_for_proof(own().await?.remove_second_factor().await, PAGE)?;
        leptos_axum::redirect("/account?done=second-factor-off");
        Ok(())
    })
    .await
}

/// Lets the account be signed in to with its password alone.
#[server(prefix = "/api", endpoint = "disconnect_single_sign_on")]
pub async fn disconnect_single_sign_on() -> Result<(), ApiError> {
    answer(async {
        ask_for_proof(own().await?.disconnect_single_sign_on().await, PAGE)?;
        leptos_axum::redirect("/account?done=disconnected");
        Ok(())
    })
    .await
}
