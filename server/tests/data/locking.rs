//! Losing the key: nothing opens, transfers end, and everything comes back by itself.

use crate::{
    on_both_databases,
    steps::{Filled, activate, content, view},
    support::{Database, TestApp},
};
use app::{
    model::{error::ApiError, lock::LockCause},
    ports::{OrganizationPort, WorkspacesPort},
};
use bytes::Bytes;
use futures::StreamExt;

on_both_databases!(
    a_disabled_key_locks_everything_and_an_enabled_one_brings_it_back,
    transfers_under_way_end_at_the_lock,
    a_refused_provider_key_has_a_face_of_its_own,
);

async fn a_disabled_key_locks_everything_and_an_enabled_one_brings_it_back(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let filled = Filled::new(&app, &who, "Claims triage", 3, &[100_000]).await;
    let arn = activate(&app, &who).await;
    app.keys.disable(&arn).await;
    app.until("data is locked", |app| app.services.organization.lock().is_some()).await;
    let face = app.services.organization.lock().unwrap();
    assert_eq!((face.cause, face.code.as_deref()), (LockCause::Disabled, Some("DisabledException")));
    assert!(face.request_id.is_some() && face.refused_at.is_some_and(|refused| refused <= face.since));
    let port = &app.services.workspaces;
    let is_locked = |answer: Option<ApiError>| assert!(matches!(answer, Some(ApiError::Locked(_))), "{answer:?}");
    is_locked(port.list(&who, None).await.err());
    is_locked(port.get(&who, &filled.workspace).await.err());
    is_locked(port.notes(&who, &filled.workspace, None).await.err());
    is_locked(port.create_note(&who, &filled.workspace, "x").await.err());
    is_locked(port.create(&who, "x", "").await.err());
    is_locked(port.files(&who, &filled.workspace, None).await.err());
    is_locked(app.services.files.open(&who, &filled.workspace, &filled.files[0].0).await.err());
    let upload = app.services.files.begin_upload(&who, &filled.workspace, "x", "text/plain", None).await;
    is_locked(upload.err());
    // The page that explains it still works.
    assert_eq!(view(&app, &who).await.lock.map(|face| face.cause), Some(LockCause::Disabled));

    app.keys.enable(&arn).await;
    app.until("data is open", |app| app.services.organization.lock().is_none()).await;
    filled.is_intact(&app, &who).await;
    let events = crate::steps::rows(&app, "SELECT cause, code FROM lock_events WHERE restored_at IS NOT NULL").await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].try_get::<String>("", "cause").unwrap(), "disabled");
    app.stop().await;
}

async fn transfers_under_way_end_at_the_lock(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let filled = Filled::new(&app, &who, "Claims triage", 0, &[5_000_000]).await;
    let download = app.services.files.open(&who, &filled.workspace, &filled.files[0].0).await.unwrap();
    let mut stream = Box::pin(download.stream(0..5_000_000));
    assert!(stream.next().await.unwrap().is_ok());
    let begun = app.services.files.begin_upload(&who, &filled.workspace, "half", "text/plain", None).await;
    let mut upload = begun.unwrap();
    upload.write(Bytes::from(content(1_000_000))).await.unwrap();

    app.lock().await;
    assert!(stream.next().await.unwrap().is_err(), "the connection breaks");
    assert!(matches!(upload.write(Bytes::from(vec![1])).await, Err(ApiError::Locked(_))));
    assert!(upload.finish().await.is_err());
    app.unlock().await;
    filled.is_intact(&app, &who).await;
    app.until("nothing is left of the upload", |app| app.stored_objects() == 1).await;
    app.stop().await;
}

async fn a_refused_provider_key_has_a_face_of_its_own(database: Database) {
    let app = TestApp::start(database).await;
    app.lock().await;
    assert_eq!(app.services.organization.lock().map(|face| face.cause), Some(LockCause::ProviderRefused));
    app.unlock().await;
    app.stop().await;
}
