//! The server as a whole: built from a configuration, run until it is asked to stop.
//!
//! What must stay true: it stops in order. It takes no new requests, lets those it has come to an end for a while, hands back
//! the job it runs, and closes the database last.

use crate::{
    config::Config,
    http::{HttpState, metrics, outgoing::GuardedListener, patience::Patience, router::router, session::Sessions},
    services::{Aws, Services, StartError as ServicesError, accounts::CreateUserError},
    store::Store,
};
use app::model::key_arn::KeyArn;
use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use axum::Router;
use sea_orm::DbErr;
use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};
use thiserror::Error;
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use vault::SystemClock;

const CONNECT_TIME: Duration = Duration::from_secs(2);
const ATTEMPT_TIME: Duration = Duration::from_secs(5);
const ATTEMPTS: u32 = 3;
/// How long requests may take to come to their end when the program stops.
const GRACE: Duration = Duration::from_secs(10);
/// How long an answer to the monitoring may take to come to its end.
const METRICS_GRACE: Duration = Duration::from_secs(3);

/// How long the database may take to let go of its connections.
const CLOSE_TIME: Duration = Duration::from_secs(5);

/// Why the server could not start.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("{variable}: {address} cannot be listened on: {cause}")]
    Listen { variable: &'static str, address: SocketAddr, cause: io::Error },
    #[error("DATABASE_URL: the database cannot be used: {0}")]
    Database(#[from] DbErr),
    #[error(transparent)]
    Services(#[from] ServicesError),
    #[error("the first administrator could not be created: {0}")]
    FirstAdministrator(#[from] CreateUserError),
}

/// A server that is ready to run.
pub struct Application {
    listener: TcpListener,
    address: SocketAddr,
    metrics: Option<(TcpListener, SocketAddr)>,
    router: Router,
    services: Services,
    store: Store,
    sessions: Sessions,
    closing: CancellationToken,
    patience: Patience,
}

impl Application {
    /// Connects to everything, brings the schema up to date, and begins to listen. Nothing is answered before [`Self::run`].
    ///
    /// # Errors
    /// The first thing that could not be had.
    pub async fn build(config: Config) -> Result<Self, StartError> {
        let aws = aws(&config.provider_key_arn).await;
        Self::build_with(config, aws).await
    }

    /// The same, with AWS clients of the caller's own.
    ///
    /// # Errors
    /// The first thing that could not be had.
    pub async fn build_with(config: Config, aws: Aws) -> Result<Self, StartError> {
        let (listener, address) = listen("KEYSTEAD_LISTEN", config.listen).await?;
        let metrics = match config.metrics_listen {
            Some(address) => Some(listen("KEYSTEAD_METRICS_LISTEN", address).await?),
            None => None,
        };
        let (store, services) = Box::pin(start_services(&config, address, aws)).await?;
        if let Some(first) = &config.first_admin
            && services.accounts.ensure_first_administrator(first).await?
        {
            tracing::info!(event = "first_administrator", "the first administrator was created");
        }
        let (sessions, patience) = (Sessions::new(store.clone(), Arc::new(SystemClock)), config.patience);
        let state = HttpState::new(services.clone(), sessions.clone(), config);
        let closing = state.closing.clone();
        Ok(Self { listener, address, metrics, router: router(state), services, store, sessions, closing, patience })
    }

    /// The address that is listened on. Its port is the real one also when the configuration said 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address on which figures are served, if they are.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(|(_, address)| *address)
    }

    /// What the server does beside answering requests.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// Answers requests until `shutdown`, and then stops in order.
    ///
    /// # Errors
    /// None at present.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let Self { listener, address, metrics, router, services, store, sessions, closing, patience } = self;
        tracing::info!(event = "listening", %address, version = env!("CARGO_PKG_VERSION"), "ready for requests");
        let sweeping = tokio::spawn(sessions.sweep(Arc::clone(&services.accounts), closing.clone()));
        let watched = CancellationToken::new();
        let figures = tokio::spawn(serve_figures(metrics, services.clone(), watched.clone()));
        let asked = {
            let closing = closing.clone();
            async move {
                shutdown.await;
                tracing::info!(event = "stopping", "asked to stop");
                closing.cancel();
            }
        };
        let out_of_time = async {
            closing.cancelled().await;
            sleep(GRACE).await;
        };
        let listener = GuardedListener { listener, account: Arc::clone(&services.outgoing), patience };
        tokio::select! {
            () = listener.serve(router, asked) => {}
            () = out_of_time => {
                tracing::warn!(event = "requests_cut", "some requests took too long to end and were cut");
            }
        }
        closing.cancel();
        services.stop().await;
        sweeping.abort();
        watched.cancel();
        let stop_waiting = figures.abort_handle();
        if timeout(METRICS_GRACE, figures).await.is_err() {
            stop_waiting.abort();
        }
        match timeout(CLOSE_TIME, store.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(event = "database_failed", %error, "the database was not closed cleanly");
            }
            // It may have fallen silent. The system closes what is left.
            Err(_) => tracing::warn!(event = "database_failed", "the database took too long to close"),
        }
        tracing::info!(event = "stopped", "stopped");
        Ok(())
    }
}

async fn listen(variable: &'static str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |cause| StartError::Listen { variable, address, cause };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Answers the operator's monitoring, if there is a listener for it: to the very end, so that it also sees the stop.
async fn serve_figures(listener: Option<(TcpListener, SocketAddr)>, services: Services, end: CancellationToken) {
    let Some((listener, address)) = listener else { return };
    tracing::info!(event = "metrics_listening", %address, "figures are served");
    let served = axum::serve(listener, metrics::router(services)).with_graceful_shutdown(end.cancelled_owned()).await;
    if let Err(error) = served {
        tracing::warn!(event = "metrics_not_served", %error, "monitoring cannot be answered any more");
    }
}

/// Connects to database and AWS, and starts the services. Also what the commands use that work on data. `address` is a part
/// of what operators call this server.
///
/// # Errors
/// The first thing that could not be had.
pub async fn start_services(config: &Config, address: SocketAddr, aws: Aws) -> Result<(Store, Services), StartError> {
    let store = Store::connect(&config.database_url).await?;
    store.migrate().await?;
    // On the heap: so much state would otherwise lie in the future of everybody who awaits a start.
    let services = Box::pin(Services::start(config, server_name(address), store.clone(), aws)).await?;
    Ok((store, services))
}

/// The name of the machine and the address, at most 64 characters.
fn server_name(address: SocketAddr) -> String {
    let system = rustix::system::uname();
    let host: String = system.nodename().to_string_lossy().chars().take(40).collect();
    format!("{host} {address}").chars().take(64).collect()
}

/// The clients of AWS, in the region of the provider's key. Credentials and endpoints are the SDK's own affair.
pub async fn aws(provider_key: &KeyArn) -> Aws {
    let time = TimeoutConfig::builder().connect_timeout(CONNECT_TIME).operation_attempt_timeout(ATTEMPT_TIME).build();
    let sdk = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(provider_key.region().to_owned()))
        .timeout_config(time)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .load()
        .await;
    clients(sdk)
}

/// The clients that share `sdk`.
pub fn clients(sdk: SdkConfig) -> Aws {
    Aws { kms: aws_sdk_kms::Client::new(&sdk), sts: aws_sdk_sts::Client::new(&sdk), sdk }
}
