//! Two servers over one `PostgreSQL` database and one object store: one that runs the job, as a process of its own that can be
//! stopped, continued and killed, and its heir.

use crate::{
    levers::{Held, Levers},
    steps::{Filled, headers_agree, job_ended, view},
    support::{Browser, Database, Ground, TestApp, program::Program},
};
use app::{
    model::{
        encryption::DataEncryption,
        job::{JobState, JobView},
    },
    ports::Principal,
};
use std::{sync::Arc, time::Duration};

/// More than the job reads in its first batches, so that some are done and some are not when it stands still.
pub const NOTES: usize = 300;
pub const SIZES: [usize; 4] = [0, 70_000, 300_000, 9_000_000];

pub struct Scene {
    pub ground: Arc<Ground>,
    pub levers: Levers,
    pub filled: Filled,
    /// The server that runs the job.
    pub runner: Program,
    pub browser: Browser,
    /// The key to activate.
    pub arn: String,
}

/// The other server, with somebody who works there.
pub struct Heir {
    pub app: TestApp,
    pub who: Principal,
}

impl Scene {
    pub async fn new() -> Self {
        Self::with(|_| Vec::new()).await
    }

    /// With environment variables for the runner.
    pub async fn with(environment: impl FnOnce(&Ground) -> Vec<(&'static str, String)>) -> Self {
        let ground = Ground::new(Database::Postgres).await;
        let app = server_on(&ground).await;
        let who = app.administrator().await;
        let filled = Filled::new(&app, &who, "Claims triage", NOTES, &SIZES).await;
        // Nobody but the runner is there when the job begins.
        app.stop().await;
        let environment = environment(&ground);
        let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let runner = Program::start_on(&ground, "runner", &environment).await;
        let browser = runner.signed_in().await;
        let arn = ground.keys.create().await;
        let levers = Levers::at(&ground.url).await;
        Self { ground, levers, filled, runner, browser, arn }
    }

    /// Has the runner begin.
    pub async fn activate(&mut self) {
        let answer = self.browser.call("activate_key", &[("arn", &self.arn)]).await;
        assert!(answer.status.is_success() || answer.status.is_redirection(), "{answer:?}");
    }

    /// Has the runner begin, and stand still where it must write the row that is held.
    pub async fn stands_still_at(&mut self, table: &str, which: &str) -> Held {
        let held = self.levers.hold_row(table, which).await;
        self.activate().await;
        self.levers.until_waiting(table).await;
        held
    }

    pub async fn heir(&self) -> Heir {
        let app = server_on(&self.ground).await;
        let who = app.administrator().await;
        Heir { app, who }
    }

    /// Who runs the job, by its fencing token.
    pub async fn fence(&self) -> i64 {
        self.levers.number("SELECT fence AS found FROM jobs").await
    }

    /// Waits until another server has taken the job over.
    pub async fn until_taken_over(&self, fence: i64) {
        self.levers.until("another server takes the job over", async || self.fence().await > fence).await;
    }

    /// Makes time pass for what a dead writer has left, which nobody renews any more.
    pub async fn age_what_is_left(&self) {
        self.levers.change("UPDATE object_notes SET expires_at = 0 WHERE state = 'writing'").await;
    }

    /// Waits for the end of the job, and compares everything: with what was put in, and with what the job says it has done.
    pub async fn ends_well(&self, heir: &Heir) -> JobView {
        let job = job_ended(&heir.app, &heir.who).await;
        assert_eq!(job.state, JobState::Complete, "{job:?}");
        assert!(job.set_aside.is_empty(), "{job:?}");
        self.is_all_there(heir).await;
        job
    }

    /// Everything is there, under the current data keys and no others, and nothing else is.
    pub async fn is_all_there(&self, heir: &Heir) {
        self.filled.is_intact(&heir.app, &heir.who).await;
        headers_agree(&heir.app).await;
        let seen = view(&heir.app, &heir.who).await;
        assert_eq!((seen.data_keys, seen.root.arn.as_str()), (1 + seen.workspaces, self.arn.as_str()));
        assert_eq!(self.levers.number("SELECT count(*) AS found FROM jobs").await, 1);
        self.age_what_is_left().await;
        let files = usize::try_from(seen.amount.files).unwrap();
        heir.app.until("no object is left over", |app| app.stored_objects() == files).await;
    }

    /// What the runner shows.
    pub async fn view(&mut self) -> DataEncryption {
        self.browser.call("data_encryption", &[]).await.json()
    }

    pub async fn end(self, heir: Heir) {
        drop(self.runner);
        let Levers { .. } = self.levers;
        heir.app.stop().await;
        self.ground.remove().await;
    }
}

async fn server_on(ground: &Arc<Ground>) -> TestApp {
    let kms = std::env::var("KEYSTEAD_TEST_KMS_URL").expect("KEYSTEAD_TEST_KMS_URL must name a running local KMS");
    ground.start(&kms, |config| config.key_check = Duration::from_millis(500)).await
}

/// The job says that it has done each thing once: `notes` notes among them, and everything else that was filled in.
pub fn account_is_exact(job: &JobView, filled: &Filled, notes: usize) {
    let of = |kind: &str| {
        let items = job.items.iter().find(|items| items.kind == kind).unwrap();
        assert_eq!((items.total, items.set_aside), (items.done, 0), "{kind}");
        (items.done, items.bytes_done)
    };
    let bytes = filled.files.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    assert_eq!(of("File content"), (filled.files.len() as u64, bytes));
    assert_eq!(of("File names and types").0, filled.files.len() as u64);
    assert_eq!(of("Workspace names and descriptions"), (1, ("Claims triage".len() + "what it is for".len()) as u64));
    let (done, bytes) = of("Notes");
    assert_eq!(done, notes as u64);
    if notes == filled.notes.len() {
        assert_eq!(bytes, filled.notes.iter().map(|text| text.len() as u64).sum::<u64>());
    }
}
