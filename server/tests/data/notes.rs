//! Workspaces and notes: limits, conflicts, pages, and what belongs to another workspace.

use crate::{
    on_both_databases,
    support::{Database, TestApp},
};
use app::{
    model::{
        error::{ApiError, Invalid},
        workspace::{Saved, limits},
    },
    ports::WorkspacesPort,
};

on_both_databases!(
    the_second_save_is_told_and_sees_the_newer_text,
    lists_come_in_pages_newest_first,
    what_is_missing_too_long_or_elsewhere_is_refused,
);

async fn the_second_save_is_told_and_sees_the_newer_text(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let port = &app.services.workspaces;
    let workspace = port.create(&who, "Plans", "").await.unwrap();
    let note = port.create_note(&who, &workspace.id, "first").await.unwrap();
    let Saved::Stored(mine) = port.update_note(&who, &workspace.id, &note.id, note.rev, "mine").await.unwrap() else {
        panic!("nobody else has saved")
    };
    assert_eq!((mine.rev, mine.text.as_str()), (2, "mine"));
    let theirs = port.update_note(&who, &workspace.id, &note.id, note.rev, "theirs").await.unwrap();
    assert_eq!(theirs, Saved::Conflict(mine.clone()), "the newer text is shown and nothing is overwritten");
    let again = port.update_note(&who, &workspace.id, &note.id, mine.rev, "theirs").await.unwrap();
    assert!(matches!(again, Saved::Stored(note) if note.text == "theirs"));

    let renamed = port.update(&who, &workspace.id, 1, Some("Better plans"), "why").await.unwrap();
    assert!(matches!(renamed, Saved::Stored(now) if now.name == "Better plans" && now.rev == 2));
    let late = port.update(&who, &workspace.id, 1, Some("Other plans"), "").await.unwrap();
    assert!(matches!(late, Saved::Conflict(now) if now.name == "Better plans"));
    port.delete_note(&who, &workspace.id, &note.id).await.unwrap();
    assert_eq!(port.delete_note(&who, &workspace.id, &note.id).await, Err(ApiError::NotFound));
    let gone = port.update_note(&who, &workspace.id, &note.id, 3, "x").await;
    assert_eq!(gone, Err(ApiError::NotFound));
    app.stop().await;
}

async fn lists_come_in_pages_newest_first(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let port = &app.services.workspaces;
    let workspace = app.workspace().await;
    for n in 0..60 {
        port.create_note(&who, &workspace, &n.to_string()).await.unwrap();
    }
    let first = port.notes(&who, &workspace, None).await.unwrap();
    let second = port.notes(&who, &workspace, first.next.as_deref()).await.unwrap();
    assert_eq!((first.items.len(), second.items.len(), second.next), (50, 10, None));
    let seen: Vec<String> = first.items.into_iter().chain(second.items).map(|note| note.text).collect();
    let expected: Vec<String> = (0..60).rev().map(|n| n.to_string()).collect();
    assert_eq!(seen, expected);
    assert_eq!(port.notes(&who, &workspace, Some("nonsense")).await.err(), Some(ApiError::NotFound));
    let listed = port.list(&who, None).await.unwrap();
    assert_eq!((listed.items.len(), listed.items[0].notes, listed.items[0].files), (1, 60, 0));
    app.stop().await;
}

async fn what_is_missing_too_long_or_elsewhere_is_refused(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let port = &app.services.workspaces;
    let (one, two) = (app.workspace().await, app.workspace().await);
    let invalid = |invalid| Err(ApiError::Invalid(invalid));
    assert_eq!(port.create(&who, "  ", "").await.map(|_| ()), invalid(Invalid::NameMissing));
    let long = "x".repeat(limits::NAME_CHARS + 1);
    assert_eq!(port.create(&who, &long, "").await.map(|_| ()), invalid(Invalid::NameTooLong));
    let long = "x".repeat(limits::DESCRIPTION_CHARS + 1);
    assert_eq!(port.create(&who, "x", &long).await.map(|_| ()), invalid(Invalid::DescriptionTooLong));
    assert_eq!(port.create_note(&who, &one, " \n").await.map(|_| ()), invalid(Invalid::NoteMissing));
    let long = "x".repeat(limits::NOTE_BYTES + 1);
    assert_eq!(port.create_note(&who, &one, &long).await.map(|_| ()), invalid(Invalid::NoteTooLong));

    // A note of one workspace under the address of another.
    let note = port.create_note(&who, &one, "here").await.unwrap();
    assert_eq!(port.delete_note(&who, &two, &note.id).await, Err(ApiError::NotFound));
    assert_eq!(port.update_note(&who, &two, &note.id, 1, "x").await.map(|_| ()), Err(ApiError::NotFound));
    for id in ["", "x", "../..", "00000000-0000-0000-0000-000000000000"] {
        assert_eq!(port.get(&who, id).await.map(|_| ()), Err(ApiError::NotFound), "{id}");
        assert_eq!(port.create_note(&who, id, "x").await.map(|_| ()), Err(ApiError::NotFound), "{id}");
    }
    app.stop().await;
}
