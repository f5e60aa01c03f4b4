//! Uploads and downloads.

use crate::{
    on_both_databases,
    support::{Browser, Database, TestApp},
};
use app::model::{
    error::{ApiError, Invalid},
    workspace::FileEntry,
};
use futures::stream;
use reqwest::{Body, Method, StatusCode};
use std::io;
use tokio::{io::AsyncWriteExt, net::TcpStream};

on_both_databases!(
    what_was_uploaded_comes_back,
    a_part_can_be_asked_for,
    a_file_that_is_too_large_is_refused_with_its_reason,
    an_upload_that_is_not_as_it_must_be_is_refused,
    an_aborted_upload_leaves_nothing_behind,
);

/// Bytes in which every position can be told from its neighbours.
fn content(len: usize) -> Vec<u8> {
    (0..len).map(|at| u8::try_from((at ^ (at >> 8) ^ (at >> 16)) & 0xff).unwrap()).collect()
}

async fn store(browser: &Browser, workspace: &str, name: &str, bytes: Vec<u8>) -> (String, FileEntry) {
    let answer = browser.send(browser.upload(workspace, name).body(bytes)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let entry: FileEntry = answer.json();
    let path = format!("/workspaces/{workspace}/files/{}", entry.id);
    assert_eq!(answer.header("location"), Some(path.as_str()));
    (path, entry)
}

async fn what_was_uploaded_comes_back(database: Database) {
    let app = TestApp::start(database).await;
    let (workspace, browser) = (app.workspace().await, app.signed_in().await);
    for len in [0, 1, 16_384, 3 * 1024 * 1024 + 7] {
        let bytes = content(len);
        let (path, entry) = store(&browser, &workspace, "Übersicht 1.txt", bytes.clone()).await;
        assert_eq!((entry.name.as_str(), entry.bytes), ("Übersicht 1.txt", len as u64));
        let answer = browser.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.body == bytes, "{len} bytes came back changed");
        assert_eq!(answer.header("content-length"), Some(len.to_string().as_str()));
        assert_eq!(answer.header("content-type"), Some("text/plain"));
        assert_eq!(
            answer.header("content-disposition"),
            Some("attachment; filename=\"_bersicht 1.txt\"; filename*=UTF-8''%C3%9Cbersicht%201.txt")
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let head = browser.send(browser.request(Method::HEAD, &path)).await;
        assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
        assert_eq!(head.header("content-length"), Some(len.to_string().as_str()));
    }
    app.stop().await;
}

async fn a_part_can_be_asked_for(database: Database) {
    let app = TestApp::start(database).await;
    let (workspace, browser) = (app.workspace().await, app.signed_in().await);
    let bytes = content(100_000);
    let (path, _) = store(&browser, &workspace, "a.txt", bytes.clone()).await;
    let whole = browser.get(&path).await;
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    let etag = whole.header("etag").unwrap();
    let asked = async |range: &str, if_range: Option<&str>| {
        let request = browser.request(Method::GET, &path).header("range", range);
        let request = if_range.into_iter().fold(request, |request, tag| request.header("if-range", tag));
        browser.send(request).await
    };
    for (range, from, to) in
        [("bytes=16380-16390", 16_380, 16_391), ("bytes=99990-", 99_990, 100_000), ("bytes=-5", 99_995, 100_000)]
    {
        let part = asked(range, Some(etag)).await;
        assert_eq!(part.status, StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(part.body, bytes[from..to], "{range}");
        assert_eq!(part.header("content-range"), Some(format!("bytes {from}-{}/100000", to - 1).as_str()));
    }
    assert_eq!(asked("bytes=0-1,5-6", None).await.body.len(), 100_000, "several ranges get the whole");
    assert_eq!(asked("bytes=0-1", Some("\"another\"")).await.status, StatusCode::OK);
    let behind = asked("bytes=100000-", None).await;
    assert_eq!(
        (behind.status, behind.header("content-range")),
        (StatusCode::RANGE_NOT_SATISFIABLE, Some("bytes */100000"))
    );
    app.stop().await;
}

async fn a_file_that_is_too_large_is_refused_with_its_reason(database: Database) {
    let app = TestApp::start_with(database, |config| config.max_file_bytes = 1024 * 1024).await;
    let (workspace, browser) = (app.workspace().await, app.signed_in().await);
    let exact = browser.send(browser.upload(&workspace, "a").body(content(1024 * 1024))).await;
    assert_eq!(exact.status, StatusCode::CREATED, "{}", exact.text());
    let declared = browser.send(browser.upload(&workspace, "b").body(content(1024 * 1024 + 1))).await;
    assert_eq!(declared.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(declared.json::<ApiError>(), ApiError::Invalid(Invalid::FileTooLarge));
    // Without a declared length it shows only on the way.
    let pieces = (0..40).map(|_| Ok::<_, io::Error>(content(64 * 1024)));
    let streamed = browser.send(browser.upload(&workspace, "c").body(Body::wrap_stream(stream::iter(pieces)))).await;
    assert_eq!(streamed.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(streamed.json::<ApiError>(), ApiError::Invalid(Invalid::FileTooLarge));
    app.until("only the first file is left", |app| app.stored_objects() == 1).await;
    app.stop().await;
}

async fn an_upload_that_is_not_as_it_must_be_is_refused(database: Database) {
    let app = TestApp::start(database).await;
    let (workspace, browser) = (app.workspace().await, app.signed_in().await);
    let refused = async |workspace: &str, name: &str| {
        browser.send(browser.upload(workspace, name).body("x")).await.json::<ApiError>()
    };
    assert_eq!(refused(&workspace, "").await, Invalid::FileNameMissing.into());
    assert_eq!(refused(&workspace, &"a".repeat(256)).await, Invalid::FileNameTooLong.into());
    assert_eq!(refused("00000000-0000-0000-0000-000000000000", "a").await, ApiError::NotFound);
    let nobody = app.browser();
    let answer = nobody.send(nobody.upload(&workspace, "a").body("x")).await;
    assert_eq!(answer.json::<ApiError>(), ApiError::SignedOut);
    assert_eq!(app.stored_objects(), 0);
    app.stop().await;
}

async fn an_aborted_upload_leaves_nothing_behind(database: Database) {
    let app = TestApp::start(database).await;
    let (workspace, browser) = (app.workspace().await, app.signed_in().await);
    let mut connection = TcpStream::connect(app.address).await.unwrap();
    let head = format!(
        "POST /workspaces/{workspace}/files HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nX-File-Name: a\r\nContent-Length: 50000000\r\n\r\n",
        app.address,
        browser.cookie.clone().unwrap(),
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(&content(10_000_000)).await.unwrap();
    app.until_object_notes(1).await;
    drop(connection);
    app.until_object_notes(0).await;
    assert_eq!(app.stored_objects(), 0);
    app.stop().await;
}
