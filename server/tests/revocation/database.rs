//! A database that cannot be reached, while KMS can or cannot: access ends with the lease, and returns with the database.

use crate::{
    steps::{LARGE, NOTE, Site, quick},
    support::{
        Browser, Database, Ground, content,
        kms_proxy::{Act, Call, KmsProxy, Rule},
        raw::End,
        tcp_proxy::TcpProxy,
    },
};
use app::{model::lock::LockCause, ports::OrganizationPort};
use server::config::DatabaseUrl;
use std::time::Duration;

/// A server that reaches its database through a proxy, with a workspace, a file and somebody who has signed in.
struct Behind {
    site: Site,
    line: TcpProxy,
    browser: Browser,
    workspace: String,
    file: String,
}

impl Behind {
    async fn new() -> Self {
        let ground = Ground::new(Database::Postgres).await;
        let line = TcpProxy::start(&ground.url).await;
        let proxy = KmsProxy::start().await;
        let app = ground
            .start(&proxy.url, |config| {
                quick(config);
                config.database_url = DatabaseUrl::parse(&line.url).unwrap();
            })
            .await;
        let who = app.administrator().await;
        let site = Site { app, proxy, who };
        let workspace = site.workspace("Claims triage").await;
        let file = site.file(&workspace, LARGE).await;
        let browser = site.app.signed_in().await;
        Self { site, line, browser, workspace, file }
    }

    /// A download that began before ends, and nothing new is opened.
    async fn access_ends(&self, trouble: impl FnOnce()) {
        let mut download = self.site.stalled_download(&self.browser, &self.file).await;
        trouble();
        // The services directly: sessions are in the database too, so over HTTP nobody is known now.
        let face = self.site.until_locked().await;
        assert_eq!((face.cause, face.refused_at), (LockCause::Unreachable, None), "{face:?}");
        assert_eq!(download.end().await, End::Reset);
        assert!(download.received < LARGE / 2, "{} bytes", download.received);
        assert_eq!(self.browser.get("/healthz").await.status, 200);
        let ready = self.browser.get("/readyz").await;
        assert!(ready.status.is_success() && ready.text().contains("locked"), "{ready:?}");
    }

    /// Everything is back, by itself.
    async fn access_returns(&self) {
        self.site.until_open().await;
        let path = format!("/workspaces/{}", self.workspace);
        for _ in 0..300 {
            let page = self.browser.open(&path).await;
            if page.status.is_success() && page.text().contains(NOTE) {
                let file = self.browser.get(&self.file).await;
                assert!(file.body == content(LARGE), "nothing is lost");
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the workspace does not open");
    }

    async fn stop(self) {
        self.site.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_cut_off_ends_access_and_its_return_brings_it_back() {
    let behind = Behind::new().await;
    behind.access_ends(|| behind.line.cut()).await;
    behind.line.restore();
    behind.access_returns().await;
    behind.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_behind_a_black_hole_ends_access_and_new_connections_bring_it_back() {
    let behind = Behind::new().await;
    behind.access_ends(|| behind.line.black_hole()).await;
    // The old connections never answer again, and nobody is told.
    behind.line.restore();
    behind.access_returns().await;
    // So that the end of the test need not wait for them.
    behind.line.cut();
    behind.line.restore();
    behind.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kms_out_of_reach_while_the_database_works_says_so_and_people_can_sign_in() {
    let behind = Behind::new().await;
    behind.access_ends(|| behind.site.proxy.set([Rule::all(Act::Reset)])).await;
    assert_eq!(behind.browser.get(&behind.file).await.status, 423);
    let again = behind.site.app.signed_in().await;
    let page = again.open("/settings/data-encryption").await;
    assert!(page.status.is_success() && page.text().contains("Locked: AWS cannot be reached"), "{page:?}");
    behind.site.proxy.clear();
    behind.access_returns().await;
    behind.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_out_of_reach_end_access_and_it_takes_both_to_bring_it_back() {
    let behind = Behind::new().await;
    behind
        .access_ends(|| {
            behind.line.black_hole();
            behind.site.proxy.set([Rule::all(Act::Hang)]);
        })
        .await;
    behind.line.restore();
    let mark = behind.site.proxy.mark();
    behind.site.proxy.until(mark, 2, "it reads the database and asks KMS again", Call::is_check).await;
    assert!(behind.site.app.services.organization.lock().is_some());
    behind.site.proxy.clear();
    behind.access_returns().await;
    behind.line.cut();
    behind.line.restore();
    behind.stop().await;
}
