//! What is under way when the lock comes: transfers in both directions and event streams, of clients that read and that do not.

use crate::{
    steps::{LARGE, Site, patient},
    support::{
        Database,
        raw::{End, RawClient},
    },
};
use sea_orm::{EntityTrait, QueryOrder};
use server::store::entities::lock_event;
use std::time::Duration;
use tokio::time::sleep;

/// Much more than the kernel holds for a client that has asked for small buffers, and much less than the file.
const BUFFERS: usize = 4 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn downloads_whose_clients_do_not_read_are_reset() {
    let site = Site::new(Database::Postgres, patient).await;
    let arn = site.activate().await;
    let workspace = site.workspace("Claims triage").await;
    let path = site.file(&workspace, LARGE).await;
    let browser = site.app.signed_in().await;
    let mut stalled = Vec::new();
    for _ in 0..8 {
        stalled.push(site.stalled_download(&browser, &path).await);
    }
    site.app.keys.disable(&arn).await;
    site.until_locked().await;
    // Each has been told by the kernel, whether it reads or not; what it finds is what was on the way.
    for client in &mut stalled {
        let before = client.received;
        assert_eq!(client.end().await, End::Reset);
        assert!(client.received - before < BUFFERS, "{} bytes came after the lock", client.received - before);
    }
    assert_eq!(browser.get("/healthz").await.status, 200);

    // The server's own account of it.
    let event = event(&site).await;
    assert!(event.cut >= 8, "{event:?}");
    assert!(event.ended_at.is_some_and(|ended| ended >= event.locked_at), "{event:?}");
    assert!(event.last_byte_at.is_some(), "{event:?}");
    site.app.keys.enable(&arn).await;
    site.until_open().await;
    site.stop().await;
}

/// The account of the last lock, once the server has written all of it.
async fn event(site: &Site) -> lock_event::Model {
    for _ in 0..500 {
        let newest = lock_event::Entity::find().order_by_desc(lock_event::Column::LockedAt);
        if let Some(event) = newest.one(site.app.services.store.read()).await.unwrap()
            && event.ended_at.is_some()
        {
            return event;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("there is no account of the lock");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_is_being_read_breaks_off_in_the_middle() {
    let site = Site::new(Database::Sqlite, patient).await;
    let workspace = site.workspace("Claims triage").await;
    let path = site.file(&workspace, LARGE).await;
    let browser = site.app.signed_in().await;
    let mut client = site.stalled_download(&browser, &path).await;
    // Slowly, so that it is not through before the lock.
    let reading = tokio::spawn(async move {
        while client.received < LARGE {
            if let Some(end) = client.piece().await {
                return (end, client.received);
            }
            sleep(Duration::from_millis(20)).await;
        }
        (End::Closed, client.received)
    });
    site.app.lock().await;
    let (end, received) = reading.await.unwrap();
    assert!(end == End::Reset && received < LARGE, "{end:?} after {received} bytes");
    site.app.unlock().await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_and_event_streams_end_too() {
    let site = Site::new(Database::Postgres, patient).await;
    let workspace = site.workspace("Claims triage").await;
    let browser = site.app.signed_in().await;
    let head = format!(
        "POST /workspaces/{workspace}/files HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nX-File-Name: a\r\nContent-Length: 5000000\r\n\r\nsome",
        site.app.address,
        browser.cookie.clone().unwrap(),
    );
    let mut upload = RawClient::send(site.app.address, head.as_bytes()).await;
    site.app.until_object_notes(1).await;
    let head = format!(
        "GET /settings/data-encryption/events HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nConnection: close\r\n\r\n",
        site.app.address,
        browser.cookie.clone().unwrap(),
    );
    let mut events = RawClient::send(site.app.address, head.as_bytes()).await;
    events.read(100).await;
    assert!(events.seen_status(200));
    // It stays open for as long as nothing happens.
    while !events.seen("changed") {
        events.read(1).await;
    }
    assert_eq!(events.drain(Duration::from_millis(500)).await, None);
    site.app.lock().await;
    events.end().await;
    upload.end().await;
    assert!(upload.received == 0 || upload.seen_status(423));
    site.app.unlock().await;
    site.app.until_object_notes(0).await;
    assert_eq!(site.app.stored_objects(), 0, "nothing is left of the upload");
    site.stop().await;
}
