//! The real program for tests: on a port of its own, over a fresh database and keys in the local KMS.
//!
//! `KEYSTEAD_TEST_KMS_URL` names a running local KMS, `KEYSTEAD_TEST_POSTGRES_URL` a `PostgreSQL` cluster in which databases
//! may be created. Without them the tests fail: nothing is skipped.

#![allow(dead_code, unused_imports, reason = "each test program uses its own part of this")]

mod browser;
mod database;
mod ground;
pub mod issuer;
mod keys;
pub mod kms_proxy;
pub mod notes;
pub mod program;
pub mod raw;
pub mod tcp_proxy;

pub use browser::{Answer, Browser};
pub use database::Database;
pub use ground::Ground;
pub use keys::Keys;

use app::{
    model::{identity::Role, lock::LockFace},
    ports::{OrganizationPort, Principal, WorkspacesPort},
};
use aws_config::SdkConfig;
use sea_orm::{EntityTrait, PaginatorTrait};
use server::{
    application::{Application, clients},
    config::{Config, LogFormat},
    services::Services,
    store::entities::object_note,
};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep},
};
use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};

pub const ADMIN: &str = "admin@example.com";
pub const PASSWORD: &str = "correct horse battery staple";
/// How long is waited for what must come. It is no measure of anything.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Some content that is different at every offset.
pub fn content(bytes: usize) -> Vec<u8> {
    (0_u64..).flat_map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()).take(bytes).collect()
}

/// A running server.
pub struct TestApp {
    pub address: SocketAddr,
    /// Where figures are served, if the test asked for it.
    pub metrics_address: Option<SocketAddr>,
    pub services: Box<Services>,
    pub config: Config,
    pub keys: Arc<Keys>,
    pub objects: PathBuf,
    https: bool,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<std::io::Result<()>>,
    ground: Arc<Ground>,
}

impl TestApp {
    /// Starts one as most tests need it.
    pub async fn start(database: Database) -> Self {
        Self::start_with(database, |_| {}).await
    }

    /// Starts one whose configuration is changed by `change` first.
    pub async fn start_with(database: Database, change: impl FnOnce(&mut Config)) -> Self {
        let ground = Ground::new(database).await;
        let mut config = ground.config();
        change(&mut config);
        let sdk = ground.keys.sdk.clone();
        Self::run(config, sdk, ground).await
    }

    /// Starts one over a ground that others may share, and waits until data can be opened.
    async fn run(config: Config, sdk: SdkConfig, ground: Arc<Ground>) -> Self {
        if std::env::var_os("RUST_LOG").is_some() {
            server::telemetry::init(LogFormat::Text);
        } else {
            // Without the text, alarms are counted all the same.
            tracing_subscriber::registry().with(server::telemetry::alarm_counter()).try_init().ok();
        }
        let https = config.public_url.is_https();
        let application = Application::build_with(config.clone(), clients(sdk)).await.unwrap();
        let (address, services) = (application.address(), application.services().clone());
        let metrics_address = application.metrics_address();
        let (stop, asked) = oneshot::channel::<()>();
        let running = tokio::spawn(application.run(async move {
            asked.await.ok();
        }));
        let (keys, objects) = (Arc::clone(&ground.keys), ground.objects.clone());
        let app = Self {
            address,
            metrics_address,
            services: Box::new(services),
            config,
            keys,
            objects,
            https,
            stop: Some(stop),
            running,
            ground,
        };
        app.until("data can be opened", |app| app.services.answered() && app.services.organization.lock().is_none())
            .await;
        app
    }

    /// A browser without a session.
    pub fn browser(&self) -> Browser {
        Browser::new(self.address, self.https)
    }

    /// A browser in which the administrator is signed in.
    pub async fn signed_in(&self) -> Browser {
        let mut browser = self.browser();
        let answer = browser.sign_in(ADMIN, PASSWORD).await;
        assert!(answer.status.is_redirection() || answer.status.is_success(), "{answer:?}");
        browser
    }

    /// The administrator, for calling services directly.
    pub async fn administrator(&self) -> Principal {
        self.services.accounts.first_administrator().await.unwrap().unwrap()
    }

    /// Adds a member with the usual password.
    pub async fn add_member(&self, email: &str) -> Principal {
        self.services.accounts.create_user(email, "Member", Role::Member, PASSWORD).await.unwrap()
    }

    /// The id of a new workspace.
    pub async fn workspace(&self) -> String {
        let who = self.administrator().await;
        self.services.workspaces.create(&who, "Harbour survey", "").await.unwrap().id
    }

    /// Why a workspace is locked, if it is.
    pub fn lock_of(&self, workspace: &str) -> Option<LockFace> {
        self.services.organization.face_of(workspace.parse().unwrap())
    }

    /// Disables the provider key in AWS and waits for the lock.
    pub async fn lock(&self) {
        self.keys.disable(&self.keys.provider).await;
        self.until("data is locked", |app| app.services.organization.lock().is_some()).await;
    }

    /// Enables the provider key again and waits.
    pub async fn unlock(&self) {
        self.keys.enable(&self.keys.provider).await;
        self.until("data is open again", |app| app.services.organization.lock().is_none()).await;
    }

    /// Waits until something is so.
    pub async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let patience = Instant::now() + PATIENCE;
        while !is_so(self) {
            assert!(Instant::now() < patience, "waited in vain until {what}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Copies the database while the server uses it.
    pub async fn copy_database(&self) -> PathBuf {
        self.ground.copy_database().await
    }

    /// Another server, over copies of this one's database and objects, under the same keys.
    pub async fn restored(&self, database: &Path, objects: PathBuf) -> Self {
        let ground = self.ground.restored(database, objects).await;
        Self::run(ground.config(), self.keys.sdk.clone(), ground).await
    }

    /// How many notes there are about objects that are being written or are to be removed.
    pub async fn object_notes(&self) -> u64 {
        object_note::Entity::find().count(self.services.store.read()).await.unwrap()
    }

    /// Waits until there are so many.
    pub async fn until_object_notes(&self, count: u64) {
        let patience = Instant::now() + PATIENCE;
        while self.object_notes().await != count {
            assert!(Instant::now() < patience, "waited in vain until there are {count} notes about objects");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// How many files there are in the object store.
    pub fn stored_objects(&self) -> usize {
        program::objects_below(&self.objects).len()
    }

    /// Asks the server to stop, without waiting.
    pub fn ask_to_stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits for the end of the server, which must be a good one, and removes its database if nobody else uses it.
    pub async fn ended(self) {
        self.running.await.unwrap().unwrap();
        self.ground.remove().await;
    }

    /// Stops the server and removes its database if nobody else uses it.
    pub async fn stop(mut self) {
        self.ask_to_stop();
        self.ended().await;
    }
}

/// Runs each test on `SQLite` and on `PostgreSQL`, with one body.
#[macro_export]
macro_rules! on_both_databases {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test($crate::support::Database::Sqlite).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test($crate::support::Database::Postgres).await;
            })+
        }
    };
}
