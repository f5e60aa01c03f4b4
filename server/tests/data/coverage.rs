//! What the page says of what is encrypted and of what a change of key costs, beside what is really stored.

use crate::{
    on_both_databases,
    steps::{Filled, activate, content, job_ended, rows, tamper, upload, view},
    support::{Database, TestApp},
};
use app::{
    model::{
        encryption::{Amount, RootKind},
        job::JobState,
    },
    ports::{EncryptionPort, Principal, WorkspacesPort},
};
use sea_orm::{
    AccessMode, ColumnTrait, DatabaseTransaction, DbBackend, EntityTrait, IsolationLevel, PaginatorTrait, QueryFilter,
    TransactionTrait,
};
use server::store::{
    census::{self, Census},
    entities::{data_key, job, note, object},
    sealed_tables::OBJECTS,
};
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::sleep;
use uuid::Uuid;
use vault::{DataKey, Place, Scope};

on_both_databases!(
    counts_agree_with_a_decrypting_read_while_a_job_runs_and_people_write,
    numbers_are_of_one_moment,
    a_job_that_is_paused_in_its_midst_is_counted_to_the_row,
    what_is_set_aside_stays_uncounted,
    the_speed_is_that_of_the_last_job_that_took_long_enough,
);

/// A transaction that sees the database as it is now, whatever is written meanwhile.
async fn snapshot(app: &TestApp) -> DatabaseTransaction {
    let store = &app.services.store;
    let options = match store.backend() {
        DbBackend::Postgres => (Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly)),
        _ => (None, None),
    };
    store.read().begin_with_config(options.0, options.1).await.unwrap()
}

fn counted(census: &Census, table: &str) -> (i64, i64) {
    let found = census.sealed.iter().find(|count| count.table == table).unwrap();
    (found.rows, found.older)
}

/// Opens each note of a snapshot, and gives how many there are and how many of them are under a key that the root key before
/// has wrapped too. `None` if a data key was destroyed meanwhile.
async fn decrypted(
    app: &TestApp,
    on: &DatabaseTransaction,
    keys: &mut HashMap<Uuid, Arc<DataKey>>,
) -> Option<(i64, i64)> {
    let changed = job::Entity::find().all(on).await.unwrap().iter().map(|job| job.generation).max().unwrap_or(0);
    let made: HashMap<Uuid, i64> =
        data_key::Entity::find().all(on).await.unwrap().iter().map(|key| (key.id, key.generation)).collect();
    let mut found = (0, 0);
    for note in note::Entity::find().all(on).await.unwrap() {
        let named = vault::key_id_of(&note.text_sealed).unwrap().0;
        if let Entry::Vacant(unknown) = keys.entry(named) {
            unknown.insert(app.services.encryption.keys.key(named).await.ok()?);
        }
        let place = Place {
            deployment: app.services.vault.deployment(),
            scope: Scope::from_uuid(note.scope),
            table: "notes",
            id: note.id,
            column: "text_sealed",
        };
        assert!(!vault::open(&keys[&named], &place, &note.text_sealed).unwrap().is_empty());
        found.0 += 1;
        found.1 += i64::from(made[&named] < changed);
    }
    Some(found)
}

/// Writes notes until told to stop.
async fn write_notes(app: &TestApp, who: &Principal, workspace: &str, stop: &AtomicBool) {
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        app.services.workspaces.create_note(who, workspace, &format!("meanwhile {n}")).await.unwrap();
    }
}

async fn counts_agree_with_a_decrypting_read_while_a_job_runs_and_people_write(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let filled = Filled::new(&app, &who, "Claims triage", 500, &[12_000_000; 4]).await;
    let other = Filled::new(&app, &who, "Fraud model", 200, &[]).await;
    let arn = app.keys.create().await;
    app.services.encryption.activate(&who, &arn).await.unwrap();
    let (stop, mut keys, mut midst) = (AtomicBool::new(false), HashMap::new(), 0);
    let look = async {
        loop {
            let on = snapshot(&app).await;
            let census = census::take(&on).await.unwrap();
            let notes = counted(&census, "notes");
            if let Some(found) = decrypted(&app, &on, &mut keys).await {
                assert_eq!(notes, found, "the count and the decrypting read differ");
                let objects = object::Entity::find().count(&on).await.unwrap();
                assert_eq!(counted(&census, OBJECTS).0.unsigned_abs(), objects);
                midst += usize::from(notes.1 > 0 && notes.1 < notes.0);
            }
            on.rollback().await.unwrap();
            if !view(&app, &who).await.job.unwrap().state.is_unfinished() {
                break stop.store(true, Ordering::Relaxed);
            }
        }
    };
    tokio::join!(look, write_notes(&app, &who, &other.workspace, &stop));
    assert!(midst > 0, "the job was never seen in its midst");
    assert_eq!(job_ended(&app, &who).await.state, JobState::Complete);
    let seen = view(&app, &who).await;
    assert!(seen.coverage.iter().all(|line| line.items == line.current), "{:?}", seen.coverage);
    let stored = note::Entity::find().count(app.services.store.read()).await.unwrap();
    assert_eq!(seen.coverage.iter().find(|line| line.data == "Notes").unwrap().items, stored);
    filled.is_intact(&app, &who).await;
    app.stop().await;
}

