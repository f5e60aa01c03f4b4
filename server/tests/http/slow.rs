//! Clients that send or take nothing, or next to nothing: none of them holds a connection for ever, nothing is left of what
//! they began, and everybody else is served meanwhile. How long each wait lasts is not looked at, only that it ends.

use crate::{
    on_both_databases,
    support::{
        Browser, Database, PATIENCE, TestApp, content,
        raw::{End, RawClient},
    },
};
use app::ports::WorkspacesPort;
use server::http::patience::Patience;
use std::time::Duration;
use tokio::time::{Instant, sleep};

on_both_databases!(
    a_head_that_does_not_come_to_its_end_is_not_waited_for,
    a_connection_on_which_nothing_comes_ends,
    a_form_that_does_not_come_to_its_end_does_nothing,
    an_upload_that_stands_still_leaves_nothing,
    a_client_that_takes_nothing_is_cut_off,
);

const SHORT: Duration = Duration::from_millis(300);

async fn app(database: Database, change: impl FnOnce(&mut Patience)) -> TestApp {
    TestApp::start_with(database, |config| change(&mut config.patience)).await
}

async fn others_are_served(app: &TestApp) {
    assert_eq!(app.browser().get("/healthz").await.status, 200);
}

async fn a_head_that_does_not_come_to_its_end_is_not_waited_for(database: Database) {
    let app = app(database, |patience| patience.head = SHORT).await;
    for begun in ["G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\nCookie: k"] {
        let mut client = RawClient::send(app.address, begun.as_bytes()).await;
        client.end().await;
        assert!(!client.seen_status(200), "{begun:?}");
    }
    // One byte after the other: that something comes must not be enough.
    let mut client = RawClient::send(app.address, b"GET / HTTP/1.1\r\nX-Slow: ").await;
    let patience = Instant::now() + PATIENCE;
    while client.write(b"a").await.is_ok() {
        assert!(Instant::now() < patience, "the connection is still held");
        sleep(Duration::from_millis(20)).await;
    }
    others_are_served(&app).await;
    app.stop().await;
}

async fn a_connection_on_which_nothing_comes_ends(database: Database) {
    let app = app(database, |patience| patience.head = SHORT).await;
    assert_eq!(RawClient::send(app.address, b"").await.end().await, End::Closed);
    // Also after a request that was answered.
    let mut client = RawClient::send(app.address, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(client.end().await, End::Closed);
    assert!(client.seen_status(200));
    others_are_served(&app).await;
    app.stop().await;
}

/// The head of a call with a body of a thousand bytes, of which some are sent.
fn half_a_call(browser: &Browser, app: &TestApp, function: &str, body: &str) -> String {
    format!(
        "POST /api/{function} HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\nCookie: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n{body}",
        app.address,
        browser.cookie.as_deref().unwrap(),
    )
}

async fn a_form_that_does_not_come_to_its_end_does_nothing(database: Database) {
    let app = app(database, |patience| patience.request = SHORT).await;
    let browser = app.signed_in().await;
    let request = half_a_call(&browser, &app, "create_workspace", "description=&name=Half");
    let mut client = RawClient::send(app.address, request.as_bytes()).await;
    client.end().await;
    assert!(client.seen_status(503) && client.seen("unavailable"));
    // The same without an announced length.
    let request = request.replace("Content-Length: 1000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n40\r\n");
    let mut client = RawClient::send(app.address, request.as_bytes()).await;
    client.end().await;
    assert!(client.seen_status(503) && client.seen("unavailable"));
    let who = app.administrator().await;
    assert!(app.services.workspaces.list(&who, None).await.unwrap().items.is_empty());
    others_are_served(&app).await;
    app.stop().await;
}

async fn an_upload_that_stands_still_leaves_nothing(database: Database) {
    let app = app(database, |patience| patience.upload = SHORT).await;
    let (workspace, browser) = (app.workspace().await, app.signed_in().await);
    let head = format!(
        "POST /workspaces/{workspace}/files HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nX-File-Name: a.txt\r\n\
         Content-Type: text/plain\r\nContent-Length: 100000\r\n\r\nthe beginning",
        app.address,
        browser.cookie.as_deref().unwrap(),
    );
    let mut client = RawClient::send(app.address, head.as_bytes()).await;
    client.end().await;
    assert!(client.seen_status(503) && client.seen("connection"));
    let who = app.administrator().await;
    assert!(app.services.workspaces.files(&who, &workspace, None).await.unwrap().items.is_empty());
    app.until_object_notes(0).await;
    assert_eq!(app.stored_objects(), 0);
    app.stop().await;
}

async fn a_client_that_takes_nothing_is_cut_off(database: Database) {
    let app = app(database, |patience| patience.taking = SHORT).await;
    let (workspace, browser) = (app.workspace().await, app.signed_in().await);
    let size = 16 * 1024 * 1024;
    let uploaded = browser.send(browser.upload(&workspace, "large.bin").body(content(size))).await;
    let path = uploaded.header("location").unwrap().to_owned();
    let mut client = RawClient::get(&browser, app.address, &path).await;
    client.read(1).await;
    // Whether it was cut off is seen without taking anything: nothing can be sent on it any more.
    let patience = Instant::now() + PATIENCE;
    while client.write(b"\r\n").await.is_ok() {
        assert!(Instant::now() < patience, "the connection is still held");
        sleep(Duration::from_millis(20)).await;
    }
    client.end().await;
    assert!(client.received < size, "all of it was sent");
    // Somebody who takes it is given all of it.
    assert_eq!(browser.get(&path).await.body, content(size));
    app.stop().await;
}
