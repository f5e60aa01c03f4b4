//! What is noted, and what is not.

use crate::{
    on_both_databases,
    scene::{all, pairs, told, until_told},
    support::{ADMIN, Database, PASSWORD, TestApp},
};
use app::ports::{EncryptionPort, WorkspacesPort};
use server::store::entities::audit_entry;

on_both_databases!(
    signing_in_and_out_is_noted_and_nothing_that_strangers_typed,
    workspaces_are_noted_by_their_ids_alone,
    a_lock_and_its_end_are_noted_with_what_aws_said,
    a_change_of_key_is_noted_from_the_press_to_the_end,
    a_test_of_a_key_is_noted_with_its_request,
);

fn of<'a>(entries: &'a [audit_entry::Model], action: &str) -> Vec<&'a audit_entry::Model> {
    entries.iter().filter(|entry| entry.action == action).collect()
}

async fn signing_in_and_out_is_noted_and_nothing_that_strangers_typed(database: Database) {
    let app = TestApp::start(database).await;
    let mut stranger = app.browser();
    stranger.sign_in(ADMIN, "not the password").await;
    stranger.sign_in("hunter2-typed-here@example.com", "not the password").await;
    let mut browser = app.signed_in().await;
    browser.call("sign_out", &[]).await;
    let entries = all(&app.services.store).await;
    let failed = of(&entries, "sign_in_failed");
    assert_eq!(failed.len(), 2);
    assert!(failed.iter().all(|entry| entry.actor == "nobody" && entry.address.as_deref() == Some("127.0.0.1")));
    let who = app.administrator().await;
    for action in ["sign_in", "sign_out"] {
        let [entry] = of(&entries, action)[..] else { panic!("{action}: {entries:?}") };
        assert_eq!((entry.actor.as_str(), entry.outcome.as_str()), (who.user_id.as_str(), "succeeded"));
        assert_eq!(entry.actor_email.as_deref(), Some(ADMIN));
        assert_eq!(entry.address.as_deref(), Some("127.0.0.1"));
    }
    let everything = format!("{entries:?}");
    assert!(!everything.contains("hunter2"), "what a stranger types may be a password");
    assert!(!everything.contains(PASSWORD) && !everything.contains("not the password"));
    app.stop().await;
}

async fn workspaces_are_noted_by_their_ids_alone(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let id = app.services.workspaces.create(&who, "Harbour survey", "Depth soundings").await.unwrap().id;
    app.services.workspaces.create_note(&who, &id, "soundings").await.unwrap();
    app.services.workspaces.delete(&who, &id).await.unwrap();
    let entries = all(&app.services.store).await;
    for action in ["workspace_created", "workspace_deleted"] {
        let [entry] = of(&entries, action)[..] else { panic!("{action}: {entries:?}") };
        assert_eq!(entry.object_kind.as_deref(), Some("workspace"));
        assert_eq!(entry.object_id.as_deref(), Some(id.as_str()));
    }
    let everything = format!("{entries:?}");
    assert!(!everything.contains("Harbour") && !everything.contains("oundings"));
    app.stop().await;
}

async fn a_lock_and_its_end_are_noted_with_what_aws_said(database: Database) {
    let app = TestApp::start(database).await;
    app.lock().await;
    app.unlock().await;
    let actions = ["locked", "unlocked"];
    until_told(&app.services.store, &actions, &[("locked", "succeeded"), ("unlocked", "succeeded")]).await;
    let entries = all(&app.services.store).await;
    let [locked] = of(&entries, "locked")[..] else { panic!("{entries:?}") };
    assert_eq!(locked.actor, "system");
    assert_eq!(locked.key_arn.as_deref(), Some(app.keys.provider.as_str()));
    assert_eq!(locked.region.as_deref(), Some("us-west-1"));
    assert!(locked.request_id.is_some() && locked.server.is_some() && locked.detail.is_some(), "{locked:?}");
    app.stop().await;
}

async fn a_change_of_key_is_noted_from_the_press_to_the_end(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    app.workspace().await;
    let arn = app.keys.create().await;
    app.services.encryption.activate(&who, &arn).await.unwrap();
    let actions = ["key_activation", "key_deletion", "job_started", "job_ended"];
    let activated = [
        ("key_activation", "opened"),
        ("job_started", "succeeded"),
        ("key_activation", "succeeded"),
        ("job_ended", "succeeded"),
    ];
    until_told(&app.services.store, &actions, &activated).await;
    // One that is refused under the lock.
    app.services.encryption.activate(&who, &app.keys.create().await).await.unwrap_err();
    app.services.encryption.delete_key(&who, &arn).await.unwrap();
    let deleted = [
        ("key_activation", "opened"),
        ("key_activation", "refused"),
        ("key_deletion", "opened"),
        ("job_started", "succeeded"),
        ("key_deletion", "succeeded"),
        ("job_ended", "succeeded"),
    ];
    until_told(&app.services.store, &actions, &[&activated[..], &deleted[..]].concat()).await;
    let entries = all(&app.services.store).await;
    let activation = of(&entries, "key_activation");
    assert!(activation[0].operation.is_some() && activation[0].operation == activation[1].operation);
    assert!(activation.iter().all(|entry| entry.actor == who.user_id));
    assert_eq!(activation[1].key_arn.as_deref(), Some(arn.as_str()));
    assert!(activation[1].request_id.is_some(), "the organization's own data key was wrapped by this request");
    assert_eq!(activation[3].detail.as_deref(), Some("already_active"));
    let jobs = of(&entries, "job_started");
    assert_eq!(jobs[0].object_id, of(&entries, "job_ended")[0].object_id);
    app.stop().await;
}

async fn a_test_of_a_key_is_noted_with_its_request(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let arn = app.keys.create().await;
    app.services.encryption.test_key(&who, &arn).await.unwrap();
    app.keys.disable(&arn).await;
    app.services.encryption.test_key(&who, &arn).await.unwrap();
    let expected =
        [("key_tested", "opened"), ("key_tested", "succeeded"), ("key_tested", "opened"), ("key_tested", "refused")];
    assert_eq!(told(&app.services.store, &["key_tested"]).await, pairs(&expected));
    let entries = all(&app.services.store).await;
    let tested = of(&entries, "key_tested");
    assert!(tested[1].request_id.is_some() && tested[3].request_id.is_some(), "{tested:?}");
    assert_eq!(tested[3].detail.as_deref(), Some("disabled"));
    // A member is not let near it, so nothing is opened.
    let member = app.add_member("member@example.com").await;
    app.services.encryption.test_key(&member, &arn).await.unwrap_err();
    assert_eq!(told(&app.services.store, &["key_tested"]).await.len(), 4);
    app.stop().await;
}
