//! The connections to the service.
//!
//! What must stay true: a connection's buffers hold what was last read from it, and so a data key, in clear. So after a
//! lock, and after data keys have been destroyed, all connections are let go; the allocator zeroes their buffers as they
//! are freed, and the next call makes new ones.

use aws_sdk_kms::{Client, Config};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use std::sync::{PoisonError, RwLock};

pub(super) struct Connections {
    config: Config,
    client: RwLock<Client>,
}

impl Connections {
    pub(super) fn new(client: &Client) -> Self {
        let config = client.config().clone();
        let client = fresh(&config);
        Self { config, client: RwLock::new(client) }
    }

    pub(super) fn client(&self) -> Client {
        self.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Calls that are under way go on, and their connections end with them.
    pub(super) fn let_go(&self) {
        *self.client.write().unwrap_or_else(PoisonError::into_inner) = fresh(&self.config);
    }
}

/// A client with connections of its own.
fn fresh(config: &Config) -> Client {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https();
    Client::from_conf(config.to_builder().http_client(http).build())
}
