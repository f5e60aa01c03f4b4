//! KMS gives no answer: access lasts for the grace, ends after it, and comes back by itself.

use crate::{
    steps::{LARGE, Site, quick},
    support::{
        Database, content,
        kms_proxy::{Act, Call, Operation, Rule},
        raw::End,
    },
};
use app::model::lock::LockCause;
use std::time::Duration;
use tokio::time::{Instant, sleep};

fn outages() -> [Act; 5] {
    [
        Act::Reset,
        Act::Hang,
        Act::Fail(400, "ThrottlingException"),
        Act::Fail(500, "KMSInternalException"),
        Act::Html(503),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_shorter_than_the_grace_is_not_felt() {
    let site = Site::new(Database::Sqlite, |config| {
        config.key_check = Duration::from_millis(200);
        config.outage_grace = Duration::from_secs(30);
    })
    .await;
    let workspace = site.workspace("Claims triage").await;
    let mut browser = site.app.signed_in().await;
    for outage in outages() {
        site.proxy.set([Rule::all(outage.clone())]);
        let until = Instant::now() + Duration::from_millis(1_500);
        while Instant::now() < until {
            assert_eq!(site.lock(), None, "{outage:?}");
            let read = browser.call("open_workspace", &[("workspace", &workspace)]).await;
            assert!(read.status.is_success(), "{outage:?}: {read:?}");
            sleep(Duration::from_millis(20)).await;
        }
        let mark = site.proxy.mark();
        site.proxy.clear();
        site.proxy.until(mark, 2, "checks pass again", Call::is_good).await;
        assert_eq!(site.lock(), None);
    }
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_longer_one_ends_access_and_its_end_brings_it_back() {
    let site = Site::new(Database::Sqlite, quick).await;
    let workspace = site.workspace("Claims triage").await;
    let path = site.file(&workspace, LARGE).await;
    let browser = site.app.signed_in().await;
    let mut download = site.stalled_download(&browser, &path).await;
    site.proxy.set([Rule::all(Act::Hang)]);
    assert_eq!(site.until_locked().await.cause, LockCause::Unreachable);
    assert_eq!(browser.get(&path).await.status, 423);
    assert_eq!(download.end().await, End::Reset);
    assert!(download.received < LARGE / 2);
    site.proxy.clear();
    site.until_open().await;
    let again = browser.get(&path).await;
    assert!(again.body == content(LARGE), "nothing is lost");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_answer_after_an_outage_does_not_unlock_amid_silence() {
    let site = Site::new(Database::Sqlite, quick).await;
    site.proxy.set([Rule::all(Act::Reset)]);
    site.until_locked().await;
    // One good answer at a time, and a failure after each.
    let failure = || Rule::all(Act::Fail(500, "KMSInternalException"));
    for _ in 0..4 {
        let mark = site.proxy.mark();
        site.proxy.set([Rule::on(Operation::Decrypt, Act::Pass).times(1), failure()]);
        site.proxy.until(mark, 2, "a success, then a failure", |call| call.is_check() && call.answer.is_some()).await;
        assert!(site.lock().is_some(), "one answer has unlocked it");
    }
    site.proxy.clear();
    site.until_open().await;
    site.stop().await;
}
