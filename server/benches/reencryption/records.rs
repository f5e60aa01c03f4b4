//! Records: notes of 512 bytes, on both databases.
//!
//! Three ways to bring every note of a workspace from one data key to another, in turns over the same table: the job's pass as
//! it is; the same pass in which the sealed bytes are handed on as they are; and bare statements (see `bare`) in batches of the
//! same size. Each pass begins with the database in the same order (log truncated, or vacuumed).

use crate::{
    bare,
    deployment::settle,
    figures::{Bound, RUNS, Scale, line, median, note, title},
    support::{
        Database, TestApp,
        notes::{NOTE, Workspace, add_notes, workspace},
    },
};
use sea_orm::{ActiveValue::Set, EntityTrait};
use server::{
    jobs::{
        account::Amount,
        cores::Cores,
        queue::Claim,
        records::{Rewrite, open_and_seal},
        reencrypt::{KeyPair, Pass},
        worker::Worker,
    },
    services::{ids::new_id, object_storage::ObjectStorage, object_writer::ObjectWriting},
    store::{
        entities::{
            data_key::{self, DataKeyState},
            job::{self, JobKind, JobStage, JobState},
        },
        house,
        sealed_tables::{self, SEALED_TABLES, SealedTable},
    },
};
use std::{sync::Arc, time::Instant};
use tokio::sync::watch;
use uuid::Uuid;
use vault::{DataKey, Kms, Scope};

const MANY: usize = 1_000_000;
const FEW: usize = 100_000;
const NOTES: &SealedTable = &SEALED_TABLES[1];

/// The sealed bytes as they are. They stay under the key they were sealed with, so a second pass has to follow, which brings
/// the rows back to it.
const HAND_ON: Rewrite = |_, _, _, _, sealed, _| Ok((sealed.to_vec(), NOTE));

pub async fn measure(scale: Scale) {
    for database in [Database::Sqlite, Database::Postgres] {
        on(database, scale).await;
    }
}

/// A table of notes with two data keys, and a worker that has claimed a job.
struct Table {
    app: TestApp,
    worker: Worker,
    claim: Claim,
    workspace: Workspace,
    /// The key that all notes are under, and the other.
    keys: [Arc<DataKey>; 2],
    rows: usize,
    /// Rows of a batch of the job, on average of the last pass.
    batch: usize,
}

async fn on(database: Database, scale: Scale) {
    let name = format!("{database:?}");
    let mut table = Table::new(database).await;
    title(&format!("Records: re-encrypting {} notes of {NOTE} bytes on {name}", scale.of(MANY)));
    table.fill(scale.of(FEW)).await;
    table.job(open_and_seal).await;
    let mut few = Vec::new();
    for _ in 0..RUNS {
        few.push(table.job(open_and_seal).await);
    }
    table.fill(scale.of(MANY)).await;
    let (mut sealed, mut copied, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        sealed.push(table.job(open_and_seal).await);
        copied.push(table.job(HAND_ON).await);
        // Back to the key that the bytes are under.
        bare.push(table.bare().await);
    }
    let [few, sealed, copied, bare] = [few, sealed, copied, bare].map(|rates| median(&rates));
    line("rows a second, beside the same batches only copied", "/s", sealed, copied, Bound::AtLeast(0.85));
    line("rows a second, beside bare prepared statements", "/s", sealed, bare, Bound::AtLeast(0.50));
    line("rows a second, beside those of a tenth of the rows", "/s", sealed, few, Bound::AtLeast(0.80));
    note(&format!("{} rows in a batch", table.batch));
    table.app.stop().await;
}

impl Table {
    async fn new(database: Database) -> Self {
        let app = TestApp::start(database).await;
        let workspace = workspace(&app).await;
        let other = second_key(&app, workspace.id).await;
        let keys = [Arc::clone(&workspace.key), other];
        let (worker, claim) = (worker(&app), claim(&app).await);
        Self { app, worker, claim, workspace, keys, rows: 0, batch: 1 }
    }

    /// Adds notes until there are so many.
    async fn fill(&mut self, rows: usize) {
        self.workspace.key = Arc::clone(&self.keys[0]);
        add_notes(&self.app.services, &self.workspace, rows.saturating_sub(self.rows)).await;
        settle(&self.app.services.store).await;
        self.rows = rows.max(self.rows);
    }

