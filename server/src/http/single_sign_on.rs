//! The way to the identity provider and back.
//!
//! A sign-in begins with a link. Connecting an account, and proof before something grave, begin with a form, because a link of
//! another site must not begin them; and browsers do not let a form lead to another site (`form-action` holds for redirects too),
//! so the answer to it is a page that goes on by itself.
//!
//! What must stay true: the browser's half of each way is in a cookie that no script reads and that the provider's redirect brings
//! back; where somebody goes in the end is a page of this site; and nothing that came in the address is shown.

use super::{
    HttpState,
    bare_page::{bare_page, escaped},
    errors::Refusal,
    principal::{RequestSession, SignedIn},
    router::Route,
};
use crate::{
    services::{
        accounts::Method,
        proof,
        single_sign_on::{Answer, CALLBACK, Failed, Finished, GOOD_FOR, SingleSignOn},
    },
    store::entities::single_sign_on_attempt::Purpose,
};
use app::{
    api::account::{CONFIRM, CONNECT, confirm_path},
    model::error::ApiError,
    ports::Principal,
    problem, return_path,
};
use axum::{
    Form,
    extract::{Query, State},
    http::{
        HeaderMap, HeaderValue,
        header::{COOKIE, REFRESH, SET_COOKIE},
        request::Parts,
    },
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use std::sync::Arc;
use uuid::Uuid;

const SIGN_IN: &str = "/sign-in";
const ACCOUNT: &str = "/account";

/// The routes. Opened again, the address of a form leads to the page that it is on.
pub(super) fn routes() -> Vec<Route> {
    let back = || std::future::ready(Redirect::to(ACCOUNT));
    vec![
        ("/sign-in/provider", get(begin)),
        (CALLBACK, get(callback)),
        (CONNECT, post(connect).get(back)),
        (CONFIRM, post(confirm).get(back)),
    ]
}

/// The page to go to afterwards.
#[derive(Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
}

/// The same, as forms for proof name it.
#[derive(Deserialize)]
pub struct Then {
    #[serde(default)]
    then: String,
}

/// What a provider adds to the address.
#[derive(Deserialize)]
pub struct Back {
    #[serde(default)]
    state: String,
    #[serde(default)]
    code: String,
    error: Option<String>,
    iss: Option<String>,
}

fn way(state: &HttpState) -> Result<&Arc<SingleSignOn>, Refusal> {
    state.services.single_sign_on.as_ref().ok_or(Refusal(ApiError::NotFound))
}

async fn begin(State(state): State<HttpState>, Query(Next { next }): Query<Next>, request: Parts) -> Response {
    let (way, session) = match (way(&state), RequestSession::of(&request, &state)) {
        (Ok(way), Some(session)) => (way, session),
        (Err(refusal), _) => return refusal.into_response(),
        (_, None) => return Refusal(ApiError::Internal).into_response(),
    };
    // A picture or a frame in a page of somebody else's must not use up what people here may begin.
    let is_opened = |mode: &HeaderValue| mode.as_bytes() == b"navigate";
    if !request.headers.get("sec-fetch-mode").is_none_or(is_opened) {
        return Refusal(ApiError::NotAllowed).into_response();
    }
    let kept = kept(&request.headers, state.public_url.is_https());
    match way.begin(Purpose::SignIn, None, &next, kept, &session.from).await {
        Ok(begun) => with_cookie(&state, &begun.secret, Redirect::to(&begun.address).into_response()),
        Err(error) => to_sign_in(&next, &error),
    }
}

async fn connect(SignedIn(who): SignedIn, State(state): State<HttpState>, request: Parts) -> Response {
    let now = state.services.accounts.clock().wall_ms();
    if state.services.single_sign_on.is_some() && proof::fresh(&who, now).is_err() {
        return Redirect::to(&confirm_path(ACCOUNT)).into_response();
    }
    leave(&state, &request, &who, Purpose::Connect, ACCOUNT).await
}

async fn confirm(
    SignedIn(who): SignedIn,
    State(state): State<HttpState>,
    request: Parts,
    Form(Then { then }): Form<Then>,
) -> Response {
    leave(&state, &request, &who, Purpose::Proof, &then).await
}

