//! A process that is stopped past the end of its lease, and continued: as a virtual machine that was paused.

use crate::{
    steps::{LARGE, NOTE},
    support::{
        Browser, Database, Ground, content,
        kms_proxy::{Act, Call, KmsProxy, Operation, Rule},
        program::Program,
        raw::{End, RawClient},
    },
};
use app::model::workspace::FileEntry;
use std::time::Duration;
use tokio::time::sleep;

/// The shortest grace that the program takes.
const GRACE_SECONDS: u64 = 10;

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_was_stopped_past_its_lease_opens_nothing_when_it_goes_on() {
    let (ground, proxy) = (Ground::new(Database::Postgres).await, KmsProxy::start().await);
    let grace = GRACE_SECONDS.to_string();
    let environment = [("AWS_ENDPOINT_URL_KMS", proxy.url.as_str()), ("KEYSTEAD_OUTAGE_GRACE_SECONDS", &grace)];
    let program = Program::start_on(&ground, "log", &environment).await;
    let mut browser = program.signed_in().await;
    browser.call("create_workspace", &[("name", "Survey"), ("description", "")]).await;
    let listed: serde_json::Value = browser.call("list_workspaces", &[]).await.json();
    let workspace = listed["items"][0]["id"].as_str().unwrap().to_owned();
    browser.call("create_note", &[("workspace", &workspace), ("text", NOTE)]).await;
    let upload = browser.upload(&workspace, "large.bin").body(content(LARGE));
    let file = browser.send(upload).await.json::<FileEntry>().id;
    let path = format!("/workspaces/{workspace}/files/{file}");

    // Two clients in the middle of a download: one that waits, and one that reads.
    let mut waiting = RawClient::get(&browser, program.address, &path).await;
    waiting.read(1_000_000).await;
    let mut reading = RawClient::get(&browser, program.address, &path).await;
    reading.read(1_000_000).await;
    // The server has filled all buffers and waits for the clients.
    sleep(Duration::from_secs(1)).await;
    program.freeze();
    // What the kernel had is all that there is: the clients take it, and then nothing comes.
    assert_eq!(reading.drain(Duration::from_secs(1)).await, None);
    assert_eq!(waiting.drain(Duration::from_secs(1)).await, None);
    let (had_waiting, had_reading) = (waiting.received, reading.received);
    assert!(had_waiting < LARGE && had_reading < LARGE, "the downloads were not in the middle");
    sleep(Duration::from_secs(GRACE_SECONDS + 1)).await;

    // KMS stays silent at first, so that nothing can be renewed meanwhile.
    proxy.set([Rule::on(Operation::Decrypt, Act::Hang)]);
    let before = proxy.mark();
    program.thaw();
    assert_eq!(waiting.end().await, End::Reset);
    assert_eq!(reading.end().await, End::Reset);
    assert_eq!(waiting.received, had_waiting, "it gave away what it had opened before");
    assert_eq!(reading.received, had_reading, "it gave away what it had opened before");
    nothing_opens(&browser, &workspace, &path).await;
    proxy.until(before, 1, "it asks again", Call::is_check).await;
    nothing_opens(&browser, &workspace, &path).await;

    // One good answer alone, then silence again: still nothing.
    let mark = proxy.mark();
    proxy.set([Rule::on(Operation::Decrypt, Act::Pass).times(1), Rule::on(Operation::Decrypt, Act::Hang)]);
    proxy.until(mark, 1, "one good answer", |call| call.is_check() && call.is_good()).await;
    proxy.until(mark, 2, "and the question after it", Call::is_check).await;
    nothing_opens(&browser, &workspace, &path).await;

    proxy.clear();
    for _ in 0..300 {
        let page = browser.open(&format!("/workspaces/{workspace}")).await;
        if page.text().contains(NOTE) {
            assert!(browser.get(&path).await.body == content(LARGE), "nothing is lost");
            drop(program);
            ground.remove().await;
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("access did not return: {}", program.logged());
}

async fn nothing_opens(browser: &Browser, workspace: &str, path: &str) {
    assert_eq!(browser.get(path).await.status, 423);
    assert!(!browser.open(&format!("/workspaces/{workspace}")).await.text().contains(NOTE));
    assert_eq!(browser.clone().call("open_workspace", &[("workspace", workspace)]).await.status, 423);
}
