//! Files: what an upload leaves behind, renaming, deleting, and files of another workspace.

use crate::{
    on_both_databases,
    steps::{content, download, rows, upload},
    support::{Database, TestApp},
};
use app::{
    model::error::{ApiError, Invalid},
    ports::WorkspacesPort,
};
use bytes::Bytes;

on_both_databases!(
    an_upload_that_does_not_end_leaves_nothing_behind,
    an_upload_into_a_workspace_that_is_deleted_does_not_end,
    a_file_can_be_renamed_read_in_parts_and_deleted,
    a_file_that_is_too_large_is_refused,
);

async fn nothing_is_left(app: &TestApp, objects: usize) {
    app.until("the collector is done", |app| app.stored_objects() == objects).await;
    let patience = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    while !rows(app, "SELECT place FROM object_notes").await.is_empty() {
        assert!(tokio::time::Instant::now() < patience, "a note is left");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(rows(app, "SELECT id FROM objects").await.len(), objects);
}

async fn an_upload_that_does_not_end_leaves_nothing_behind(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let workspace = app.workspace().await;
    for politely in [true, false] {
        let begun = app.services.files.begin_upload(&who, &workspace, "half", "text/plain", None).await;
        let mut half = begun.unwrap();
        for _ in 0..20 {
            half.write(Bytes::from(content(1 << 20))).await.unwrap();
        }
        assert_eq!(rows(&app, "SELECT place FROM object_notes WHERE state = 'writing'").await.len(), 1);
        if politely {
            half.abort().await;
        } else {
            drop(half);
        }
        nothing_is_left(&app, 0).await;
    }
    assert!(app.services.workspaces.files(&who, &workspace, None).await.unwrap().items.is_empty());
    app.stop().await;
}

async fn an_upload_into_a_workspace_that_is_deleted_does_not_end(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let workspace = app.workspace().await;
    let begun = app.services.files.begin_upload(&who, &workspace, "late", "text/plain", None).await;
    let mut late = begun.unwrap();
    late.write(Bytes::from(content(100))).await.unwrap();
    app.services.workspaces.delete(&who, &workspace).await.unwrap();
    assert_eq!(late.ended().await, ApiError::NotFound);
    assert_eq!(late.write(Bytes::from(content(100))).await, Err(ApiError::NotFound));
    assert!(late.finish().await.is_err());
    nothing_is_left(&app, 0).await;
    app.stop().await;
}

async fn a_file_can_be_renamed_read_in_parts_and_deleted(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let (workspace, other) = (app.workspace().await, app.workspace().await);
    let bytes = content(3_000_000);
    let file = upload(&app, &who, &workspace, "dir/plan.txt", &bytes).await;
    assert_eq!((file.name.as_str(), file.bytes, file.media_type.as_str()), ("plan.txt", 3_000_000, "text/plain"));
    let port = &app.services.workspaces;
    let renamed = port.rename_file(&who, &workspace, &file.id, "better.txt").await.unwrap();
    assert_eq!(renamed.name, "better.txt");
    for range in [0..1, 16_383..16_385, 1_048_570..1_048_600, 2_999_999..3_000_000, 5..5] {
        let opened = app.services.files.open(&who, &workspace, &file.id).await.unwrap();
        let read: Vec<Bytes> = futures::TryStreamExt::try_collect(opened.stream(range.clone())).await.unwrap();
        assert!(read.concat() == bytes[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()]);
    }
    // The same file under the address of another workspace.
    assert_eq!(app.services.files.open(&who, &other, &file.id).await.err(), Some(ApiError::NotFound));
    assert_eq!(port.delete_file(&who, &other, &file.id).await, Err(ApiError::NotFound));
    assert_eq!(port.rename_file(&who, &other, &file.id, "x").await.err(), Some(ApiError::NotFound));
    assert!(download(&app, &who, &workspace, &file.id).await == bytes);
    port.delete_file(&who, &workspace, &file.id).await.unwrap();
    assert_eq!(port.delete_file(&who, &workspace, &file.id).await, Err(ApiError::NotFound));
    nothing_is_left(&app, 0).await;
    app.stop().await;
}

async fn a_file_that_is_too_large_is_refused(database: Database) {
    let app = TestApp::start_with(database, |config| config.max_file_bytes = 1_000_000).await;
    let who = app.administrator().await;
    let workspace = app.workspace().await;
    let too_large = Some(ApiError::Invalid(Invalid::FileTooLarge));
    let files = &app.services.files;
    let declared = files.begin_upload(&who, &workspace, "big", "text/plain", Some(1_000_001)).await;
    assert_eq!(declared.err(), too_large);
    let mut undeclared = files.begin_upload(&who, &workspace, "big", "text/plain", None).await.unwrap();
    undeclared.write(Bytes::from(content(1_000_000))).await.unwrap();
    assert_eq!(undeclared.write(Bytes::from(vec![1])).await.err(), too_large);
    undeclared.abort().await;
    nothing_is_left(&app, 0).await;
    app.stop().await;
}
