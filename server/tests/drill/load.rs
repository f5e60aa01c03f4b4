//! The clients: readers of pages, writers of notes, long downloads, and clients that stop reading. They go on through every
//! lock, and note each moment at which they were given opened data.

use super::fleet::{Content, FILE, NOTE, Server};
use crate::support::{
    Browser,
    raw::{End, RawClient},
};
use reqwest::Method;
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// Clients of each kind, for each server.
const READERS: usize = 3;
const WRITERS: usize = 2;
const DOWNLOADS: usize = 2;
/// How long a client waits between two requests, and between two pieces of a download.
const PAUSE: Duration = Duration::from_millis(100);
const PIECE_PAUSE: Duration = Duration::from_millis(20);
/// How long a request may take.
const TIME: Duration = Duration::from_secs(5);

/// When the clients of one server were given opened data.
#[derive(Default)]
pub struct Seen(Mutex<Vec<Instant>>);

/// What the clients of one server did.
#[derive(Default)]
pub struct Counts {
    pub pages: AtomicU64,
    pub notes: AtomicU64,
    pub bytes: AtomicU64,
    /// Downloads that were broken off.
    pub resets: AtomicU64,
    /// Requests that were told of a lock.
    pub locked: AtomicU64,
}

impl Seen {
    fn at(&self, when: Instant) {
        self.0.lock().unwrap().push(when);
    }

    /// The last moment so far.
    pub fn last(&self) -> Option<Instant> {
        self.0.lock().unwrap().iter().max().copied()
    }

    pub fn first_since(&self, from: Instant) -> Option<Instant> {
        self.0.lock().unwrap().iter().filter(|when| **when >= from).min().copied()
    }

    /// How often in between.
    pub fn between(&self, from: Instant, to: Instant) -> usize {
        self.0.lock().unwrap().iter().filter(|when| (from..to).contains(*when)).count()
    }

    /// The longest time without data in between.
    pub fn longest_gap(&self, from: Instant, to: Instant) -> Duration {
        let mut moments: Vec<_> =
            self.0.lock().unwrap().iter().filter(|when| (from..to).contains(*when)).copied().collect();
        moments.extend([from, to]);
        moments.sort();
        moments.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }

    /// Forgets all moments, so that looking at them does not take longer and longer.
    pub fn forget(&self) {
        self.0.lock().unwrap().clear();
    }
}

/// Running clients.
pub struct Load {
    stop: CancellationToken,
    clients: JoinSet<()>,
}

/// What a client needs.
#[derive(Clone)]
struct Client {
    browser: Browser,
    address: SocketAddr,
    content: Content,
    seen: Arc<Seen>,
    counts: Arc<Counts>,
}

impl Load {
    pub fn start(servers: &[Server], content: &Content) -> Self {
        let (stop, mut clients) = (CancellationToken::new(), JoinSet::new());
        for server in servers {
            let client = Client {
                browser: server.browser.clone(),
                address: server.program.address,
                content: content.clone(),
                seen: Arc::clone(&server.seen),
                counts: Arc::clone(&server.counts),
            };
            for n in 0..READERS {
                spawn(&mut clients, &stop, client.clone().read(n));
            }
            for n in 0..WRITERS {
                spawn(&mut clients, &stop, client.clone().write(n));
            }
            for _ in 0..DOWNLOADS {
                spawn(&mut clients, &stop, client.clone().download());
            }
        }
        Self { stop, clients }
    }

    /// Ends them. A client that failed fails the drill.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while let Some(ended) = self.clients.join_next().await {
            ended.unwrap();
        }
    }
}

fn spawn(clients: &mut JoinSet<()>, stop: &CancellationToken, client: impl Future<Output = ()> + Send + 'static) {
    let stop = stop.clone();
    clients.spawn(async move {
        stop.run_until_cancelled(client).await;
    });
}

impl Client {
    /// Reads pages, as people see them and as scripts ask for them.
    async fn read(self, n: usize) {
        for turn in n.. {
            let workspace = &self.content.workspaces[turn % self.content.workspaces.len()];
            let request = if turn % 2 == 0 {
                self.browser.request(Method::GET, &format!("/workspaces/{workspace}"))
            } else {
                let fields = [("workspace", workspace.as_str())];
                self.browser.form("/api/open_workspace", &fields).header("accept", "application/json")
            };
            self.take(request.timeout(TIME)).await;
            sleep(PAUSE).await;
        }
    }

    /// Takes an answer piece by piece, and notes when the last piece of it came if there was opened data in it.
    async fn take(&self, request: reqwest::RequestBuilder) {
        let Ok(mut answer) = request.send().await else { return };
        if answer.status() == 423 {
            self.counts.locked.fetch_add(1, Ordering::Relaxed);
        }
        let (mut body, mut last) = (Vec::new(), Instant::now());
        while let Ok(Some(piece)) = answer.chunk().await {
            body.extend_from_slice(&piece);
            last = Instant::now();
        }
        if body.windows(NOTE.len()).any(|part| part == NOTE.as_bytes()) {
            self.seen.at(last);
            self.counts.pages.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes notes. Only those that were acknowledged are counted.
    async fn write(self, n: usize) {
        for turn in n.. {
            let workspace = self.content.workspaces[turn % self.content.workspaces.len()].as_str();
            let text = format!("{NOTE} of a writer, {turn}");
            let fields = [("workspace", workspace), ("text", text.as_str())];
            let request = self.browser.form("/api/create_note", &fields).header("accept", "application/json");
            if let Ok(answer) = request.timeout(TIME).send().await
                && answer.status().is_success()
                && answer.bytes().await.is_ok()
            {
                self.seen.at(Instant::now());
                self.counts.notes.fetch_add(1, Ordering::Relaxed);
            }
            sleep(2 * PAUSE).await;
        }
    }

    /// Downloads a file over and over, at the pace of a slow line.
    async fn download(self) {
        loop {
            let Ok(mut client) = RawClient::try_get(&self.browser, self.address, &self.content.file).await else {
                sleep(PAUSE).await;
                continue;
            };
            let end = self.follow(&mut client).await;
            if end == Some(End::Reset) && client.seen_status(200) {
                self.counts.resets.fetch_add(1, Ordering::Relaxed);
            }
            sleep(PAUSE).await;
        }
    }

    async fn follow(&self, client: &mut RawClient) -> Option<End> {
        while client.received < FILE {
            let before = client.received;
            match timeout(TIME, client.piece()).await {
                // A server that is stopped says nothing, and may go on later.
                Err(_) => {}
                Ok(Some(end)) => return Some(end),
                Ok(None) if client.seen_status(200) => {
                    self.seen.at(Instant::now());
                    self.counts.bytes.fetch_add((client.received - before) as u64, Ordering::Relaxed);
                }
                // A short answer: there is nothing to download now.
                Ok(None) => return None,
            }
            sleep(PIECE_PAUSE).await;
        }
        None
    }
}
