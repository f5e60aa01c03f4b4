//! Three real server processes over one database and one folder of objects, each with a KMS proxy and a database line of its own.

use super::load::{Counts, Load, Seen};
use crate::support::{Browser, Database, Ground, content, kms_proxy::KmsProxy, program::Program, tcp_proxy::TcpProxy};
use app::model::{
    encryption::{DataEncryption, RootKind},
    job::JobState,
    lock::LockFace,
    workspace::FileEntry,
};
use sea_orm::{ColumnTrait, Database as Connection, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter};
use server::store::entities::{lock_event, note};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

pub const SERVERS: usize = 3;
/// Bytes of the file that is downloaded: some seconds for a client that takes its time.
pub const FILE: usize = 24 * 1024 * 1024;
/// What every note says.
pub const NOTE: &str = "Zyxomma-note-6630";
/// How long is waited for what must come, before it counts as broken.
pub const PATIENCE: Duration = Duration::from_mins(1);
const WORKSPACES: usize = 4;

/// One server with its surroundings.
pub struct Server {
    pub number: usize,
    pub program: Program,
    pub kms: KmsProxy,
    pub line: TcpProxy,
    /// Signed in. All servers know the same sessions.
    pub browser: Browser,
    pub seen: Arc<Seen>,
    pub counts: Arc<Counts>,
}

/// All of them, at load.
pub struct Fleet {
    pub servers: Vec<Server>,
    /// The customer's key, which is in control.
    pub key: String,
    pub content: Content,
    pub database: DatabaseConnection,
    load: Load,
}

/// What there is to be read.
#[derive(Clone)]
pub struct Content {
    pub workspaces: Vec<String>,
    pub file: String,
}

/// A ground with workspaces and a file under a key of the customer's.
pub struct FilledGround {
    ground: Arc<Ground>,
    key: String,
    content: Content,
}

