//! Everything about HTTP: the routes, who is asking, what may be asked, and how answers look.
//!
//! All routes are in [`router`]. What must stay true: no route opens data without a [`principal::SignedIn`] in its
//! signature or a port that asks for one, nothing but the site's own files may be cached, and every error a person can see
//! looks like the rest of the site.

mod account;
pub mod assets;
mod audit_export;
mod bare_page;
mod bodies;
mod client_address;
mod download;
mod errors;
mod events;
mod health;
mod help;
mod job_report;
mod key_policy;
pub mod metrics;
mod once;
pub mod outgoing;
pub mod pages;
pub mod patience;
mod principal;
mod ranges;
mod request_log;
mod requests;
pub mod router;
mod security;
pub mod session;
mod single_sign_on;
mod state;
mod upload;

use crate::{
    config::{Config, PublicUrl},
    services::Services,
};
use app::help::Terms;
use assets::Assets;
use axum::extract::FromRef;
use ipnet::IpNet;
use leptos::config::LeptosOptions;
use patience::Patience;
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
    /// The proxies whose word on where a request comes from is believed.
    pub trusted_proxies: Arc<[IpNet]>,
    /// The largest file that may be uploaded.
    pub max_file_bytes: u64,
    /// For how long clients are waited for.
    pub patience: Patience,
    /// What the guide says about this deployment.
    pub terms: Terms,
    /// Cancelled when the program is asked to stop.
    pub closing: CancellationToken,
}

impl HttpState {
    /// The state of a server that has just started.
    pub fn new(services: Services, sessions: Sessions, config: Config) -> Self {
        let assets = Arc::new(Assets::load());
        let leptos = LeptosOptions::builder().output_name("keystead").site_pkg_dir(assets.folder().to_owned()).build();
        let closing = CancellationToken::new();
        let (terms, max_file_bytes, patience) = (help::terms(&config), config.max_file_bytes, config.patience);
        let (public_url, trusted_proxies) = (config.public_url, config.trusted_proxies.into());
        Self {
            services,
            sessions,
            assets,
            leptos,
            public_url,
            trusted_proxies,
            max_file_bytes,
            patience,
            terms,
            closing,
        }
    }
}

impl FromRef<HttpState> for LeptosOptions {
    fn from_ref(state: &HttpState) -> Self {
        state.leptos.clone()
    }
}
