//! The audit log at a million entries: verifying all of it, its pages with every kind of filter, and appending one more, on
//! both databases. `AUDIT_ENTRIES=100000` makes it so much shorter.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a benchmark may panic, prints rounded figures, and measures real time"
)]

#[path = "../../tests/support/mod.rs"]
mod support;

use app::{
    model::audit::{Action, AuditFilter, Outcome},
    ports::AuditPort,
};
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel};
use server::{
    services::audit::{Audit, Entry, chain, read::PAGE, verify::Verifier},
    store::{
        Store,
        entities::{audit_entry, audit_head, audit_signed},
    },
};
use std::{
    env,
    time::{Duration, Instant},
};
use support::{Database, TestApp};
use uuid::Uuid;
use vault::Kms;

const ROWS_AT_ONCE: usize = 1_000;
const USERS: u128 = 500;
/// How often each page is asked for.
const ROUNDS: usize = 30;
const DAY: i64 = 86_400_000;

fn main() {
    let entries = env::var("AUDIT_ENTRIES").map_or(1_000_000, |text| text.parse().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for database in [Database::Sqlite, Database::Postgres] {
        runtime.block_on(measure(database, entries));
    }
}

async fn measure(database: Database, entries: i64) {
    let app = TestApp::start(database).await;
    let store = &app.services.store;
    let began = Instant::now();
    let last = fill(store, entries).await;
    println!("\n{database:?}: {last} entries, written in {:.0} s", began.elapsed().as_secs_f64());
    let began = Instant::now();
    until_signed(store, last).await;
    println!("  followed by a server and signed: {:.1} s", began.elapsed().as_secs_f64());

    let verifier = Verifier {
        store: store.clone(),
        kms: Kms::new(&app.keys.kms),
        deployment: app.services.vault.deployment().clone(),
        keys: vec![app.keys.provider.clone()],
    };
    let began = Instant::now();
    let report = verifier.verify(&[]).await.unwrap();
    assert!(report.is_intact(), "{report:?}");
    println!("  verify all: {:.1} s (at most 10 s are promised at a million)", began.elapsed().as_secs_f64());

    let newest = audit_entry::Entity::find_by_id(last).one(store.read()).await.unwrap().unwrap();
    let user = Uuid::from_u128(7).to_string();
    let day = |at: i64| app::format::machine_time(at)[..10].to_owned();
    let with = |change: &dyn Fn(&mut AuditFilter)| {
        let mut filter = AuditFilter::default();
        change(&mut filter);
        filter
    };
    let failed = Outcome::Failed.word();
    let filters = [
        ("no filter", with(&|_| {})),
        ("a day, long ago", with(&|filter| filter.to = day(newest.at - 20 * DAY))),
        ("a user", with(&|filter| filter.actor.clone_from(&user))),
        ("an e-mail", with(&|filter| "user7@example.com".clone_into(&mut filter.actor))),
        ("an action", with(&|filter| Action::KeyTested.word().clone_into(&mut filter.action))),
        ("an outcome", with(&|filter| failed.clone_into(&mut filter.outcome))),
        (
            "an action and an outcome it never has",
            with(&|filter| {
                Action::SignIn.word().clone_into(&mut filter.action);
                failed.clone_into(&mut filter.outcome);
            }),
        ),
        (
            "a user and an outcome they never have",
            with(&|filter| {
                filter.actor.clone_from(&user);
                failed.clone_into(&mut filter.outcome);
            }),
        ),
        (
            "a user and an action, long ago",
            with(&|filter| {
                filter.actor.clone_from(&user);
                Action::SignIn.word().clone_into(&mut filter.action);
                filter.to = day(newest.at - 20 * DAY);
            }),
        ),
    ];
    let who = app.administrator().await;
    for (name, filter) in filters {
        let mut times = Vec::new();
        let mut found = 0;
        for _ in 0..ROUNDS {
            let began = Instant::now();
            found = app.services.audit_log.page(&who, &filter, None, None).await.unwrap().entries.len();
            times.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
        times.sort_by(f64::total_cmp);
        println!(
            "  page, {name}: {:.1} ms (longest {:.1} ms), {found} of {PAGE}",
            times[ROUNDS / 2],
            times[ROUNDS - 1]
        );
    }
    let began = Instant::now();
    let audit = Audit::of_command(store.clone());
    for _ in 0..200 {
        audit.note(Entry::by_nobody(Action::SignInFailed, Some("192.0.2.1".to_owned()))).await.unwrap();
    }
    println!("  append one entry, with its commit: {:.2} ms", began.elapsed().as_secs_f64() * 1_000.0 / 200.0);
    app.stop().await;
}

/// Waits until the server has followed the log to this entry and signed it.
async fn until_signed(store: &Store, last: i64) {
    while audit_signed::Entity::find_by_id(last).one(store.read()).await.unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Continues the log as a busy organization's: mostly sign-ins, now and then something about keys, over a month.
async fn fill(store: &Store, entries: i64) -> i64 {
    let head = audit_head::Entity::find_by_id(1).one(store.read()).await.unwrap().unwrap();
    let mut previous: [u8; 32] = head.hash.try_into().unwrap();
    let now = server::store::database_now(store.read()).await.unwrap();
    let (first, last) = (head.sequence + 1, head.sequence + entries);
    // Many at once do not ask for their numbers one by one.
    let is_postgres = store.backend() == DbBackend::Postgres;
    let off = if is_postgres {
        "ALTER TABLE audit_entries DISABLE TRIGGER audit_entries_in_order"
    } else {
        "DROP TRIGGER audit_entries_in_order"
    };
    store.write().execute_unprepared(off).await.unwrap();
    let mut sequence = first;
    while sequence <= last {
        let until = last.min(sequence + i64::try_from(ROWS_AT_ONCE).unwrap() - 1);
        let transaction = store.begin().await.unwrap();
        let rows = (sequence..=until).map(|sequence| {
            let row = row(sequence, now - (last - sequence) * 30 * DAY / entries, previous);
            previous = row.hash.as_slice().try_into().unwrap();
            row.into_active_model().reset_all()
        });
        let rows: Vec<_> = rows.collect();
        audit_entry::Entity::insert_many(rows).exec_without_returning(&transaction).await.unwrap();
        transaction.commit().await.unwrap();
        sequence = until + 1;
    }
    let head = audit_head::ActiveModel {
        id: sea_orm::ActiveValue::Unchanged(1),
        sequence: sea_orm::ActiveValue::Set(last),
        hash: sea_orm::ActiveValue::Set(previous.to_vec()),
        // So that it is signed at once.
        urgent: sea_orm::ActiveValue::Set(last),
    };
    head.update(store.write()).await.unwrap();
    if is_postgres {
        store.write().execute_unprepared("ANALYZE audit_entries").await.unwrap();
    }
    last
}

fn row(sequence: i64, at: i64, previous: [u8; 32]) -> audit_entry::Model {
    let number = u128::from(sequence.unsigned_abs());
    let (action, outcome) = match number % 1_000 {
        0 => (Action::KeyTested, Outcome::Failed),
        1..50 => (Action::SignInFailed, Outcome::Refused),
        50..100 => (Action::WorkspaceCreated, Outcome::Succeeded),
        100..500 => (Action::SignOut, Outcome::Succeeded),
        _ => (Action::SignIn, Outcome::Succeeded),
    };
    let user = Uuid::from_u128(number * 7_919 % USERS);
    let mut row = audit_entry::Model {
        sequence,
        at,
        action: action.word().to_owned(),
        outcome: outcome.word().to_owned(),
        operation: None,
        actor: user.to_string(),
        actor_name: Some(format!("User {}", user.as_u128())),
        actor_email: Some(format!("user{}@example.com", user.as_u128())),
        address: Some(format!("192.0.2.{}", number % 250)),
        object_kind: Some("workspace".to_owned()),
        object_id: Some(Uuid::from_u128(number).to_string()),
        detail: None,
        amount: None,
        key_arn: None,
        region: None,
        request_id: None,
        server: Some(Uuid::from_u128(1)),
        hash: Vec::new(),
    };
    row.hash = chain::hash(&previous, &row).to_vec();
    row
}