/// Makes one, with a server that is then stopped again.
pub async fn filled_ground() -> FilledGround {
    let ground = Ground::new(Database::Postgres).await;
    let program = Program::start_on(&ground, "log-of-the-first", &[]).await;
    let mut browser = program.signed_in().await;
    for n in 0..WORKSPACES {
        browser.call("create_workspace", &[("name", &format!("Survey {n}")), ("description", "")]).await;
    }
    let listed: serde_json::Value = browser.call("list_workspaces", &[]).await.json();
    let ids = listed["items"].as_array().unwrap().iter();
    let workspaces: Vec<_> = ids.map(|item| item["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(workspaces.len(), WORKSPACES);
    for workspace in &workspaces {
        for n in 0..10 {
            let text = format!("{NOTE} {n} {}", "and so on ".repeat(50));
            browser.call("create_note", &[("workspace", workspace), ("text", &text)]).await;
        }
    }
    let upload = browser.upload(&workspaces[0], "large.bin").body(content(FILE));
    let file: FileEntry = browser.send(upload).await.json();
    let file = format!("/workspaces/{}/files/{}", workspaces[0], file.id);
    let key = ground.keys.create().await;
    browser.call("activate_key", &[("arn", &key)]).await;
    let patience = Instant::now() + PATIENCE;
    loop {
        let seen: DataEncryption = browser.call("data_encryption", &[]).await.json();
        if seen.root.kind == RootKind::Customer && seen.job.is_some_and(|job| job.state == JobState::Complete) {
            return FilledGround { ground, key, content: Content { workspaces, file } };
        }
        assert!(Instant::now() < patience, "the key was not activated");
        sleep(Duration::from_millis(100)).await;
    }
}

/// Removes its database, once no server stands on it any more.
pub async fn remove(filled: FilledGround) {
    filled.ground.remove().await;
}

impl Fleet {
    /// Starts the servers, with the usual interval between two key checks, and the clients.
    pub async fn start(filled: &FilledGround, grace: Duration) -> Self {
        let mut servers = Vec::new();
        let mut cookie = None;
        for number in 0..SERVERS {
            let (kms, line) = (KmsProxy::start().await, TcpProxy::start(&filled.ground.url).await);
            let grace = grace.as_secs().to_string();
            let environment = [
                ("DATABASE_URL", line.url.as_str()),
                ("AWS_ENDPOINT_URL_KMS", &kms.url),
                ("KEYSTEAD_OUTAGE_GRACE_SECONDS", &grace),
                ("KEYSTEAD_KEY_CHECK_SECONDS", "5"),
            ];
            let program = Program::start_on(&filled.ground, &format!("log-{number}"), &environment).await;
            let mut browser = Browser::new(program.address, false);
            if cookie.is_none() {
                cookie = program.signed_in().await.cookie;
            }
            browser.cookie.clone_from(&cookie);
            servers.push(Server { number, program, kms, line, browser, seen: Arc::default(), counts: Arc::default() });
        }
        let load = Load::start(&servers, &filled.content);
        let database = Connection::connect(&filled.ground.url).await.unwrap();
        let fleet = Self { servers, key: filled.key.clone(), content: filled.content.clone(), database, load };
        fleet.until_served().await;
        fleet
    }

    /// Waits until every server gives data again. Gives when each first did.
    pub async fn until_served(&self) -> Vec<Instant> {
        let from = Instant::now();
        self.until_served_since(from).await
    }

    /// Waits until every server has given data since `from`. Gives when each first did.
    pub async fn until_served_since(&self, from: Instant) -> Vec<Instant> {
        let mut first = Vec::new();
        for server in &self.servers {
            first.push(server.until_served_since(from).await);
        }
        first
    }

    /// Waits until every server says that it is locked.
    pub async fn until_locked(&self) {
        for server in &self.servers {
            server.until_locked().await;
        }
    }

    pub async fn disable_key(&self) {
        self.servers[0].program.keys.disable(&self.key).await;
    }

    pub async fn enable_key(&self) {
        self.servers[0].program.keys.enable(&self.key).await;
    }

    /// The servers' own account of the locks since `since_ms`, once all of them are complete: their ends, in Unix
    /// milliseconds.
    pub async fn accounts(&self, since_ms: i64) -> Vec<lock_event::Model> {
        let patience = Instant::now() + PATIENCE;
        loop {
            let since = lock_event::Column::LockedAt.gte(since_ms);
            let everything = lock_event::Column::Scope.is_null();
            let events = lock_event::Entity::find().filter(since).filter(everything).all(&self.database).await.unwrap();
            if events.len() >= SERVERS && events.iter().all(|event| event.ended_at.is_some()) {
                return events;
            }
            assert!(Instant::now() < patience, "the servers' account is not complete: {events:?}");
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// How many notes are stored.
    pub async fn notes(&self) -> u64 {
        note::Entity::find().count(&self.database).await.unwrap()
    }

    /// Ends clients and servers.
    pub async fn stop(self) {
        self.load.stop().await;
        self.database.close().await.unwrap();
    }
}

impl Server {
    /// Why it is locked, if it is; `Err` if it does not answer.
    pub async fn lock(&self) -> Result<Option<LockFace>, ()> {
        let asked = self.browser.request(reqwest::Method::GET, "/state").timeout(Duration::from_secs(2)).send().await;
        let body = asked.map_err(|_| ())?.bytes().await.map_err(|_| ())?;
        let state: serde_json::Value = serde_json::from_slice(&body).map_err(|_| ())?;
        let face = state.get("lock").ok_or(())?.clone();
        serde_json::from_value(face).map_err(|_| ())
    }

    pub async fn until_locked(&self) {
        let patience = Instant::now() + PATIENCE;
        while !matches!(self.lock().await, Ok(Some(_))) {
            assert!(Instant::now() < patience, "server {} does not lock", self.number + 1);
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// The same for a server that cannot read its sessions: the probe knows too.
    pub async fn until_locked_without_sessions(&self) {
        let patience = Instant::now() + PATIENCE;
        loop {
            let asked =
                self.browser.request(reqwest::Method::GET, "/readyz").timeout(Duration::from_secs(2)).send().await;
            if let Ok(answer) = asked
                && answer.text().await.is_ok_and(|said| said.contains("locked"))
            {
                return;
            }
            assert!(Instant::now() < patience, "server {} does not lock", self.number + 1);
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until it gives data, and gives when that was.
    pub async fn until_served_since(&self, from: Instant) -> Instant {
        let patience = Instant::now() + PATIENCE;
        loop {
            if let Some(first) = self.seen.first_since(from) {
                return first;
            }
            assert!(Instant::now() < patience, "server {} gives no data: {:?}", self.number + 1, self.lock().await);
            sleep(Duration::from_millis(20)).await;
        }
    }
}
