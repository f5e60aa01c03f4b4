//! The files of `SQLite` after a change of key: nothing in them is of before.

use crate::{
    steps::{activate, rows, texts, view},
    support::{Database, TestApp},
};
use app::{
    model::workspace::Saved,
    ports::{Principal, WorkspacesPort},
};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement, TransactionTrait};
use server::store::{
    Store,
    entities::{data_key, job, note},
    unused_space,
};
use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// The bytes at the end of a sealed value by which it is known: its tag.
const TAIL: usize = 16;

/// Notes of all lengths that come and go and change, so that pages are split, merged and built anew.
async fn churn(app: &TestApp, who: &Principal, workspace: &str) {
    let notes = &app.services.workspaces;
    let mut kept = Vec::new();
    for n in 0..400_usize {
        let made = notes.create_note(who, workspace, &"n".repeat(1 + n * 7_919 % 1_500)).await.unwrap();
        kept.push(made);
        if n % 3 == 0 {
            let note = kept.swap_remove(n * 31 % kept.len());
            let text = "u".repeat(1 + n * 6_007 % 1_200);
            let saved = notes.update_note(who, workspace, &note.id, note.rev, &text).await.unwrap();
            let Saved::Stored(saved) = saved else { panic!("{saved:?}") };
            kept.push(saved);
        }
        if n % 5 == 0 {
            let note = kept.swap_remove(n * 17 % kept.len());
            notes.delete_note(who, workspace, &note.id).await.unwrap();
        }
    }
}

async fn pages_with_leftovers(app: &TestApp) -> Vec<u32> {
    let pages = unused_space::pages(app.services.store.read()).await.unwrap();
    unused_space::not_zero(app.services.store.read(), 1..=pages).await.unwrap()
}

/// The ends of all that is wrapped or sealed now.
async fn tails(app: &TestApp) -> HashSet<Vec<u8>> {
    let on = app.services.store.read();
    let keys = data_key::Entity::find().all(on).await.unwrap().into_iter().map(|key| key.wrapped);
    let notes = note::Entity::find().all(on).await.unwrap().into_iter().map(|note| note.text_sealed);
    keys.chain(notes).map(|bytes| bytes[bytes.len() - TAIL..].to_vec()).collect()
}

async fn database_file(app: &TestApp) -> PathBuf {
    rows(app, "PRAGMA database_list").await[0].try_get::<String>("", "file").unwrap().into()
}

/// How many of these are in the file.
fn found(file: &Path, tails: &HashSet<Vec<u8>>) -> usize {
    fs::read(file).unwrap_or_default().windows(TAIL).filter(|window| tails.contains(*window)).count()
}

