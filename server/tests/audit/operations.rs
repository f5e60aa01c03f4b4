//! Operations that were opened are closed, whatever becomes of who opened them.

use crate::{
    on_both_databases,
    scene::{all, told, until_told},
    support::{Database, Ground, TestApp, program::Program},
};
use sea_orm::{ConnectionTrait, EntityTrait};
use server::{
    services::audit::{Action, Audit, Entry, Outcome},
    store::{Store, entities::audit_open},
};
use std::time::Duration;
use uuid::Uuid;

on_both_databases!(
    an_operation_that_is_dropped_closes_itself,
    an_operation_of_a_server_that_died_is_abandoned,
    an_operation_that_goes_on_is_left_alone,
    what_was_taken_for_abandoned_ends_with_its_job_all_the_same,
    what_is_closed_is_not_closed_again,
);

async fn an_operation_that_is_dropped_closes_itself(database: Database) {
    let app = TestApp::start(database).await;
    let audit = &app.services.audit;
    let open = audit.open(Uuid::from_u128(1), Entry::by_system(Action::KeyTested)).await.unwrap();
    drop(open);
    until_told(&app.services.store, &["key_tested"], &[("key_tested", "opened"), ("key_tested", "failed")]).await;
    let entries = all(&app.services.store).await;
    assert_eq!(entries.last().unwrap().detail.as_deref(), Some("cut"));
    assert!(audit_open::Entity::find().all(app.services.store.read()).await.unwrap().is_empty());
    app.stop().await;
}

/// The program is killed between the two entries of an activation; another one closes what it has left.
async fn an_operation_of_a_server_that_died_is_abandoned(database: Database) {
    let ground = Ground::new(database).await;
    let crash = [("KEYSTEAD_CRASH_AT", "audit.opened"), ("KEYSTEAD_OBJECTS", "file:objects")];
    let one = Program::start_on(&ground, "one", &crash).await;
    let mut browser = one.signed_in().await;
    let arn = ground.keys.create().await;
    // It dies over this.
    let form = browser.form("/api/activate_key", &[("arn", &arn)]);
    form.send().await.unwrap_err();
    let store = Store::connect(&ground.url).await.unwrap();
    assert_eq!(told(&store, &["key_activation"]).await.len(), 1);
    let two = Program::start_on(&ground, "two", &[("KEYSTEAD_OBJECTS", "file:objects")]).await;
    browser = two.signed_in().await;
    let expected = [("key_activation", "opened"), ("key_activation", "abandoned")];
    until_told(&store, &["key_activation"], &expected).await;
    let entries: Vec<_> = all(&store).await.into_iter().filter(|entry| entry.action == "key_activation").collect();
    assert_eq!((&entries[0].actor, entries[0].operation), (&entries[1].actor, entries[1].operation));
    assert_ne!(entries[0].server, entries[1].server);
    assert!(browser.cookie.is_some());
    store.close().await.unwrap();
    drop((one, two));
    ground.remove().await;
}

async fn an_operation_that_goes_on_is_left_alone(database: Database) {
    let app = TestApp::start(database).await;
    let audit = &app.services.audit;
    let open = audit.open(Uuid::from_u128(1), Entry::by_system(Action::KeyTested)).await.unwrap();
    open.goes_on().await.unwrap();
    // Long enough for the server to look several times.
    tokio::time::sleep(Duration::from_secs(12)).await;
    assert_eq!(told(&app.services.store, &["key_tested"]).await.len(), 1);
    open.close(Outcome::Succeeded).await.unwrap();
    assert_eq!(audit.close_abandoned().await.unwrap(), 0);
    app.stop().await;
}

/// Its time is over, as another server sees it.
async fn is_taken_for_abandoned(app: &TestApp) {
    let expire = "UPDATE audit_open SET expires_at = 0";
    app.services.store.write().execute_unprepared(expire).await.unwrap();
    // The server may be first.
    app.services.audit.close_abandoned().await.unwrap();
    until_told(&app.services.store, &["key_tested"], &[("key_tested", "opened"), ("key_tested", "abandoned")]).await;
}

async fn what_was_taken_for_abandoned_ends_with_its_job_all_the_same(database: Database) {
    let app = TestApp::start(database).await;
    let open = app.services.audit.open(Uuid::from_u128(1), Entry::by_system(Action::KeyTested)).await.unwrap();
    is_taken_for_abandoned(&app).await;
    let (job, transaction) = (Uuid::from_u128(2), app.services.store.begin().await.unwrap());
    open.leave_to(&transaction, job).await.unwrap();
    Audit::close_for_job(&transaction, job, Outcome::Succeeded, |entry| entry).await.unwrap();
    transaction.commit().await.unwrap();
    let expected = [("key_tested", "opened"), ("key_tested", "abandoned"), ("key_tested", "succeeded")];
    until_told(&app.services.store, &["key_tested"], &expected).await;
    app.stop().await;
}

async fn what_is_closed_is_not_closed_again(database: Database) {
    let app = TestApp::start(database).await;
    let open = app.services.audit.open(Uuid::from_u128(1), Entry::by_system(Action::KeyTested)).await.unwrap();
    is_taken_for_abandoned(&app).await;
    drop(open);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(told(&app.services.store, &["key_tested"]).await.len(), 2);
    app.stop().await;
}
