//! Ciphertexts that somebody with access to database and object store has moved or changed: none of them opens.

use crate::{
    on_both_databases,
    steps::{content, rows, tamper, upload},
    support::{Database, TestApp},
};
use app::{
    model::error::ApiError,
    ports::{Principal, WorkspacesPort},
};

on_both_databases!(a_record_opens_only_in_its_own_place, an_object_opens_only_in_its_own_place);

async fn damaged_notes(app: &TestApp, who: &Principal, workspace: &str) {
    let notes = app.services.workspaces.notes(who, workspace, None).await.unwrap().items;
    assert_eq!(notes.iter().filter(|note| note.damaged && note.text.is_empty()).count(), 1, "one is damaged");
    assert_eq!(notes.iter().filter(|note| !note.damaged && !note.text.is_empty()).count(), 1, "and hides no other");
}

async fn a_record_opens_only_in_its_own_place(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let port = &app.services.workspaces;
    let one = port.create(&who, "one", "first").await.unwrap().id;
    let two = port.create(&who, "two", "second").await.unwrap().id;
    for workspace in [&one, &two] {
        for n in 0..2 {
            port.create_note(&who, workspace, &format!("note {n}")).await.unwrap();
        }
    }
    let ids: Vec<String> = rows(&app, "SELECT id FROM notes ORDER BY created_at, id")
        .await
        .iter()
        .map(|row| literal(&app, row.try_get("", "id").unwrap()))
        .collect();

    // To another row of the same workspace.
    tamper(
        &app,
        &format!(
            "UPDATE notes SET text_sealed = (SELECT text_sealed FROM notes WHERE id = {}) WHERE id = {}",
            ids[0], ids[1]
        ),
    )
    .await;
    damaged_notes(&app, &who, &one).await;

    // To a row of another workspace, with and without taking the key id along (the schema forbids that even before).
    tamper(
        &app,
        &format!(
            "UPDATE notes SET text_sealed = (SELECT text_sealed FROM notes WHERE id = {}) WHERE id = {}",
            ids[0], ids[2]
        ),
    )
    .await;
    damaged_notes(&app, &who, &two).await;
    let steal = format!(
        "UPDATE notes SET data_key_id = (SELECT data_key_id FROM notes WHERE id = {}) WHERE id = {}",
        ids[0], ids[2]
    );
    let refused = sea_orm::ConnectionTrait::execute_unprepared(app.services.store.write(), &steal).await;
    assert!(refused.is_err(), "a row cannot name the data key of another scope");

    // To another column of the same row.
    tamper(&app, "UPDATE workspaces SET description_sealed = name_sealed").await;
    assert_eq!(port.get(&who, &one).await.err(), Some(ApiError::Damaged));
    let listed = port.list(&who, None).await.unwrap().items;
    assert!(listed.len() == 2 && listed.iter().all(|workspace| workspace.damaged && workspace.name.is_empty()));
    app.stop().await;
}

async fn an_object_opens_only_in_its_own_place(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let workspace = app.workspace().await;
    let bytes = content(100_000);
    let one = upload(&app, &who, &workspace, "one", &bytes).await.id;
    let two = upload(&app, &who, &workspace, "two", &bytes).await.id;
    let places: Vec<String> = rows(&app, "SELECT place FROM objects ORDER BY created_at, id")
        .await
        .iter()
        .map(|row| row.try_get("", "place").unwrap())
        .collect();
    let path = |n: usize| app.objects.join(&places[n]);
    let original = std::fs::read(path(0)).unwrap();
    let read = |file: String| {
        let (app, who, workspace) = (&app, &who, &workspace);
        async move {
            let opened = app.services.files.open(who, workspace, &file).await?;
            let range = 0..opened.bytes;
            let bytes: Result<Vec<bytes::Bytes>, _> = futures::TryStreamExt::try_collect(opened.stream(range)).await;
            bytes.map(|bytes| bytes.concat()).map_err(|_| ApiError::Damaged)
        }
    };

    // Another object in its place: the same length and the same data key.
    std::fs::copy(path(1), path(0)).unwrap();
    assert_eq!(read(one.clone()).await, Err(ApiError::Damaged));
    assert_eq!(read(two).await.as_deref(), Ok(bytes.as_slice()));

    // Cut off at the end of a chunk, in the middle of one, and grown.
    for length in [76 + 16_400, 76 + 16_400 * 2 + 5, 75, 0] {
        std::fs::write(path(0), &original[..length]).unwrap();
        assert!(read(one.clone()).await.is_err(), "{length}");
    }
    std::fs::write(path(0), [original.as_slice(), &[0]].concat()).unwrap();
    assert_eq!(read(one.clone()).await, Err(ApiError::Damaged));

    // Cut off between two chunks, with the row changed to fit: only the last chunk can tell, and there is none.
    let row = format!("UPDATE objects SET size = {{}} WHERE place = '{}'", places[0]);
    for (length, size) in [(76 + 16_400 + 16, 16_384), (76 + 16, 0)] {
        std::fs::write(path(0), &original[..length]).unwrap();
        tamper(&app, &row.replace("{}", &size.to_string())).await;
        assert!(read(one.clone()).await.is_err(), "{size}");
    }
    tamper(&app, &row.replace("{}", "100000")).await;

    // One bit flipped: in the header, the salt, the commitment, the first chunk and the last.
    for at in [0, 3, 10, 25, 60, 80, 20_000, original.len() - 1] {
        let mut changed = original.clone();
        changed[at] ^= 1;
        std::fs::write(path(0), changed).unwrap();
        assert!(read(one.clone()).await.is_err(), "byte {at}");
    }
    std::fs::write(path(0), &original).unwrap();
    assert_eq!(read(one).await.as_deref(), Ok(bytes.as_slice()));
    app.stop().await;
}

/// An id as both databases write it in SQL.
fn literal(app: &TestApp, id: uuid::Uuid) -> String {
    match app.services.store.backend() {
        sea_orm::DbBackend::Postgres => format!("'{id}'"),
        _ => format!("x'{}'", id.simple()),
    }
}