async fn until_cleaned(app: &TestApp) {
    for n in 0.. {
        let jobs = job::Entity::find().all(app.services.store.read()).await.unwrap();
        if jobs.iter().all(|job| job.files_cleaned_at.is_some()) {
            return;
        }
        assert!(n < 1_500, "the files were not cleaned: {jobs:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_database_leaves_in_its_pages_is_overwritten_after_a_change_of_key() {
    let app = TestApp::start(Database::Sqlite).await;
    let who = app.administrator().await;
    let workspace = app.workspace().await;
    churn(&app, &who, &workspace).await;
    let (old, file) = (tails(&app).await, database_file(&app).await);
    let leftovers = pages_with_leftovers(&app).await;
    assert!(!leftovers.is_empty(), "the database leaves nothing behind by itself, so this shows nothing");
    app.services.store.truncate_log().await.unwrap();
    assert!(found(&file, &old) >= old.len(), "what is there is found");

    // Others go on writing while everything is re-encrypted and cleaned.
    let elsewhere = app.workspace().await;
    let (_, ()) = tokio::join!(activate(&app, &who), churn(&app, &who, &elsewhere));
    until_cleaned(&app).await;
    let log = file.with_extension("db-wal");
    assert_eq!((found(&file, &old), found(&log, &old)), (0, 0));
    let said: String = rows(&app, "PRAGMA integrity_check").await[0].try_get_by_index(0).unwrap();
    assert_eq!(said, "ok");
    let job = view(&app, &who).await.job.unwrap().id;
    let report = serde_json::to_value(app.services.encryption.report(&who, &job).await.unwrap()).unwrap();
    assert!(report["database_files_cleaned_at"].is_string(), "{report}");
    let read = texts(&app, &who, &workspace).await;
    assert_eq!(read.len(), old.len() - 2, "every note opens; the rest are the two data keys");
}

/// Marks what is to be gone.
const OLD: &[u8] = b"of-before";

/// A table of its own, in which rows of all lengths come, change and go in the order of numbers that look like chance.
struct Rows {
    store: Store,
    at: u64,
}

impl Rows {
    fn next(&mut self, below: u64) -> u64 {
        self.at = self.at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.at >> 33) % below
    }

    async fn run(&self, sql: &str, values: Vec<sea_orm::Value>) {
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, values);
        self.store.write().execute_raw(statement).await.unwrap();
    }

    /// A value of some length, full of a mark.
    fn value(&mut self, mark: &[u8]) -> sea_orm::Value {
        let repeats = 2 + usize::try_from(self.next(100)).unwrap();
        mark.repeat(repeats).into()
    }

    async fn churn(&mut self, steps: u64, mark: &[u8]) {
        for _ in 0..steps {
            let (id, value) = (self.next(1 << 20).into(), self.value(mark));
            self.run("INSERT OR REPLACE INTO rows (id, value) VALUES (?1, ?2)", vec![id, value]).await;
            let (some, value, gone) = (self.next(1 << 20), self.value(mark), self.next(1 << 20));
            let near = "(SELECT id FROM rows WHERE id >= ?1 ORDER BY id LIMIT 1)";
            self.run(&format!("UPDATE rows SET value = ?2 WHERE id = {near}"), vec![some.into(), value]).await;
            if gone % 3 == 0 {
                self.run(&format!("DELETE FROM rows WHERE id = {near}"), vec![gone.into()]).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moves_to_another_page_meanwhile_is_overwritten_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.db");
    let store = Store::connect(&format!("sqlite://{}?mode=rwc", file.display())).await.unwrap();
    let mut rows = Rows { store: store.clone(), at: 4_711 };
    rows.run("CREATE TABLE rows (id BIGINT PRIMARY KEY, value BLOB) WITHOUT ROWID", vec![]).await;
    rows.churn(1_500, OLD).await;
    rows.run("UPDATE rows SET value = zeroblob(length(value))", vec![]).await;
    assert!(store.truncate_log().await.unwrap());
    let left = |file: &Path| fs::read(file).unwrap().windows(OLD.len()).filter(|window| *window == OLD).count();
    assert!(left(&file) > 0, "no row has it any more, and the file still does");

    // As it is in use: with something in the log that has been brought over, and something that has not.
    rows.churn(50, b"of-after").await;
    store.checkpoint().await.unwrap();
    rows.churn(50, b"of-after").await;
    let moment = store.read().begin().await.unwrap();
    let pages = unused_space::pages(&moment).await.unwrap();
    let found = unused_space::not_zero(&moment, 1..=pages).await.unwrap();
    rows.churn(800, b"of-after").await;
    let log = unused_space::log_of(store.read()).await.unwrap().unwrap();
    unused_space::overwrite_all_since(&store, moment, found, log.clone()).await.unwrap();
    assert!(store.truncate_log().await.unwrap());
    assert_eq!((left(&file), fs::metadata(log).unwrap().len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_pages_cannot_be_told_apart_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("made-elsewhere.db").display());
    let made = sea_orm::Database::connect(&url).await.unwrap();
    for sql in ["PRAGMA auto_vacuum = FULL", "VACUUM", "CREATE TABLE anything (at INTEGER)"] {
        sea_orm::ConnectionTrait::execute_unprepared(&made, sql).await.unwrap();
    }
    made.close().await.unwrap();
    let store = server::store::Store::connect(&url).await.unwrap();
    let refused = unused_space::overwrite(&store, &[1, 2, 3]).await.unwrap_err().to_string();
    assert!(refused.contains("auto_vacuum"), "{refused}");
}
