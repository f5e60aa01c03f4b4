//! Steps that many tests take.

use crate::support::{Browser, Database, Ground, TestApp, content, kms_proxy::KmsProxy, raw::RawClient};
use app::{
    model::{encryption::RootKind, job::JobState, lock::LockFace},
    ports::{EncryptionPort, OrganizationPort, Principal, WorkspacesPort},
};
use bytes::Bytes;
use server::config::Config;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

/// How long access lasts without an answer, in most tests.
pub const GRACE: Duration = Duration::from_secs(3);
/// What notes say, to be found again in what a server sends.
pub const NOTE: &str = "Zyxomma-note-5521";
/// More than all buffers between two ends can hold.
pub const LARGE: usize = 48 * 1024 * 1024;

/// Checks often, and gives up soon.
pub fn quick(config: &mut Config) {
    config.key_check = Duration::from_millis(200);
    config.outage_grace = GRACE;
}

/// Checks often, and gives up late.
pub fn patient(config: &mut Config) {
    config.key_check = Duration::from_millis(200);
}

/// One server behind a proxy.
pub struct Site {
    pub app: TestApp,
    pub proxy: KmsProxy,
    pub who: Principal,
}

impl Site {
    pub async fn new(database: Database, change: impl FnOnce(&mut Config)) -> Self {
        Self::on(&Ground::new(database).await, change).await
    }

    /// One more server over a ground that others may share.
    pub async fn on(ground: &Arc<Ground>, change: impl FnOnce(&mut Config)) -> Self {
        let proxy = KmsProxy::start().await;
        let app = ground.start(&proxy.url, change).await;
        let who = app.administrator().await;
        Self { app, proxy, who }
    }

    /// Activates a new key and waits until everything is re-encrypted.
    pub async fn activate(&self) -> String {
        let arn = self.app.keys.create().await;
        self.app.services.encryption.activate(&self.who, &arn).await.unwrap();
        for _ in 0..1_000 {
            let seen = self.app.services.encryption.view(&self.who, None).await.unwrap();
            let job = seen.job.unwrap();
            if !job.state.is_unfinished() {
                assert_eq!((job.state, seen.root.kind), (JobState::Complete, RootKind::Customer));
                return arn;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("the job did not end");
    }

    /// Why everything is locked, if it is.
    pub fn lock(&self) -> Option<LockFace> {
        self.app.services.organization.lock()
    }

    pub async fn until_locked(&self) -> LockFace {
        self.app.until("everything is locked", |app| app.services.organization.lock().is_some()).await;
        self.lock().expect("nothing may unlock by itself in between")
    }

    pub async fn until_open(&self) {
        self.app.until("everything is open", |app| app.services.organization.lock().is_none()).await;
    }

    /// A new workspace with one note.
    pub async fn workspace(&self, name: &str) -> String {
        let port = &self.app.services.workspaces;
        let id = port.create(&self.who, name, "what it is for").await.unwrap().id;
        port.create_note(&self.who, &id, NOTE).await.unwrap();
        id
    }

    /// The path of a new file.
    pub async fn file(&self, workspace: &str, bytes: usize) -> String {
        let files = &self.app.services.files;
        let upload = files.begin_upload(&self.who, workspace, "large.bin", "text/plain", Some(bytes as u64)).await;
        let mut upload = upload.unwrap();
        let content = Bytes::from(content(bytes));
        for start in (0..bytes).step_by(1 << 20) {
            upload.write(content.slice(start..bytes.min(start + (1 << 20)))).await.unwrap();
        }
        format!("/workspaces/{workspace}/files/{}", upload.finish().await.unwrap().id)
    }

    /// A download that has begun, whose client does not read on.
    pub async fn stalled_download(&self, browser: &Browser, path: &str) -> RawClient {
        let mut client = RawClient::get(browser, self.app.address, path).await;
        client.read(1_000_000).await;
        assert!(client.seen_status(200), "it has begun");
        client
    }

    pub async fn stop(self) {
        self.app.stop().await;
    }
}
