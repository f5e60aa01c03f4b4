//! What a job reads of a large table on `PostgreSQL`, whatever the database knows of it: its statistics are of some time before,
//! and right after an earlier job they do not know the data keys that the rows are under now.

use crate::{
    steps::{rows, tamper},
    support::{
        Database, TestApp,
        notes::{add_notes, workspace},
    },
};
use app::ports::EncryptionPort;
use sea_orm::{ConnectionTrait, DbBackend};
use server::{jobs::queue, store::sealed_tables::next_rows};
use std::time::Duration;
use uuid::Uuid;

/// So many that looking each row up is cheaper for the database than reading the whole table.
const NOTES: u16 = 30_000;
/// How often a job may look at a row: to count, to find, to lock and to change it. Going through all rows for each statement
/// makes it more than forty times.
const LOOKS: i64 = 20;

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
        if changed >= times * i64::from(NOTES) && job.is_none() {
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
    let workspace = workspace(&app).await;
    add_notes(&app.services, &workspace, NOTES.into()).await;
    tamper(&app, "ANALYZE notes").await;
    let arn = app.keys.create().await;
    app.services.encryption.activate(&who, &arn).await.unwrap();
    let first = until_changed(&app, 1).await;
    app.services.encryption.delete_key(&who, &arn).await.unwrap();
    let second = until_changed(&app, 2).await - first;
    assert!(second <= LOOKS * i64::from(NOTES), "{second} looks at {NOTES} rows; {first} of the first job");
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
    let [older, large, newer] = [workspace(&app).await, workspace(&app).await, workspace(&app).await];
    reads_along_the_index(&app, large.key.id().0, "no statistics").await;
    add_notes(&app.services, &large, 500).await;
    tamper(&app, "ANALYZE notes").await;
    reads_along_the_index(&app, large.key.id().0, "all rows are under it").await;
    reads_along_the_index(&app, newer.key.id().0, "no row is expected under it").await;
    // Between each other, so that the rows of no key lie together.
    for _ in 0..60 {
        add_notes(&app.services, &large, 250).await;
        add_notes(&app.services, &older, 240).await;
        add_notes(&app.services, &newer, 10).await;
    }
    tamper(&app, "ANALYZE notes").await;
    for (workspace, which) in [(&older, "the older"), (&large, "the large"), (&newer, "the newer")] {
        reads_along_the_index(&app, workspace.key.id().0, which).await;
    }
    app.stop().await;
}
