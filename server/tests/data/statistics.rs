//! What a job reads of a large table on `PostgreSQL`, while the database knows the table only as it was before: right after an
//! earlier job no statistics know the data keys that the rows are under now.

use crate::{
    steps::{rows, tamper},
    support::{Database, TestApp},
};
use app::ports::EncryptionPort;
use sea_orm::EntityTrait;
use server::{
    jobs::queue,
    services::ids::new_id,
    store::{entities::note, house},
};
use std::time::Duration;
use uuid::Uuid;
use vault::{DataKey, Place, Scope};

/// So many that looking each row up is cheaper for the database than reading the whole table.
const NOTES: usize = 30_000;
/// How often a job may look at a row: to count, to find, to lock and to change it. Going through all rows for each statement
/// makes it more than forty times.
const LOOKS: i64 = 20;

async fn add_notes(app: &TestApp, workspace: Uuid, key: &DataKey) {
    let vault = &app.services.vault;
    let scope = Scope::Workspace(workspace);
    let sealed = || {
        let id = new_id(vault).unwrap();
        let place = Place { deployment: vault.deployment(), scope, table: "notes", id, column: "text_sealed" };
        let text_sealed = vault::seal(key, &place, &[b'n'; 512], vault.entropy()).unwrap();
        let (data_key_id, now) = (key.id().0, vault.clock().wall_ms());
        let row = note::Model {
            id,
            scope: workspace,
            data_key_id,
            rev: 1,
            text_sealed,
            author_id: None,
            created_at: now,
            updated_at: now,
        };
        note::ActiveModel::from(row)
    };
    for _ in 0..NOTES / 500 {
        let some = (0..500).map(|_| sealed());
        note::Entity::insert_many(some).exec_without_returning(app.services.store.write()).await.unwrap();
    }
}

/// How many rows of the table have been changed, and how many looked at, as the database counts it: after a while.
async fn counted(app: &TestApp) -> (i64, i64) {
    let sql = "SELECT n_tup_upd AS changed, seq_tup_read + (SELECT SUM(idx_tup_read)::bigint FROM pg_stat_user_indexes \
               WHERE relname = 'notes') AS looked_at FROM pg_stat_user_tables WHERE relname = 'notes'";
    let row = &rows(app, sql).await[0];
    (row.try_get("", "changed").unwrap(), row.try_get("", "looked_at").unwrap())
}

/// Waits until every note has been changed so many times and no job is left. The page, which counts everything, is not asked.
async fn until_changed(app: &TestApp, times: usize) -> i64 {
    for _ in 0..600 {
        let (changed, looked_at) = counted(app).await;
        let job = queue::unfinished(app.services.store.read()).await.unwrap();
        if changed >= (times * NOTES) as i64 && job.is_none() {
            return looked_at;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{:?}", counted(app).await);
}

#[tokio::test]
async fn a_job_right_after_another_looks_at_no_row_more_often() {
    let app = TestApp::start(Database::Postgres).await;
    let who = app.administrator().await;
    let workspace: Uuid = app.workspace().await.parse().unwrap();
    let key = house::current_key(app.services.store.read(), Scope::Workspace(workspace)).await.unwrap().unwrap();
    add_notes(&app, workspace, &app.services.encryption.keys.key(key).await.unwrap()).await;
    // As if nobody had come by yet to look at the table again.
    tamper(&app, "ALTER TABLE notes SET (autovacuum_enabled = false)").await;
    tamper(&app, "ANALYZE notes").await;
    let arn = app.keys.create().await;
    app.services.encryption.activate(&who, &arn).await.unwrap();
    let first = until_changed(&app, 1).await;
    app.services.encryption.delete_key(&who, &arn).await.unwrap();
    let second = until_changed(&app, 2).await - first;
    assert!(second <= LOOKS * NOTES as i64, "{second} looks at {NOTES} rows; {first} of the first job");
    app.stop().await;
}
