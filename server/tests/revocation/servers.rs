//! Several servers over one database: what one does, the others check at once; what one sees, the others look at.

use crate::{
    steps::{Site, patient},
    support::{
        Database, Ground,
        kms_proxy::{Act, Call, Gate, Operation, Rule},
    },
};
use app::ports::{EncryptionPort, WorkspacesPort};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use server::store::entities::lock_event;
use std::time::Duration;
use vault::Scope;

/// So long that no check of this server comes by itself while a test runs.
const SELDOM: Duration = Duration::from_mins(5);

#[tokio::test(flavor = "multi_thread")]
async fn activation_and_deletion_change_at_once_what_other_servers_check() {
    let ground = Ground::new(Database::Postgres).await;
    let one = Site::on(&ground, patient).await;
    let two = Site::on(&ground, |config| config.key_check = SELDOM).await;
    drop(ground);
    let mark = two.proxy.mark();
    let arn = one.activate().await;
    // The first is the test of the key that comes before its activation, which is made on every server.
    two.proxy.until(mark, 2, "the other server checks the new key", |call| call.is_check() && call.key_id == arn).await;

    let mark = two.proxy.mark();
    one.app.services.encryption.delete_key(&one.who, &arn).await.unwrap();
    let provider = two.app.keys.provider.clone();
    two.proxy
        .until(mark, 1, "the other server checks the provider key", |call| call.is_check() && call.key_id == provider)
        .await;
    // What was checked is the data key that is in force, with its own context and no other.
    let checks = two.proxy.calls();
    for check in checks.iter().filter(|call| call.is_check()) {
        let names: Vec<_> = check.context.keys().map(String::as_str).collect();
        assert_eq!(names, ["data_key", "deployment", "scope"]);
    }
    one.stop().await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_in_the_first_second_of_a_server_is_not_missed() {
    let ground = Ground::new(Database::Postgres).await;
    let one = Site::on(&ground, patient).await;
    let arn = one.app.keys.create().await;
    let two = Site::on(&ground, |config| config.key_check = SELDOM).await;
    drop(ground);
    let mark = two.proxy.mark();
    one.app.services.encryption.activate(&one.who, &arn).await.unwrap();
    // The first is the test of the key that comes before its activation.
    two.proxy.until(mark, 2, "the other server checks the new key", |call| call.is_check() && call.key_id == arn).await;
    one.stop().await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_one_server_is_refused_the_others_look_at_once() {
    let ground = Ground::new(Database::Postgres).await;
    let one = Site::on(&ground, patient).await;
    let two = Site::on(&ground, |config| config.key_check = SELDOM).await;
    drop(ground);
    let mark = two.proxy.mark();
    one.proxy.set([Rule::on(Operation::Decrypt, Act::Fail(400, "DisabledException"))]);
    two.proxy.until(mark, 1, "the other server checks too", Call::is_check).await;
    one.until_locked().await;
    // Each decides by itself: what the other hears is good.
    assert_eq!(two.lock(), None);
    one.proxy.clear();
    one.until_open().await;

    // A key that is disabled for both locks both, though one of them hardly ever checks.
    let arn = one.app.keys.provider.clone();
    one.app.keys.disable(&arn).await;
    one.until_locked().await;
    two.until_locked().await;
    one.app.keys.enable(&arn).await;
    one.until_open().await;
    two.until_open().await;
    one.stop().await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_key_on_one_server_is_no_trouble_on_the_other() {
    let ground = Ground::new(Database::Postgres).await;
    let (one, two) = (Site::on(&ground, patient).await, Site::on(&ground, patient).await);
    drop(ground);
    let workspace = one.workspace("Claims triage").await;
    let first = one.activate().await;
    assert_eq!(two.lock(), None);
    // The old key is not needed any more, from the first moment on.
    one.app.keys.disable(&one.app.keys.provider).await;
    let mark = two.proxy.mark();
    two.proxy.until(mark, 3, "checks of the new key", |call| call.is_check() && call.key_id == first).await;
    assert_eq!((one.lock(), two.lock()), (None, None));
    let notes = two.app.services.workspaces.notes(&two.who, &workspace, None).await.unwrap();
    assert_eq!(notes.items.len(), 1);
    one.stop().await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_at_once_after_a_lock_has_noted_it() {
    let ground = Ground::new(Database::Postgres).await;
    let (one, two) = (Site::on(&ground, patient).await, Site::on(&ground, patient).await);
    drop(ground);
    one.proxy.set([Rule::on(Operation::Decrypt, Act::Fail(400, "DisabledException"))]);
    let face = one.until_locked().await;
    one.stop().await;
    let noted = lock_event::Entity::find()
        .filter(lock_event::Column::LockedAt.eq(face.since))
        .all(two.app.services.store.read())
        .await
        .unwrap();
    assert_eq!(noted.len(), 1, "{noted:?}");
    assert_eq!(noted[0].code.as_deref(), Some("DisabledException"));
    assert!(noted[0].gone_at.is_some() && noted[0].restored_at.is_none(), "{noted:?}");
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_key_that_is_destroyed_while_it_is_being_unwrapped_gets_into_no_ring() {
    let ground = Ground::new(Database::Postgres).await;
    let (one, two) = (Site::on(&ground, patient).await, Site::on(&ground, patient).await);
    drop(ground);
    let workspace = one.workspace("Claims triage").await;
    let gate = Gate::closed();
    two.proxy.set([Rule::on(Operation::Decrypt, Act::Wait(gate.clone())).scope(&workspace)]);
    let mark = two.proxy.mark();
    let (port, who, id) = (two.app.services.workspaces.clone(), two.who.clone(), workspace.clone());
    let reading = tokio::spawn(async move { port.notes(&who, &id, None).await.map(drop) });
    two.proxy.until(mark, 1, "its data key is asked for", |call| call.is_unwrap_of(&workspace)).await;
    one.app.services.workspaces.delete(&one.who, &workspace).await.unwrap();
    let mark = two.proxy.mark();
    // The first may have begun before.
    two.proxy.until(mark, 2, "the other server looks which data keys there are", Call::is_check).await;
    gate.open();
    let _ = reading.await.unwrap();
    let scope = Scope::Workspace(workspace.parse().unwrap());
    let held = two.app.services.vault.held();
    assert!(held.iter().all(|held| held.scope != scope), "{held:?}");
    one.stop().await;
    two.stop().await;
}
