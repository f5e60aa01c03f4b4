//! Answers that show a secret once: the link of an invitation, and recovery codes. Of these only hashes are stored, so they can
//! be shown only in the answer to the very form that made them.
//!
//! Each is a plain form, with scripts and without: it is answered with the page it belongs to, with the secret on it; or, if
//! nothing was made, sent back there with what was wrong.

use super::{
    HttpState,
    errors::Refusal,
    pages,
    principal::{RequestSession, SignedIn},
    router::Route,
};
use app::{
    api::account::confirm_path,
    model::{error::ApiError, identity::Role},
    ports::{AccountPort, MembersPort, Shown},
    problem,
};
use axum::{
    Form,
    body::Body,
    extract::{Request, State},
    http::{Method, Uri, request::Parts},
    response::{IntoResponse, Redirect, Response},
    routing::post,
};
use serde::Deserialize;

const MEMBERS: &str = "/settings/members";
const TWO_FACTOR: &str = "/account/two-factor";
const ACCOUNT: &str = "/account";

/// The routes. Opened again, an address leads to the page without the secret.
pub(super) fn routes() -> Vec<Route> {
    let back = |page: &'static str| move || std::future::ready(Redirect::to(page));
    vec![
        ("/settings/members/invite", post(invite).get(back(MEMBERS))),
        ("/account/two-factor/confirm", post(confirm).get(back(ACCOUNT))),
        ("/account/two-factor/codes", post(new_codes).get(back(ACCOUNT))),
    ]
}

/// An address and a role; or an earlier invitation, which gets a new link.
#[derive(Deserialize)]
pub struct Invite {
    #[serde(default)]
    email: String,
    #[serde(default)]
    role: String,
    invitation: Option<String>,
}

async fn invite(
    SignedIn(who): SignedIn,
    State(state): State<HttpState>,
    request: Parts,
    Form(form): Form<Invite>,
) -> Response {
    let members = &state.services.members;
    let role = if form.role == "administrator" { Role::Administrator } else { Role::Member };
    let made = match &form.invitation {
        Some(invitation) => members.invite_again(&who, invitation).await,
        None => members.invite(&who, &form.email, role).await,
    };
    match made {
        Ok(invitation) => show(&state, request, MEMBERS, Shown::Invitation(invitation)).await,
        Err(error) => {
            let typed = match form.invitation {
                Some(_) => Vec::new(),
                None => vec![("email", form.email.as_str()), ("role", form.role.as_str())],
            };
            back(MEMBERS, &typed, &error)
        }
    }
}

/// What an authenticator app shows.
#[derive(Deserialize)]
pub struct Code {
    #[serde(default)]
    code: String,
}

async fn confirm(_: SignedIn, State(state): State<HttpState>, request: Parts, Form(form): Form<Code>) -> Response {
    let Some(session) = RequestSession::of(&request, &state) else {
        return Refusal(ApiError::Internal).into_response();
    };
    match session.confirm_second_factor(&form.code).await {
        Ok(codes) => show(&state, request, ACCOUNT, Shown::RecoveryCodes(codes)).await,
        Err(ApiError::NotFound) => Redirect::to(ACCOUNT).into_response(),
        Err(error) => back(TWO_FACTOR, &[], &error),
    }
}

async fn new_codes(_: SignedIn, State(state): State<HttpState>, request: Parts) -> Response {
    let Some(session) = RequestSession::of(&request, &state) else {
        return Refusal(ApiError::Internal).into_response();
    };
    match session.new_recovery_codes().await {
        Ok(codes) => show(&state, request, ACCOUNT, Shown::RecoveryCodes(codes)).await,
        Err(error) => back(ACCOUNT, &[], &error),
    }
}

/// The page at `path`, with the secret on it.
async fn show(state: &HttpState, mut request: Parts, path: &'static str, shown: Shown) -> Response {
    request.uri = Uri::from_static(path);
    request.method = Method::GET;
    pages::render_with(state, Request::from_parts(request, Body::empty()), shown).await
}

/// Back to the form, with what was typed and what was wrong; or to where proof is given, and then back.
fn back(page: &str, typed: &[(&str, &str)], error: &ApiError) -> Response {
    let place = match error {
        ApiError::SignedOut | ApiError::NotAllowed => return Refusal(error.clone()).into_response(),
        ApiError::ProofNeeded => confirm_path(&problem::address(page, typed, None)),
        error => problem::address(page, typed, Some(error)),
    };
    Redirect::to(&place).into_response()
}
