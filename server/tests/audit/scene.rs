//! What these tests share.

use crate::support::TestApp;
use app::{
    model::audit::{AuditEntry, AuditFilter, AuditPage},
    ports::AuditPort,
};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryOrder};
use server::{
    services::audit::{
        Action, Audit, Entry,
        verify::{Outside, Report, Verifier},
    },
    store::{Store, entities::audit_entry},
};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use vault::Kms;

/// Every entry, in the order of the log.
pub async fn all(store: &Store) -> Vec<audit_entry::Model> {
    audit_entry::Entity::find().order_by_asc(audit_entry::Column::Sequence).all(store.read()).await.unwrap()
}

/// Action and outcome of each entry of these actions.
pub async fn told(store: &Store, actions: &[&str]) -> Vec<(String, String)> {
    let entries = all(store).await.into_iter();
    let entries = entries.filter(|entry| actions.contains(&entry.action.as_str()));
    entries.map(|entry| (entry.action, entry.outcome)).collect()
}

/// Pairs as [`told`] gives them.
pub fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(action, outcome)| ((*action).to_owned(), (*outcome).to_owned())).collect()
}

/// Waits until the log says so much of these actions.
pub async fn until_told(store: &Store, actions: &[&str], expected: &[(&str, &str)]) {
    let until = Instant::now() + Duration::from_secs(40);
    loop {
        let seen = told(store, actions).await;
        if seen == pairs(expected) {
            return;
        }
        assert!(Instant::now() < until, "the log says {seen:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Appends so many entries.
pub async fn fill(store: &Store, count: usize) {
    let audit = Audit::of_command(store.clone());
    for n in 0..count {
        let entry = Entry::by_nobody(Action::SignInFailed, Some(format!("192.0.2.{}", n % 250)));
        audit.note(entry.amount(n as u64)).await.unwrap();
    }
}

pub fn verifier(app: &TestApp) -> Verifier {
    Verifier {
        store: app.services.store.clone(),
        kms: Kms::new(&app.keys.kms),
        deployment: app.services.vault.deployment().clone(),
        keys: vec![app.keys.provider.clone()],
    }
}

pub async fn verify(app: &TestApp, outside: &[Outside]) -> Report {
    verifier(app).verify(outside).await.unwrap()
}

/// What somebody does who may do anything with the database: takes the triggers away first, and puts them back.
pub async fn attack(store: &Store, statements: &[String]) {
    let on = store.write();
    let is_postgres = store.backend() == DbBackend::Postgres;
    let drop = if is_postgres {
        vec![
            "ALTER TABLE audit_entries DISABLE TRIGGER ALL".to_owned(),
            "ALTER TABLE audit_heads DISABLE TRIGGER ALL".to_owned(),
            "ALTER TABLE audit_head DISABLE TRIGGER ALL".to_owned(),
        ]
    } else {
        let triggers = on
            .query_all_raw(sea_orm::Statement::from_string(
                DbBackend::Sqlite,
                "SELECT name FROM sqlite_schema WHERE type = 'trigger'",
            ))
            .await
            .unwrap();
        triggers.iter().map(|row| format!("DROP TRIGGER {}", row.try_get::<String>("", "name").unwrap())).collect()
    };
    for statement in drop.iter().chain(statements) {
        on.execute_unprepared(statement).await.unwrap();
    }
}

/// Whether the database refuses a statement, and says why.
pub async fn refuses(store: &Store, statement: &str) -> bool {
    let refused: Result<_, DbErr> = store.write().execute_unprepared(statement).await;
    refused.is_err_and(|error| error.to_string().contains("append-only"))
}

/// A page as an administrator sees it.
pub async fn page(app: &TestApp, filter: &AuditFilter, older: Option<&str>, newer: Option<&str>) -> AuditPage {
    let who = app.administrator().await;
    app.services.audit_log.page(&who, filter, older, newer).await.unwrap()
}

pub fn sequences(entries: &[AuditEntry]) -> Vec<i64> {
    entries.iter().map(|entry| entry.sequence).collect()
}

/// Waits until the head is signed that the log has now, or a later one.
pub async fn until_signed(app: &TestApp) -> i64 {
    let last = all(&app.services.store).await.last().map_or(0, |entry| entry.sequence);
    let until = Instant::now() + Duration::from_secs(90);
    loop {
        if let Some(head) = page(app, &AuditFilter::default(), None, None).await.signed
            && head.sequence >= last
        {
            return head.sequence;
        }
        assert!(Instant::now() < until, "the head was not signed");
        sleep(Duration::from_millis(200)).await;
    }
}
