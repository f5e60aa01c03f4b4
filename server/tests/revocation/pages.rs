//! Pages: none that was opened before a lock is sent after it, and none with opened data is kept by a browser.

use crate::{
    steps::{NOTE, Site, patient},
    support::{
        Answer, Database,
        kms_proxy::{Act, Operation, Rule},
        raw::{End, RawClient},
    },
};
use app::{model::workspace::limits::NOTE_BYTES, ports::WorkspacesPort};
use std::time::Duration;

fn is_not_kept(answer: &Answer) -> bool {
    let control = answer.header("cache-control").unwrap_or_default();
    control.split(',').any(|word| word.trim() == "no-store")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_response_with_opened_data_says_no_store() {
    let site = Site::new(Database::Sqlite, patient).await;
    let workspace = site.workspace("Claims triage").await;
    let file = site.file(&workspace, 100_000).await;
    let mut browser = site.app.signed_in().await;
    let page = browser.open(&format!("/workspaces/{workspace}")).await;
    assert!(page.text().contains(NOTE));
    let part = browser.send(browser.request(reqwest::Method::GET, &file).header("range", "bytes=5-99")).await;
    assert_eq!(part.status, 206);
    for answer in [
        page,
        part,
        browser.open("/workspaces").await,
        browser.get(&file).await,
        browser.send(browser.request(reqwest::Method::HEAD, &file)).await,
        browser.call("list_workspaces", &[]).await,
        browser.call("open_workspace", &[("workspace", &workspace)]).await,
        browser.call("create_note", &[("workspace", &workspace), ("text", "x")]).await,
        browser.send(browser.upload(&workspace, "a.txt").body("hello")).await,
    ] {
        assert!(answer.status.is_success(), "{answer:?}");
        assert!(is_not_kept(&answer), "{:?} {:?}", answer.status, answer.headers);
    }
    // So do the answers of a lock: a browser must not show them once the data is back.
    site.app.lock().await;
    for answer in [browser.open(&format!("/workspaces/{workspace}")).await, browser.get(&file).await] {
        assert!(is_not_kept(&answer), "{:?}", answer.headers);
    }
    site.app.unlock().await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_waits_in_front_of_a_client_is_not_sent_after_the_lock() {
    let site = Site::new(Database::Sqlite, patient).await;
    let workspace = site.workspace("Claims triage").await;
    for n in 0..30 {
        let text = format!("{NOTE} {n} {}", "x".repeat(NOTE_BYTES - 100));
        site.app.services.workspaces.create_note(&site.who, &workspace, &text).await.unwrap();
    }
    let browser = site.app.signed_in().await;
    let path = format!("/workspaces/{workspace}");
    let whole = browser.open(&path).await.body.len();
    assert!(whole > 30 * (NOTE_BYTES - 100));
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = RawClient::get(&browser, site.app.address, &path).await;
        client.read(10_000).await;
        clients.push(client);
    }
    site.app.lock().await;
    for mut client in clients {
        let before = client.received;
        assert_eq!(client.end().await, End::Reset);
        assert!(client.received - before < whole / 2, "{} of {whole} bytes", client.received);
    }
    site.app.unlock().await;
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_whose_key_arrives_after_the_lock_shows_nothing() {
    let site = Site::new(Database::Sqlite, patient).await;
    let workspace = site.workspace("Claims triage").await;
    // The ring is empty after a lock.
    site.app.lock().await;
    site.app.unlock().await;
    let browser = site.app.signed_in().await;
    let late = Act::Delay(Duration::from_secs(4));
    site.proxy.set([Rule::on(Operation::Decrypt, late).scope(&workspace)]);
    let mark = site.proxy.mark();
    let path = format!("/workspaces/{workspace}");
    let page = {
        let browser = browser.clone();
        let path = path.clone();
        tokio::spawn(async move { browser.request(reqwest::Method::GET, &path).send().await?.text().await })
    };
    site.proxy.until(mark, 1, "the key is asked for", |call| call.is_unwrap_of(&workspace)).await;
    // By the checks alone: KMS itself goes on, so that the late answer is a good one.
    let refusal = Act::Fail(400, "DisabledException");
    site.proxy.set([Rule::on(Operation::Decrypt, refusal).scope("organization")]);
    site.until_locked().await;
    // The page is told so, or breaks off. What it never does is to show what the late key would open.
    if let Ok(text) = page.await.unwrap() {
        assert!(!text.contains(NOTE));
    }
    site.proxy.clear();
    site.until_open().await;
    assert!(browser.open(&path).await.text().contains(NOTE));
    site.stop().await;
}
