//! Signing in and out, and the frame around every page.

use crate::model::{error::ApiError, identity::Frame};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::{
    api::answer::{answer, is_plain_form},
    ports::{Ports, SignInStep, authenticated},
    problem, return_path,
};

/// Where the code of a second factor is asked for.
pub const CODE_PAGE: &str = "/sign-in/code";

/// Who is signed in, where, and whether the data can be read now.
#[server(prefix = "/api", endpoint = "frame")]
pub async fn read_frame() -> Result<Frame, ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        let organization = ports.organization;
        Ok(Frame {
            me: who.me(),
            deployment: organization.deployment().await?,
            lock: organization.lock(),
            notice: organization.notice(&who),
            proof_left: ports.session.proof_left().await?,
        })
    })
    .await
}

/// Signs in and goes to `next`, if that is a page of this site; or to where the code of a second factor is asked for.
#[server(prefix = "/api", endpoint = "sign_in")]
pub async fn sign_in(email: String, password: String, next: String) -> Result<(), ApiError> {
    answer(async {
        match Ports::current()?.session.sign_in(email.trim(), &password).await? {
            SignInStep::Done => leptos_axum::redirect(return_path::checked(&next)),
            SignInStep::CodeNeeded => leptos_axum::redirect(&problem::address(CODE_PAGE, &[("next", &next)], None)),
        }
        Ok(())
    })
    .await
}

/// Gives the code that is owed, and goes to `next`.
#[server(prefix = "/api", endpoint = "sign_in_code")]
pub async fn sign_in_code(code: String, next: String) -> Result<(), ApiError> {
    answer(async {
        Ports::current()?.session.give_code(&code).await?;
        leptos_axum::redirect(return_path::checked(&next));
        Ok(())
    })
    .await
}

/// Whether a code is owed here.
#[server(prefix = "/api", endpoint = "owes_code")]
pub async fn owes_code() -> Result<bool, ApiError> {
    answer(async { Ports::current()?.session.owes_code().await }).await
}

/// Gives proof that it is still the same person, with their password or a code. A plain form then goes to `then`.
#[server(prefix = "/api", endpoint = "give_proof")]
pub async fn give_proof(secret: String, then: String) -> Result<(), ApiError> {
    answer(async {
        let (ports, _) = authenticated().await?;
        ports.session.give_proof(&secret).await?;
        if is_plain_form() {
            leptos_axum::redirect(return_path::checked(&then));
        }
        Ok(())
    })
    .await
}

/// Ends the session and goes to the sign-in page.
#[server(prefix = "/api", endpoint = "sign_out")]
pub async fn sign_out() -> Result<(), ApiError> {
    answer(async {
        Ports::current()?.session.sign_out().await?;
        leptos_axum::redirect("/sign-in");
        Ok(())
    })
    .await
}
