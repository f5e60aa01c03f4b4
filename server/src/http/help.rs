//! The public help pages. They are read without signing in, also while the data is locked or the database is away.
//!
//! What must stay true: they open nothing, they carry no script (the strict policy of [`super::security`] is theirs too),
//! and a stranger is told nothing about this deployment but its configured terms.

use super::{HttpState, principal::SignedIn, router::Route};
use crate::config::Config;
use app::help::{self, Reader, Terms};
use axum::{
    extract::{FromRequestParts, State},
    http::request::Parts,
    response::Html,
    routing::get,
};
use std::{convert::Infallible, time::Duration};
use tokio::time::timeout;
use vault::{TERM, lease};

/// How long is waited for the database, of which these pages need nothing that matters.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the guide says about this deployment.
pub fn terms(config: &Config) -> Terms {
    Terms {
        key_check: config.key_check,
        urgent_check: lease::URGENT,
        refusal_window: lease::REFUSAL_WINDOW,
        outage_grace: config.outage_grace,
        workspace_renewal: config.workspace_keys.renew,
        workspace_term: TERM,
    }
}

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![(help::HELP, get(index)), (help::GUIDE, get(customer_managed_keys))]
}

async fn index(Visitor(reader): Visitor) -> Html<String> {
    Html(help::index(&reader))
}

async fn customer_managed_keys(Visitor(reader): Visitor, State(state): State<HttpState>) -> Html<String> {
    Html(help::customer_managed_keys(&reader, &state.terms))
}

/// Whoever reads: nobody is refused.
struct Visitor(Reader);

impl FromRequestParts<HttpState> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &HttpState) -> Result<Self, Infallible> {
        let servers = timeout(PATIENCE, member(parts, state)).await.ok().flatten();
        let style = format!("/{}/keystead.css", state.assets.folder());
        Ok(Self(Reader { style, is_signed_in: servers.is_some(), servers }))
    }
}

/// How many servers run now, if somebody is signed in. What fails has been logged where it did.
async fn member(parts: &mut Parts, state: &HttpState) -> Option<u64> {
    SignedIn::from_request_parts(parts, state).await.ok()?;
    Some(state.services.live_servers().await)
}
