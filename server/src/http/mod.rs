//! Everything about HTTP: the routes, who is asking, what may be asked, and how answers look.
//!
//! All routes are in [`router`]. What must stay true: no route opens data without a [`principal::SignedIn`] in its
//! signature or a port that asks for one, nothing but the site's own files may be cached, and every error a person can see
//! looks like the rest of the site.

pub mod assets;
mod download;
mod errors;
mod events;
mod health;
mod job_report;
mod key_policy;
pub mod metrics;
pub mod outgoing;
mod pages;
mod principal;
mod ranges;
mod request_log;
pub mod router;
mod security;
pub mod session;
mod state;
mod upload;

use crate::{config::PublicUrl, services::Services};
use assets::Assets;
use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use session::Sessions;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What every route can reach.
#[derive(Clone)]
pub struct HttpState {
    pub services: Services,
    pub sessions: Sessions,
    pub assets: Arc<Assets>,
    pub leptos: LeptosOptions,
    pub public_url: PublicUrl,
    /// The largest file that may be uploaded.
    pub max_file_bytes: u64,
    /// Cancelled when the program is asked to stop.
    pub closing: CancellationToken,
}

impl HttpState {
    /// The state of a server that has just started.
    pub fn new(services: Services, sessions: Sessions, public_url: PublicUrl, max_file_bytes: u64) -> Self {
        let assets = Arc::new(Assets::load());
        let leptos = LeptosOptions::builder().output_name("keystead").site_pkg_dir(assets.folder().to_owned()).build();
        let closing = CancellationToken::new();
        Self { services, sessions, assets, leptos, public_url, max_file_bytes, closing }
    }
}

impl FromRef<HttpState> for LeptosOptions {
    fn from_ref(state: &HttpState) -> Self {
        state.leptos.clone()
    }
}
