//! Signing in and out, and the frame around every page.

use crate::model::{error::ApiError, identity::Frame};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::{
    api::answer,
    ports::{Ports, authenticated},
    return_path,
};

/// Who is signed in, where, and whether the data can be read now.
#[server(prefix = "/api", endpoint = "frame")]
pub async fn read_frame() -> Result<Frame, ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        let organization = ports.organization;
        Ok(Frame {
            me: who.me(),
            deployment: organization.deployment(),
            lock: organization.lock(),
            notice: organization.notice(&who),
        })
    })
    .await
}

/// Signs in and goes to `next`, if that is a page of this site.
#[server(prefix = "/api", endpoint = "sign_in")]
pub async fn sign_in(email: String, password: String, next: String) -> Result<(), ApiError> {
    answer(async {
        Ports::current()?.session.sign_in(email.trim(), &password).await?;
        leptos_axum::redirect(return_path::checked(&next));
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
