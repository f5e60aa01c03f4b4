//! Whose the object store is: a database that is new by mistake, an older copy of the right one, a store whose marker is gone or
//! cannot be read. Nothing is removed unless it is certain.

use crate::{
    on_both_databases,
    steps::{Filled, activate, content, download, job_ended, tamper, upload},
    support::{Database, Ground, TestApp},
};
use app::{
    model::job::JobState,
    ports::{EncryptionPort, WorkspacesPort},
};
use bytes::Bytes;
use server::{
    config::ObjectsAt,
    store::{Store, backups},
};
use std::{env, fs, os::unix::fs::symlink, path::PathBuf, sync::Arc, time::Duration};
use tokio::time::sleep;
use uuid::Uuid;

on_both_databases!(
    a_new_database_over_objects_without_a_marker_removes_none,
    a_store_whose_marker_was_removed_is_not_swept_for_a_while,
    a_copy_of_the_database_is_refused_once_the_original_has_gone_on,
    the_marker_stands_still_while_a_backup_is_made,
    a_copy_that_is_tried_while_the_backup_is_made_removes_nothing,
    nothing_is_removed_before_the_marker_was_read,
);

/// Longer than what the collector has seen is believed.
const ANOTHER_LOOK: Duration = Duration::from_secs(6);

async fn server_on(ground: &Arc<Ground>) -> TestApp {
    let kms = env::var("KEYSTEAD_TEST_KMS_URL").expect("KEYSTEAD_TEST_KMS_URL must name a running local KMS");
    ground.start(&kms, |_| {}).await
}

fn marker(app: &TestApp) -> PathBuf {
    app.objects.join("keystead-sweeps")
}

async fn until_marked(app: &TestApp) {
    app.until("the store is marked", |app| marker(app).exists()).await;
}

/// The number in the marker.
fn number(app: &TestApp) -> i64 {
    fs::read_to_string(marker(app)).unwrap().lines().nth(1).unwrap().parse().unwrap()
}

/// As if more than a minute had passed.
async fn age_the_marker(app: &TestApp) {
    tamper(app, "UPDATE object_sweeps SET marked_at = 0").await;
}

async fn a_new_database_over_objects_without_a_marker_removes_none(database: Database) {
    let ground = Ground::new(database).await;
    let app = server_on(&ground).await;
    let who = app.administrator().await;
    let filled = Filled::new(&app, &who, "Claims triage", 1, &[1_000, 9_000]).await;
    until_marked(&app).await;
    let (marker, objects) = (marker(&app), app.objects.clone());
    app.stop().await;
    fs::remove_file(&marker).unwrap();

    let other = TestApp::start_with(database, |config| config.objects = ObjectsAt::File(objects)).await;
    let stranger = other.administrator().await;
    let theirs = Filled::new(&other, &stranger, "By mistake", 1, &[]).await;
    // Each change of key ends with a sweep, if there may be one.
    activate(&other, &stranger).await;
    // Now it holds most of what the new database names: that is not enough.
    for name in ["one", "two", "three"] {
        upload(&other, &stranger, &theirs.workspace, name, b"content").await;
    }
    sleep(ANOTHER_LOOK).await;
    assert!(!marker.exists(), "the store is not the new database's");
    other.stop().await;

    let app = server_on(&ground).await;
    filled.is_intact(&app, &who).await;
    app.stop().await;
    ground.remove().await;
}

async fn a_store_whose_marker_was_removed_is_not_swept_for_a_while(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let filled = Filled::new(&app, &who, "Claims triage", 1, &[1_000, 9_000]).await;
    until_marked(&app).await;
    let unnamed = app.objects.join(&filled.workspace).join("00000000-0000-4000-8000-00000000000a");
    fs::write(&unnamed, "x").unwrap();
    fs::remove_file(marker(&app)).unwrap();
    until_marked(&app).await;
    let arn = activate(&app, &who).await;
    assert!(unnamed.exists(), "somebody may have been wrong about the marker");
    filled.is_intact(&app, &who).await;

    // A day later.
    tamper(&app, "UPDATE object_sweeps SET sweeps_from = 0").await;
    app.services.encryption.delete_key(&who, &arn).await.unwrap();
    assert_eq!(job_ended(&app, &who).await.state, JobState::Complete);
    assert!(!unnamed.exists(), "nothing names it");
    filled.is_intact(&app, &who).await;
    app.stop().await;
}

