//! A deployment of so many workspaces that their data keys do not go into one statement.

use crate::{
    on_both_databases,
    steps::{content, rows, upload},
    support::{
        Database, TestApp,
        notes::{add_notes, workspace},
    },
};
use bytes::Bytes;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use server::store::{
    house,
    objects::written_under,
    sealed_tables::{Counted, OBJECTS, count},
};
use uuid::Uuid;

/// More than either database takes values (`PostgreSQL` 65,535).
const OTHERS: usize = 70_000;
const NOTES: u8 = 10;
const BYTES: u16 = 5_000;

on_both_databases!(what_is_under_a_key_is_found_whatever_comes_before_and_after_it);

async fn what_is_under_a_key_is_found_whatever_comes_before_and_after_it(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let read = app.services.store.read();
    let workspace = workspace(&app).await;
    let (key, name) = (workspace.key.id().0, workspace.id.to_string());
    add_notes(&app.services, &workspace, NOTES.into()).await;
    upload(&app, &who, &name, "whole", &content(BYTES.into())).await;
    let mut half = app.services.files.begin_upload(&who, &name, "half", "text/plain", None).await.unwrap();
    half.write(Bytes::from(content(1 << 20))).await.unwrap();
    let others: Vec<Uuid> = (1..).map(Uuid::from_u128).take(OTHERS).collect();
    for place in [0, OTHERS / 2, OTHERS] {
        let mut keys = others.clone();
        keys.insert(place, key);
        let notes = Counted { items: NOTES.into(), bytes: 0 };
        assert_eq!(count(read, "notes", Some(&keys)).await.unwrap(), notes, "at {place}");
        let objects = Counted { items: 1, bytes: BYTES.into() };
        assert_eq!(count(read, OBJECTS, Some(&keys)).await.unwrap(), objects, "at {place}");
        assert_eq!(written_under(read, &keys).await.unwrap(), 1, "at {place}");
    }
    assert_eq!(count(read, "notes", Some(&others)).await.unwrap(), Counted::default());
    assert_eq!(written_under(read, &others).await.unwrap(), 0);
    half.abort().await;
    takes_the_last(&app, others, key).await;
    app.stop().await;
}

async fn takes_the_last(app: &TestApp, mut keys: Vec<Uuid>, last: Uuid) {
    keys.push(last);
    let transaction = app.services.store.begin().await.unwrap();
    house::take_these_keys(&transaction, &keys).await.unwrap();
    // On SQLite there is one writer, who has everything.
    if app.services.store.backend() == DbBackend::Postgres {
        let id = last.into();
        let sql = "SELECT 1 FROM data_keys WHERE id = $1 FOR KEY SHARE NOWAIT";
        let asked = Statement::from_sql_and_values(DbBackend::Postgres, sql, [id]);
        let refused = app.services.store.write().query_one_raw(asked).await.unwrap_err();
        assert!(refused.to_string().contains("could not obtain lock"), "{refused}");
    }
    transaction.rollback().await.unwrap();
    assert_eq!(rows(app, "SELECT id FROM data_keys").await.len(), 2, "nothing was taken away");
}
