//! Events, and stopping in order.

use crate::{
    on_both_databases,
    support::{Database, TestApp},
};
use reqwest::{Method, StatusCode};
use std::time::Duration;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};

on_both_databases!(events_tell_of_changes_and_end_when_the_server_stops, running_requests_come_to_their_end);

const PATIENCE: Duration = Duration::from_secs(20);

async fn events_tell_of_changes_and_end_when_the_server_stops(database: Database) {
    let mut app = TestApp::start(database).await;
    let nobody = app.browser().get("/settings/data-encryption/events").await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);

    let browser = app.signed_in().await;
    let mut events = browser.request(Method::GET, "/settings/data-encryption/events").send().await.unwrap();
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    let first = timeout(PATIENCE, events.chunk()).await.unwrap().unwrap().unwrap();
    assert_eq!(&first[..], b"data: changed\n\n");
    app.keys.disable(&app.keys.provider).await;
    let lock = async { while !events.chunk().await.unwrap().unwrap().starts_with(b"data: changed") {} };
    timeout(PATIENCE, lock).await.expect("an event when data is locked");

    let asked = Instant::now();
    app.ask_to_stop();
    while timeout(PATIENCE, events.chunk()).await.unwrap().unwrap().is_some() {}
    let address = app.address;
    app.ended().await;
    assert!(asked.elapsed() < Duration::from_secs(8), "nobody else had to be waited for: {:?}", asked.elapsed());
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

async fn running_requests_come_to_their_end(database: Database) {
    let mut app = TestApp::start(database).await;
    let (workspace, browser) = (app.workspace().await, app.signed_in().await);
    let stored = browser.send(browser.upload(&workspace, "a.txt").body(vec![7; 24 * 1024 * 1024])).await;
    let path = stored.header("location").unwrap().to_owned();
    let mut download = browser.request(Method::GET, &path).send().await.unwrap();
    let mut received = download.chunk().await.unwrap().unwrap().len();
    app.ask_to_stop();
    while let Some(bytes) = timeout(PATIENCE, download.chunk()).await.unwrap().unwrap() {
        received += bytes.len();
    }
    assert_eq!(received, 24 * 1024 * 1024);
    app.ended().await;
}