async fn a_copy_of_the_database_is_refused_once_the_original_has_gone_on(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let mut filled = Filled::new(&app, &who, "Claims triage", 1, &[1_000, 9_000]).await;
    until_marked(&app).await;
    let copy = app.copy_database().await;
    let before = number(&app);
    age_the_marker(&app).await;
    app.until("the marker has its next number", |app| number(app) > before).await;

    let copied = app.restored(&copy, app.objects.clone()).await;
    copied.services.workspaces.delete_file(&who, &filled.workspace, &filled.files[0].0).await.unwrap();
    // Nor does it catch up.
    age_the_marker(&copied).await;
    sleep(ANOTHER_LOOK).await;
    assert_eq!(copied.object_notes().await, 1, "what the copy does not name was not removed");
    assert_eq!(number(&app), before + 1);
    copied.stop().await;

    filled.is_intact(&app, &who).await;
    let (gone, _) = filled.files.remove(0);
    app.services.workspaces.delete_file(&who, &filled.workspace, &gone).await.unwrap();
    app.until_object_notes(0).await;
    assert_eq!(app.stored_objects(), 1, "the original goes on");
    filled.is_intact(&app, &who).await;
    app.stop().await;
}

async fn the_marker_stands_still_while_a_backup_is_made(database: Database) {
    let app = TestApp::start(database).await;
    until_marked(&app).await;
    let backup = Uuid::from_u128(1);
    backups::begin(app.services.store.write(), backup, Duration::from_hours(1)).await.unwrap();
    let before = number(&app);
    age_the_marker(&app).await;
    sleep(ANOTHER_LOOK).await;
    assert_eq!(number(&app), before, "a copy of the database would be behind the copied objects");
    assert!(backups::end(app.services.store.write(), backup).await.unwrap());
    app.until("the marker has its next number", |app| number(app) > before).await;
    app.stop().await;
}

/// Nothing tells it from its original yet, and it holds a note of an upload that has ended in the original only.
async fn a_copy_that_is_tried_while_the_backup_is_made_removes_nothing(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let workspace = app.workspace().await;
    until_marked(&app).await;
    let sent = content(1_000);
    let files = &app.services.files;
    let mut late = files.begin_upload(&who, &workspace, "late", "text/plain", Some(1_000)).await.unwrap();
    late.write(Bytes::from(sent.clone())).await.unwrap();
    let backup = Uuid::from_u128(1);
    backups::begin(app.services.store.write(), backup, Duration::from_hours(1)).await.unwrap();
    let copy = app.copy_database().await;
    let file = late.finish().await.unwrap().id;

    let copied = app.restored(&copy, app.objects.clone()).await;
    tamper(&copied, "UPDATE object_notes SET expires_at = 0").await;
    sleep(ANOTHER_LOOK).await;
    assert_eq!((copied.object_notes().await, app.stored_objects()), (1, 1));
    copied.stop().await;
    assert!(download(&app, &who, &workspace, &file).await == sent);
    app.stop().await;
}

async fn nothing_is_removed_before_the_marker_was_read(database: Database) {
    let ground = Ground::new(database).await;
    let app = server_on(&ground).await;
    let who = app.administrator().await;
    let filled = Filled::new(&app, &who, "Claims triage", 1, &[1_000, 9_000]).await;
    until_marked(&app).await;
    let backup = Uuid::from_u128(1);
    backups::begin(app.services.store.write(), backup, Duration::from_hours(1)).await.unwrap();
    app.services.workspaces.delete_file(&who, &filled.workspace, &filled.files[0].0).await.unwrap();
    let marker = marker(&app);
    app.stop().await;
    let store = Store::connect(&ground.url).await.unwrap();
    assert!(backups::end(store.write(), backup).await.unwrap());
    store.close().await.unwrap();
    let kept = marker.with_extension("kept");
    fs::rename(&marker, &kept).unwrap();
    // One that can only be read in vain.
    symlink(&marker, &marker).unwrap();

    let app = server_on(&ground).await;
    sleep(ANOTHER_LOOK).await;
    assert_eq!(app.object_notes().await, 1, "the garbage is kept");
    fs::rename(&kept, &marker).unwrap();
    app.until_object_notes(0).await;
    assert_eq!(app.stored_objects(), 1);
    app.stop().await;
    ground.remove().await;
}