    /// One pass of the job over all notes. Gives rows a second.
    async fn job(&mut self, rewrite: Rewrite) -> f64 {
        let before = *self.worker.changed.borrow();
        let (worker, claim, pair) = (self.worker.clone(), self.claim.clone(), self.pair());
        let began = Instant::now();
        // On a thread of the runtime, as in a server.
        let pass = tokio::spawn(async move {
            let mut pass = Pass::default();
            worker.rewrite_records(&claim, NOTES, &pair, &mut pass, rewrite).await.map(|()| pass)
        });
        let pass = pass.await.unwrap().unwrap();
        let took = began.elapsed().as_secs_f64();
        assert_eq!((pass.found, pass.set_aside.len()), (self.rows as u64, 0));
        // It says that something has changed once for each batch.
        self.batch = (self.rows as u64 / (*self.worker.changed.borrow() - before)) as usize;
        self.turn().await;
        self.rows as f64 / took
    }

    /// The same with bare statements.
    async fn bare(&mut self) -> f64 {
        let (store, pair, batch) = (self.worker.store.clone(), self.pair(), self.batch);
        let began = Instant::now();
        let written =
            tokio::spawn(async move { bare::rewrite_notes(&store, pair.old.id().0, pair.new.id().0, batch).await });
        let written = written.await.unwrap();
        let took = began.elapsed().as_secs_f64();
        assert_eq!(written, self.rows as u64);
        self.turn().await;
        self.rows as f64 / took
    }

    fn pair(&self) -> KeyPair {
        let [old, new] = [0, 1].map(|at| Arc::clone(&self.keys[at]));
        KeyPair { scope: Scope::Workspace(self.workspace.id), old, new }
    }

    /// After a pass: all notes are under the other key.
    async fn turn(&mut self) {
        self.keys.swap(0, 1);
        let store = &self.worker.store;
        let counted = sealed_tables::count(store.read(), NOTES.name, Some(&[self.keys[0].id().0])).await.unwrap();
        assert_eq!(counted.items as u64, self.rows as u64);
        settle(store).await;
    }
}

/// Makes another data key for a workspace, which is not its current one.
async fn second_key(app: &TestApp, workspace: Uuid) -> Arc<DataKey> {
    let (keys, store, scope) = (&app.services.encryption.keys, &app.services.store, Scope::Workspace(workspace));
    let root = house::root(store.read()).await.unwrap();
    let fresh = keys.generate(scope, &root.root_key_arn).await.unwrap();
    let row = data_key::ActiveModel { state: Set(DataKeyState::Retiring), ..fresh.row(scope, root.generation, 0) };
    data_key::Entity::insert(row).exec_without_returning(store.write()).await.unwrap();
    keys.key(fresh.key.id().0).await.unwrap()
}

/// A worker like that of the server, over the same vault, which keeps its lease.
fn worker(app: &TestApp) -> Worker {
    let services = &app.services;
    let server = new_id(&services.vault).unwrap();
    let objects = ObjectWriting {
        store: services.store.clone(),
        storage: ObjectStorage::open(&app.config.objects, &app.keys.sdk).unwrap(),
        vault: Arc::clone(&services.vault),
        server,
    };
    Worker {
        store: services.store.clone(),
        keys: Arc::clone(&services.encryption.keys),
        kms: Kms::new(&app.keys.kms),
        objects,
        cores: Cores::new(services.requests.clone()),
        server,
        wake: Arc::default(),
        garbage: Arc::default(),
        changed: watch::channel(0).0,
    }
}

/// A job that is already ours, and for long: the server's own worker leaves it alone.
async fn claim(app: &TestApp) -> Claim {
    let store = &app.services.store;
    let (id, arn) = (new_id(&app.services.vault).unwrap(), app.keys.provider.clone());
    let row = job::ActiveModel {
        id: Set(id),
        kind: Set(JobKind::Activate),
        state: Set(JobState::Running),
        stage: Set(JobStage::Reencrypt),
        from_arn: Set(arn.clone()),
        to_arn: Set(arn),
        created_at: Set(app.services.vault.clock().wall_ms()),
        owner: Set(Some(id)),
        lease_until: Set(i64::MAX),
        ..Default::default()
    };
    job::Entity::insert(row).exec_without_returning(store.write()).await.unwrap();
    let claim = Claim { job: job::Entity::find_by_id(id).one(store.write()).await.unwrap().unwrap() };
    // What every batch adds to.
    claim.left(store.write(), &[Amount { kind: NOTES.name, items: 0, bytes: 0 }]).await.unwrap();
    claim
}
