//! What people and programs meet while the root key cannot be used.

use crate::{
    on_both_databases,
    support::{Database, TestApp},
};
use app::model::error::ApiError;
use reqwest::{Method, StatusCode};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

on_both_databases!(
    data_routes_answer_423_and_the_rest_works,
    a_download_in_flight_breaks_off,
    an_upload_that_waits_ends_at_once,
);

async fn data_routes_answer_423_and_the_rest_works(database: Database) {
    let app = TestApp::start(database).await;
    let (workspace, browser) = (app.workspace().await, app.signed_in().await);
    let stored = browser.send(browser.upload(&workspace, "a.txt").body("hello")).await;
    let path = stored.header("location").unwrap().to_owned();
    app.lock().await;

    let refused = browser.get(&path).await;
    assert_eq!(refused.status, StatusCode::LOCKED);
    assert!(matches!(refused.json(), ApiError::Locked(_)));
    let page = browser.open(&path).await;
    assert_eq!((page.status, page.is_page()), (StatusCode::LOCKED, true));
    assert!(page.text().contains("Your operator must make the provider key usable again"), "{page:?}");
    assert!(page.text().contains("href=\"/settings/data-encryption\""), "{page:?}");
    let upload = browser.send(browser.upload(&workspace, "b.txt").body("hello")).await;
    assert_eq!(upload.status, StatusCode::LOCKED);
    for question in ["/state".to_owned(), format!("/state?workspace={workspace}")] {
        assert!(browser.get(&question).await.text().contains("refused_at"), "{question}");
    }

    // Of a workspace that is none of theirs nobody is told anything, also now.
    assert_eq!(browser.get("/state?workspace=none").await.status, StatusCode::NOT_FOUND);

    let ready = browser.get("/readyz").await;
    assert_eq!((ready.status, ready.text()), (StatusCode::OK, "ready: locked: Locked: provider key refused\n"));
    assert_eq!(browser.get("/healthz").await.status, StatusCode::OK);
    let again = app.signed_in().await;
    for page in ["/workspaces", "/settings", "/settings/data-encryption"] {
        let page = again.open(page).await;
        assert!(page.status.is_success(), "{page:?}");
        assert!(!page.text().contains("Harbour survey"));
    }

    app.unlock().await;
    assert_eq!(browser.get(&path).await.text(), "hello");
    for question in ["/state".to_owned(), format!("/state?workspace={workspace}")] {
        assert_eq!(browser.get(&question).await.text(), r#"{"lock":null}"#, "{question}");
    }
    app.stop().await;
}

async fn a_download_in_flight_breaks_off(database: Database) {
    let app = TestApp::start(database).await;
    let (workspace, browser) = (app.workspace().await, app.signed_in().await);
    // More than the buffers between the two ends can hold.
    let stored = browser.send(browser.upload(&workspace, "a.txt").body(vec![7; 48 * 1024 * 1024])).await;
    assert_eq!(stored.status, StatusCode::CREATED);
    let path = stored.header("location").unwrap().to_owned();
    let mut download = browser.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(download.status(), StatusCode::OK);
    download.chunk().await.unwrap().unwrap();
    app.lock().await;
    let mut received = 0;
    let end = loop {
        match timeout(Duration::from_secs(10), download.chunk()).await.expect("the download must not hang") {
            Ok(Some(bytes)) => received += bytes.len(),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    assert!(end.is_err(), "a part of the file was passed off as the whole, after {received} bytes");
    app.stop().await;
}

async fn an_upload_that_waits_ends_at_once(database: Database) {
    let app = TestApp::start(database).await;
    let (workspace, browser) = (app.workspace().await, app.signed_in().await);
    let mut connection = TcpStream::connect(app.address).await.unwrap();
    let head = format!(
        "POST /workspaces/{workspace}/files HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nX-File-Name: a\r\nContent-Length: 5000000\r\n\r\nsome",
        app.address,
        browser.cookie.clone().unwrap(),
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    app.until_object_notes(1).await;
    app.lock().await;
    let mut answer = vec![0; 12];
    timeout(Duration::from_secs(5), connection.read_exact(&mut answer)).await.expect("an answer at once").unwrap();
    assert_eq!(answer, b"HTTP/1.1 423");
    app.stop().await;
}
