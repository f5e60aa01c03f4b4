//! Copies of the database and of the objects that are made one after the other, while people go on working, fit together.

use crate::{
    on_both_databases,
    steps::{Filled, activate, download, headers_agree, job_ended, upload, view},
    support::{Database, PATIENCE, TestApp, content},
};
use app::{
    model::{
        encryption::RootKind,
        job::{JobState, PauseReason},
    },
    ports::{EncryptionPort, WorkspacesPort},
};
use server::store::backups;
use std::{path::Path, process::Command, time::Duration};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

on_both_databases!(what_was_copied_during_a_change_of_key_is_restored, a_backup_that_is_not_ended_ends_by_itself);

fn copy_folder(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(status.success());
}

async fn what_was_copied_during_a_change_of_key_is_restored(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let filled = Filled::new(&app, &who, "Claims triage", 20, &[1_000, 9_000_000]).await;
    let short_lived = content(300_000);
    let doomed = upload(&app, &who, &filled.workspace, "deleted meanwhile", &short_lived).await;

    let backup = Uuid::from_u128(1);
    backups::begin(app.services.store.write(), backup, Duration::from_hours(1)).await.unwrap();
    let copy = app.copy_database().await;
    // Everything that the copy names is replaced or deleted before the objects are copied.
    app.services.workspaces.delete_file(&who, &filled.workspace, &doomed.id).await.unwrap();
    let arn = app.keys.create().await;
    app.services.encryption.activate(&who, &arn).await.unwrap();
    let patience = Instant::now() + PATIENCE;
    loop {
        let job = view(&app, &who).await.job.unwrap();
        if job.waiting == Some(PauseReason::Backup) {
            break;
        }
        assert!(job.state.is_unfinished() && Instant::now() < patience, "{job:?}");
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(view(&app, &who).await.root.kind, RootKind::Customer, "control does not wait for a backup");
    filled.is_intact(&app, &who).await;
    let folder = tempfile::tempdir().unwrap();
    let objects = folder.path().join("objects");
    copy_folder(&app.objects, &objects);
    assert!(backups::end(app.services.store.write(), backup).await.unwrap());
    assert_eq!(job_ended(&app, &who).await.state, JobState::Complete);
    app.until_object_notes(0).await;

    let restored = app.restored(&copy, objects).await;
    filled.is_intact(&restored, &who).await;
    assert_eq!(download(&restored, &who, &filled.workspace, &doomed.id).await, short_lived);
    assert_eq!(view(&restored, &who).await.root.kind, RootKind::Provider, "as it was when the copy was made");
    // The copied backup is none of the restored deployment's, which re-encrypts and collects like any other.
    backups::end(restored.services.store.write(), backup).await.unwrap();
    activate(&restored, &who).await;
    headers_agree(&restored).await;
    filled.is_intact(&restored, &who).await;
    restored.until_object_notes(0).await;
    restored.stop().await;
    filled.is_intact(&app, &who).await;
    app.stop().await;
}

async fn a_backup_that_is_not_ended_ends_by_itself(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let workspace = app.workspace().await;
    let file = upload(&app, &who, &workspace, "a file", b"content").await;
    let (forgotten, ended) = (Uuid::from_u128(1), Uuid::from_u128(2));
    backups::begin(app.services.store.write(), forgotten, Duration::from_secs(4)).await.unwrap();
    backups::begin(app.services.store.write(), ended, Duration::from_hours(1)).await.unwrap();
    app.services.workspaces.delete_file(&who, &workspace, &file.id).await.unwrap();
    assert_eq!((app.object_notes().await, app.stored_objects()), (1, 1), "the file is held");
    assert!(backups::end(app.services.store.write(), ended).await.unwrap());
    assert!(!backups::end(app.services.store.write(), ended).await.unwrap(), "it has ended");
    app.until_object_notes(0).await;
    assert_eq!(app.stored_objects(), 0);
    assert!(
        !backups::end(app.services.store.write(), forgotten).await.unwrap(),
        "whoever copies is told that it took too long"
    );
    app.stop().await;
}
