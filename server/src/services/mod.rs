//! What the program does, apart from how it is asked: the ports of the pages, files, keys, and the tasks in the background.

pub mod access;
pub mod accounts;
pub mod audit;
mod background;
mod coverage;
pub mod data_keys;
pub mod download;
pub mod encryption;
pub mod failure;
mod file_names;
pub mod files;
mod heartbeat;
pub mod ids;
pub mod invitations;
mod job_control;
pub mod job_report;
mod job_set_aside;
mod job_view;
mod key_audit;
pub mod key_check;
mod key_facts;
pub mod key_state;
pub mod key_tests;
mod kms_connections;
mod lock_history;
mod lock_journal;
pub mod mail;
mod markdown;
pub mod members;
mod news;
mod notes;
pub mod object_reader;
pub mod object_storage;
mod object_unfinished;
mod object_upload;
pub mod object_writer;
pub mod opened;
pub mod organization;
pub mod outgoing;
mod paging;
mod part_buffers;
mod peers;
mod people;
pub mod preflight;
pub mod principal_arn;
pub mod proof;
pub mod requests;
pub mod reset;
pub mod single_sign_on;
mod speed;
mod start;
pub mod throttle;
pub mod unwrapping;
pub mod upload;
pub mod words;
mod workspace_deletion;
mod workspace_keys;
pub mod workspace_locks;
mod workspace_members;
pub mod workspaces;

pub use start::StartError;

use crate::{
    metrics::{Metrics, scrape::Sources},
    store::Store,
};
use accounts::Accounts;
use audit::{Audit, read::AuditLog};
use encryption::Encryption;
use files::Files;
use heartbeat::Heartbeat;
use key_state::KeyState;
use members::Members;
use organization::Organization;
use outgoing::Outgoing;
use requests::Requests;
use single_sign_on::SingleSignOn;
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;
use vault::Vault;
use workspaces::Workspaces;

/// How long the job worker may take to hand back its job. It may hang on a database that has fallen silent.
const WORKER_PATIENCE: Duration = Duration::from_secs(10);
/// How long the journal may take to bring what it has noted into the database.
const JOURNAL_PATIENCE: Duration = Duration::from_secs(5);
/// How long the database may take to hear that this server stops.
const LEAVE_PATIENCE: Duration = Duration::from_secs(2);

/// The clients of AWS.
pub struct Aws {
    pub kms: aws_sdk_kms::Client,
    pub sts: aws_sdk_sts::Client,
    pub sdk: aws_config::SdkConfig,
}

/// Everything a server offers. Clones share it.
#[derive(Clone)]
pub struct Services {
    pub store: Store,
    pub vault: Arc<Vault>,
    pub accounts: Arc<Accounts>,
    pub organization: Arc<Organization>,
    pub members: Arc<Members>,
    /// `None`: the operator has not set it up.
    pub single_sign_on: Option<Arc<SingleSignOn>>,
    pub workspaces: Arc<Workspaces>,
    pub files: Arc<Files>,
    pub encryption: Arc<Encryption>,
    pub audit: Audit,
    pub audit_log: Arc<AuditLog>,
    /// Requests as they come in.
    pub requests: Requests,
    /// The account of opened data on its way out.
    pub outgoing: Arc<Outgoing>,
    metrics: Metrics,
    figures: Sources,
    state: Arc<KeyState>,
    changed: watch::Sender<u64>,
    tasks: Arc<Tasks>,
}

/// What runs in the background.
struct Tasks {
    worker: Polite,
    journal: Polite,
    others: Vec<JoinHandle<()>>,
    heartbeat: Heartbeat,
}

/// A task that ends by itself when it is told to, and what it does until then is not to be cut.
struct Polite {
    stop: CancellationToken,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Polite {
    fn new(begin: impl FnOnce(CancellationToken) -> JoinHandle<()>) -> Self {
        let stop = CancellationToken::new();
        Self { task: Mutex::new(Some(begin(stop.clone()))), stop }
    }

    /// Tells it to end, and waits for that; `false` if it had to be cut.
    async fn end(&self, patience: Duration) -> bool {
        self.stop.cancel();
        let Some(task) = self.task.lock().unwrap_or_else(PoisonError::into_inner).take() else { return true };
        let cut = task.abort_handle();
        let ended = timeout(patience, task).await.is_ok();
        cut.abort();
        ended
    }
}

impl Services {
    /// Follows what the Data Encryption page shows: it changes when the job or the lock does, on this server or another.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Whether the first key check has been answered, whatever the answer.
    pub fn answered(&self) -> bool {
        self.state.answered()
    }

    /// The figures of this server, for the operator's monitoring.
    ///
    /// # Errors
    /// Never in practice: writing to a string does not fail.
    pub async fn figures(&self) -> Result<String, fmt::Error> {
        self.metrics.text(&self.figures.look().await)
    }

    /// Hands back the job and ends all tasks.
    pub async fn stop(&self) {
        if !self.tasks.worker.end(WORKER_PATIENCE).await {
            // Its job is taken over like that of a server that was killed.
            tracing::warn!(event = "worker_cut", "the job worker took too long to end and was cut");
        }
        if !self.tasks.journal.end(JOURNAL_PATIENCE).await {
            tracing::error!(event = "lock_not_noted", "the server stops, and the lock history may be incomplete");
        }
        for task in &self.tasks.others {
            task.abort();
        }
        if let Ok(Err(error)) = timeout(LEAVE_PATIENCE, self.tasks.heartbeat.leave()).await {
            tracing::warn!(event = "heartbeat_missed", %error, "this server did not take leave");
        }
        self.vault.forget_all();
    }
}