/// Sends somebody away who is signed in.
async fn leave(state: &HttpState, request: &Parts, who: &Principal, purpose: Purpose, next: &str) -> Response {
    let (way, session, user) = match (way(state), RequestSession::of(request, state), Uuid::try_parse(&who.user_id)) {
        (Ok(way), Some(session), Ok(user)) => (way, session, user),
        (Err(refusal), ..) => return refusal.into_response(),
        _ => return Refusal(ApiError::Internal).into_response(),
    };
    let kept = kept(&request.headers, state.public_url.is_https());
    match way.begin(purpose, Some(user), next, kept, &session.from).await {
        Ok(begun) => with_cookie(state, &begun.secret, leaving(way.label(), &begun.address, state.assets.folder())),
        Err(error) => back(purpose, next, &error),
    }
}

async fn callback(State(state): State<HttpState>, Query(told): Query<Back>, request: Parts) -> Response {
    match come_back(&state, told, &request).await {
        Ok(response) => response,
        Err(Refusal(error)) => Refusal(error).into_response(),
    }
}

async fn come_back(state: &HttpState, told: Back, request: &Parts) -> Result<Response, Refusal> {
    let way = way(state)?;
    let session = RequestSession::of(request, state).ok_or(Refusal(ApiError::Internal))?;
    let who = session.known().await?.map(|known| known.principal);
    let answer = Answer { state: told.state, code: told.code, error: told.error, issuer: told.iss };
    let kept = kept(&request.headers, state.public_url.is_https());
    let finished = match way.finish(&answer, kept, who.as_ref(), &session.from).await {
        Ok(finished) => finished,
        Err(Failed { purpose, next, error }) => return Ok(back(purpose, &next, &error)),
    };
    let place = match finished {
        Finished::SignedIn { known, asked_at, next } => {
            // A provider whose clock is ahead gives no proof for longer.
            session.begin(&known, Method::SingleSignOn, asked_at.min(session.clock.wall_ms())).await?;
            next
        }
        Finished::Connected => format!("{ACCOUNT}?done=connected"),
        Finished::Proven { next } => {
            session.confirm().await?;
            next
        }
    };
    Ok(Redirect::to(return_path::checked(&place)).into_response())
}

/// Back to where it began, with what was wrong.
fn back(purpose: Purpose, next: &str, error: &ApiError) -> Response {
    let place = match purpose {
        Purpose::SignIn => return to_sign_in(next, error),
        Purpose::Connect => problem::address(ACCOUNT, &[], Some(error)),
        Purpose::Proof => problem::address("/account/confirm", &[("then", return_path::checked(next))], Some(error)),
    };
    Redirect::to(&place).into_response()
}

fn to_sign_in(next: &str, error: &ApiError) -> Response {
    let next = return_path::checked(next);
    let typed = [("next", next)];
    let typed = if next == return_path::HOME { &typed[..0] } else { &typed[..] };
    Redirect::to(&problem::address(SIGN_IN, typed, Some(error))).into_response()
}

/// The name of the cookie; `__Host-` as for that of the session.
const fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-keystead-way" } else { "keystead-way" }
}

/// The browser's half of a way, if it brings one.
fn kept(headers: &HeaderMap, https: bool) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == cookie_name(https)).map(|(_, value)| value)
}

/// Gives the browser its half. The provider's redirect must bring it back, so it is `Lax`. It goes by itself: another tab may be
/// on its way.
fn with_cookie(state: &HttpState, secret: &str, mut response: Response) -> Response {
    let https = state.public_url.is_https();
    let (name, seconds, secure) = (cookie_name(https), GOOD_FOR / 1_000, if https { "; Secure" } else { "" });
    let cookie = format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// A page that goes on to the provider by itself, and has a link too.
fn leaving(label: &str, address: &str, folder: &str) -> Response {
    let (label, link) = (escaped(label), escaped(address));
    let body = format!("<p>You are being taken there.</p><p><a class=\"button primary\" href=\"{link}\">Go on</a></p>");
    let mut response = Html(bare_page(folder, &label, &body)).into_response();
    // Without it, the link does it too.
    if let Ok(refresh) = HeaderValue::from_str(&format!("0; url={address}")) {
        response.headers_mut().insert(REFRESH, refresh);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_half_of_the_browser_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("keystead=a; x=y"));
        assert_eq!(kept(&headers, false), None);
        headers.append(COOKIE, HeaderValue::from_static("keystead-way=b; __Host-keystead-way=c"));
        assert_eq!((kept(&headers, false), kept(&headers, true)), (Some("b"), Some("c")));
    }
}
