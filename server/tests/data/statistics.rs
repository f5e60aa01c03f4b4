//! What a job reads of a large table on `PostgreSQL`, whatever the database knows of it: its statistics are of some time before,
//! and right after an earlier job they do not know the data keys that the rows are under now.

use crate::{
    steps::{rows, tamper},
    support::{Database, TestApp},
};
use app::ports::EncryptionPort;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait};
use server::{
    jobs::queue,
    services::ids::new_id,
    store::{entities::note, house, sealed_tables::next_rows},
};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;
use vault::{DataKey, Place, Scope};

/// So many that looking each row up is cheaper for the database than reading the whole table.
const NOTES: i64 = 30_000;
/// How often a job may look at a row: to count, to find, to lock and to change it. Going through all rows for each statement
/// makes it more than forty times.
const LOOKS: i64 = 20;

/// A workspace and its data key.
struct Home {
    workspace: Uuid,
    key: Arc<DataKey>,
}

async fn home(app: &TestApp) -> Home {
    let workspace: Uuid = app.workspace().await.parse().unwrap();
    let key = house::current_key(app.services.store.read(), Scope::Workspace(workspace)).await.unwrap().unwrap();
    Home { workspace, key: app.services.encryption.keys.key(key).await.unwrap() }
}

async fn add_notes(app: &TestApp, home: &Home, count: usize) {
    let vault = &app.services.vault;
    let scope = Scope::Workspace(home.workspace);
    let sealed = || {
        let id = new_id(vault).unwrap();
        let place = Place { deployment: vault.deployment(), scope, table: "notes", id, column: "text_sealed" };
        let text_sealed = vault::seal(&home.key, &place, &[b'n'; 512], vault.entropy()).unwrap();
        let (data_key_id, now) = (home.key.id().0, vault.clock().wall_ms());
        let row = note::Model {
            id,
            scope: home.workspace,
            data_key_id,
            rev: 1,
            text_sealed,
            author_id: None,
            created_at: now,
            updated_at: now,
        };
        note::ActiveModel::from(row)
    };
    let notes = (0..count).map(|_| sealed());
    note::Entity::insert_many(notes).exec_without_returning(app.services.store.write()).await.unwrap();
}

/// How many rows of the table have been changed, and how many looked at, as the database counts it: after a while.
async fn counted(app: &TestApp) -> (i64, i64) {
    let sql = "SELECT n_tup_upd AS changed, seq_tup_read + (SELECT SUM(idx_tup_read)::bigint FROM pg_stat_user_indexes \
               WHERE relname = 'notes') AS looked_at FROM pg_stat_user_tables WHERE relname = 'notes'";
    let row = &rows(app, sql).await[0];
    (row.try_get("", "changed").unwrap(), row.try_get("", "looked_at").unwrap())
}

/// Waits until every note has been changed so many times and no job is left. The page, which counts everything, is not asked.
async fn until_changed(app: &TestApp, times: i64) -> i64 {
    for _ in 0..2_400 {
        let (changed, looked_at) = counted(app).await;
        let job = queue::unfinished(app.services.store.read()).await.unwrap();
        if changed >= times * NOTES && job.is_none() {
            return looked_at;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{:?}", counted(app).await);
}

#[tokio::test]
async fn a_job_right_after_another_looks_at_each_row_a_few_times() {
    let app = TestApp::start(Database::Postgres).await;
    let who = app.administrator().await;
    // As if nobody came by to look at the table again.
    tamper(&app, "ALTER TABLE notes SET (autovacuum_enabled = false)").await;
    let home = home(&app).await;
    for _ in 0..NOTES / 500 {
        add_notes(&app, &home, 500).await;
    }
    tamper(&app, "ANALYZE notes").await;
    let arn = app.keys.create().await;
    app.services.encryption.activate(&who, &arn).await.unwrap();
    let first = until_changed(&app, 1).await;
    app.services.encryption.delete_key(&who, &arn).await.unwrap();
    let second = until_changed(&app, 2).await - first;
    assert!(second <= LOOKS * NOTES, "{second} looks at {NOTES} rows; {first} of the first job");
    app.stop().await;
}

/// Reads the plan of the next rows under a key.
async fn plan(app: &TestApp, key: Uuid) -> String {
    let mut statement = next_rows(DbBackend::Postgres, "notes", "id, rev, text_sealed", key, Uuid::nil(), 4_096);
    statement.sql.insert_str(0, "EXPLAIN ");
    let lines = app.services.store.read().query_all_raw(statement).await.unwrap();
    let lines: Vec<String> = lines.iter().map(|line| line.try_get_by_index(0).unwrap()).collect();
    lines.join("\n")
}

async fn reads_along_the_index(app: &TestApp, key: Uuid, which: &str) {
    let plan = plan(app, key).await;
    let along =
        plan.contains("Index Scan using notes_by_data_key on notes") && plan.contains("ROW(data_key_id, id) > ROW(");
    assert!(along && !plan.contains("Sort"), "{which}:\n{plan}");
}

#[tokio::test]
async fn a_job_reads_only_the_rows_under_its_key() {
    let app = TestApp::start(Database::Postgres).await;
    app.administrator().await;
    tamper(&app, "ALTER TABLE notes SET (autovacuum_enabled = false)").await;
    // In this order, as the ids of their keys are.
    let [older, large, newer] = [home(&app).await, home(&app).await, home(&app).await];
    reads_along_the_index(&app, large.key.id().0, "no statistics").await;
    add_notes(&app, &large, 500).await;
    tamper(&app, "ANALYZE notes").await;
    reads_along_the_index(&app, large.key.id().0, "all rows are under it").await;
    reads_along_the_index(&app, newer.key.id().0, "no row is expected under it").await;
    // Between each other, so that the rows of no key lie together.
    for _ in 0..60 {
        add_notes(&app, &large, 250).await;
        add_notes(&app, &older, 240).await;
        add_notes(&app, &newer, 10).await;
    }
    tamper(&app, "ANALYZE notes").await;
    for (home, which) in [(&older, "the older"), (&large, "the large"), (&newer, "the newer")] {
        reads_along_the_index(&app, home.key.id().0, which).await;
    }
    app.stop().await;
}