/// A file's row and its object's come and go together, so a count of one moment finds as many of both.
async fn numbers_are_of_one_moment(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let workspace = app.workspace().await;
    let stop = AtomicBool::new(false);
    let upload_all = async {
        for n in 0..60 {
            let file = upload(&app, &who, &workspace, "small.bin", &content(10 + n)).await;
            if n % 2 == 0 {
                app.services.workspaces.delete_file(&who, &workspace, &file.id).await.unwrap();
            }
        }
        stop.store(true, Ordering::Relaxed);
    };
    let count = async {
        while !stop.load(Ordering::Relaxed) {
            let census = census::take(app.services.store.read()).await.unwrap();
            assert_eq!(counted(&census, "files"), counted(&census, OBJECTS));
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(upload_all, count);
    let seen = view(&app, &who).await;
    let bytes = (0..60_u64).filter(|n| n % 2 == 1).map(|n| 10 + n).sum();
    assert_eq!(seen.amount, Amount { records: 1 + 30, files: 30, bytes });
    let users = rows(&app, "SELECT id FROM users").await.len() as u64;
    let accounts = seen.not_sealed.iter().find(|line| line.data == "Accounts and roles").unwrap();
    assert_eq!(accounts.rows, Some(users));
    app.stop().await;
}

async fn a_job_that_is_paused_in_its_midst_is_counted_to_the_row(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let filled = Filled::new(&app, &who, "Claims triage", 300, &[12_000_000; 4]).await;
    let arn = app.keys.create().await;
    app.services.encryption.activate(&who, &arn).await.unwrap();
    // Everything is old in the moment in which the key takes control, though no data key is retiring yet.
    while view(&app, &who).await.root.kind == RootKind::Provider {
        sleep(Duration::from_millis(1)).await;
    }
    app.services.encryption.pause_job(&who).await.unwrap();
    app.services.workspaces.create_note(&who, &filled.workspace, "written in the pause").await.unwrap();
    let on = snapshot(&app).await;
    let notes = decrypted(&app, &on, &mut HashMap::new()).await.unwrap();
    on.rollback().await.unwrap();
    let seen = view(&app, &who).await;
    let line = seen.coverage.iter().find(|line| line.data == "Notes").unwrap();
    assert_eq!(line.items, 301);
    assert_eq!((line.items, line.items - line.current), (notes.0.unsigned_abs(), notes.1.unsigned_abs()));
    assert!(seen.coverage.iter().any(|line| line.current < line.items), "{:?}", seen.coverage);
    app.services.encryption.resume_job(&who).await.unwrap();
    assert_eq!(job_ended(&app, &who).await.state, JobState::Complete);
    assert!(view(&app, &who).await.coverage.iter().all(|line| line.items == line.current));
    app.stop().await;
}

async fn what_is_set_aside_stays_uncounted(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    Filled::new(&app, &who, "Claims triage", 5, &[100]).await;
    tamper(
        &app,
        "UPDATE notes SET text_sealed = (SELECT text_sealed FROM notes ORDER BY created_at, id LIMIT 1) \
         WHERE id = (SELECT id FROM notes ORDER BY created_at DESC, id DESC LIMIT 1)",
    )
    .await;
    let before = view(&app, &who).await;
    assert!(before.coverage.iter().all(|line| line.items == line.current), "the provider key is the only one so far");
    let arn = activate(&app, &who).await;
    let notes = |seen: &app::model::encryption::DataEncryption| {
        let line = seen.coverage.iter().find(|line| line.data == "Notes").unwrap();
        (line.items, line.current)
    };
    assert_eq!(notes(&view(&app, &who).await), (5, 4));
    app.services.encryption.delete_key(&who, &arn).await.unwrap();
    job_ended(&app, &who).await;
    assert_eq!(notes(&view(&app, &who).await), (5, 4), "it is still under the key that two roots have wrapped");
    app.stop().await;
}

async fn the_speed_is_that_of_the_last_job_that_took_long_enough(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    Filled::new(&app, &who, "Claims triage", 5, &[100]).await;
    assert_eq!(view(&app, &who).await.speed.measured, None);
    let arn = activate(&app, &who).await;
    assert_eq!(view(&app, &who).await.speed.measured, None, "so short a job says nothing");
    // As if that job had rewritten 40,000 notes in ten seconds, with a pause of an hour.
    let job = job::Entity::find().filter(job::Column::ToArn.eq(&arn)).one(app.services.store.read()).await.unwrap();
    let began = job.unwrap().control_at.unwrap();
    for change in [
        "DELETE FROM job_marks".to_owned(),
        "UPDATE job_items SET items_done = 0, bytes_done = 0".to_owned(),
        "UPDATE job_items SET items_done = 40000, items_total = 40000 WHERE kind = 'notes'".to_owned(),
        format!("UPDATE jobs SET finished_at = {}", began + 3_600_000),
        format!("INSERT INTO job_marks SELECT id, {}, 1000, 1000 FROM jobs", began + 1_000),
        format!("INSERT INTO job_marks SELECT id, {}, 20000, 1000 FROM jobs", began + 5_000),
        format!("INSERT INTO job_marks SELECT id, {}, 40000, 1000 FROM jobs", began + 3_595_000),
    ] {
        tamper(&app, &change).await;
    }
    let speed = view(&app, &who).await.speed;
    let measured = speed.measured.expect("a measured speed");
    assert_eq!((measured.records, measured.files, measured.seconds), (40_000, 0, 10));
    assert_eq!((speed.records, speed.files), (4_000, 200), "twice as fast as is assumed");
    let amount = Amount { records: 4_000 * 600, files: 0, bytes: 0 };
    assert_eq!(speed.estimate(amount, 0), "About 10 minutes.");
    app.stop().await;
}
