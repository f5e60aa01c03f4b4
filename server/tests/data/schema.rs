//! The real schema, read back from the database: no byte column escapes the rules for sealed data, and nothing is stored that
//! is neither sealed nor listed, with the reason, as not sealed.

use crate::{
    on_both_databases,
    steps::rows,
    support::{Database, TestApp},
};
use sea_orm::DbBackend;
use server::store::{
    not_sealed,
    sealed_tables::{self, SEALED_TABLES},
};
use std::collections::BTreeSet;

/// Byte columns that are not customer data, each with the reason.
const NOT_CUSTOMER_DATA: [(&str, &str, &str); 7] = [
    ("sessions", "id_hash", "a hash of a random session id"),
    ("data_keys", "wrapped", "a data key, which only the root key opens"),
    ("data_keys", "check_value", "derived from a data key under a label of its own, to recognize it"),
    ("audit_entries", "hash", "over an entry of the audit log, which holds ids and words, and over the one before"),
    ("audit_head", "hash", "the same, of the last entry"),
    ("audit_heads", "hash", "the same, of an entry whose hash was signed"),
    ("audit_heads", "wrapped", "such a hash, wrapped by the provider key"),
];

on_both_databases!(
    every_byte_column_is_sealed_or_listed,
    every_table_is_sealed_or_listed_as_not_sealed,
    every_column_beside_sealed_ones_is_listed,
    every_sealed_table_names_its_data_key,
);

/// Table and column of every column that holds bytes.
async fn byte_columns(app: &TestApp) -> Vec<(String, String)> {
    let sql = match app.services.store.backend() {
        DbBackend::Postgres => {
            "SELECT table_name::text AS t, column_name::text AS c FROM information_schema.columns \
             WHERE table_schema = 'public' AND data_type = 'bytea' ORDER BY 1, 2"
        }
        _ => {
            "SELECT m.name AS t, c.name AS c FROM sqlite_schema m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND lower(c.type) LIKE '%blob%' ORDER BY 1, 2"
        }
    };
    let found = rows(app, sql).await;
    found.iter().map(|row| (row.try_get("", "t").unwrap(), row.try_get("", "c").unwrap())).collect()
}

async fn every_byte_column_is_sealed_or_listed(database: Database) {
    let app = TestApp::start(database).await;
    let found = byte_columns(&app).await;
    let mut expected: Vec<(String, String)> = NOT_CUSTOMER_DATA.map(|(t, c, _)| (t.to_owned(), c.to_owned())).into();
    for table in &SEALED_TABLES {
        expected.extend(table.columns.iter().map(|column| (table.name.to_owned(), (*column).to_owned())));
    }
    expected.sort();
    assert_eq!(found, expected, "a byte column is neither sealed nor listed as not customer data");
    assert!(SEALED_TABLES.iter().flat_map(|table| table.columns).all(|column| column.ends_with("_sealed")));
    app.stop().await;
}

async fn every_table_is_sealed_or_listed_as_not_sealed(database: Database) {
    let app = TestApp::start(database).await;
    let sql = match app.services.store.backend() {
        DbBackend::Postgres => {
            "SELECT table_name::text AS t FROM information_schema.tables \
             WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        }
        _ => "SELECT name AS t FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    };
    let found: BTreeSet<String> = rows(&app, sql).await.iter().map(|row| row.try_get("", "t").unwrap()).collect();
    let listed: Vec<&str> = sealed_tables::names().chain(not_sealed::tables()).collect();
    let expected: BTreeSet<String> = listed.iter().map(|table| (*table).to_owned()).collect();
    assert_eq!(found, expected, "a table is neither in SEALED_TABLES nor, with a reason, in NOT_SEALED");
    assert_eq!(listed.len(), expected.len(), "a table is listed twice");
    app.stop().await;
}

async fn every_column_beside_sealed_ones_is_listed(database: Database) {
    let app = TestApp::start(database).await;
    let mut used = BTreeSet::new();
    for table in sealed_tables::names() {
        let sql = match app.services.store.backend() {
            DbBackend::Postgres => format!(
                "SELECT column_name::text AS c FROM information_schema.columns \
                 WHERE table_schema = 'public' AND table_name = '{table}'"
            ),
            _ => format!("SELECT name AS c FROM pragma_table_info('{table}')"),
        };
        let sealed = SEALED_TABLES.iter().find(|sealed| sealed.name == table).map_or(&[][..], |table| table.columns);
        for row in rows(&app, &sql).await {
            let column: String = row.try_get("", "c").unwrap();
            let is_listed = not_sealed::columns().any(|plain| plain == column);
            assert!(
                is_listed != sealed.contains(&column.as_str()),
                "{table}.{column} is sealed and listed, or neither"
            );
            used.insert(column);
        }
    }
    assert!(not_sealed::columns().all(|column| used.contains(column)), "a column is listed that no table has");
    app.stop().await;
}

async fn every_sealed_table_names_its_data_key(database: Database) {
    let app = TestApp::start(database).await;
    let sql = match app.services.store.backend() {
        DbBackend::Postgres => {
            "SELECT conrelid::regclass::text AS t FROM pg_constraint \
             WHERE contype = 'f' AND confrelid = 'data_keys'::regclass AND confdeltype = 'r' \
             AND array_length(conkey, 1) = 2 ORDER BY 1"
        }
        _ => {
            "SELECT m.name AS t FROM sqlite_schema m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table' \
             AND f.\"table\" = 'data_keys' AND f.on_delete = 'RESTRICT' GROUP BY m.name HAVING count(*) = 2 ORDER BY 1"
        }
    };
    let found: Vec<String> = rows(&app, sql).await.iter().map(|row| row.try_get("", "t").unwrap()).collect();
    let mut expected: Vec<String> = SEALED_TABLES.iter().map(|table| table.name.to_owned()).collect();
    expected.extend(["objects".to_owned(), "object_notes".to_owned()]);
    expected.sort();
    assert_eq!(found, expected);
    for table in expected.iter().filter(|table| *table != "object_notes") {
        rows(&app, &format!("SELECT id, scope, data_key_id, rev FROM {table}")).await;
    }
    app.stop().await;
}
