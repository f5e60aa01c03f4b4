//! Load: reading and writing requests, either as many as can be answered, or at a given rate whatever becomes of the answers.
//!
//! At a rate, a request counts from the moment at which it was to be sent, so a server that stalls is charged with all who
//! would have come meanwhile.

use crate::support::Browser;
use reqwest::header::ACCEPT;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, task::JoinSet};

/// One request in so many writes.
const WRITE_EVERY: usize = 5;
/// Requests at once when as many are asked for as can be answered.
const AT_ONCE: usize = 8;

/// What people do in one workspace: they look at it, and write notes.
#[derive(Clone)]
pub struct People {
    pub browser: Browser,
    pub workspace: String,
}

/// What became of the requests.
#[derive(Default)]
pub struct Answers {
    /// Milliseconds each.
    pub reads: Vec<f64>,
    pub writes: Vec<f64>,
    pub failed: usize,
}

impl People {
    /// Makes the request number `n`. Gives whether it was answered well.
    async fn ask(&self, n: usize) -> bool {
        let mut fields = vec![("workspace", self.workspace.as_str())];
        let text = format!("Written as number {n}");
        let request = if is_write(n) {
            fields.push(("text", text.as_str()));
            self.browser.form("/api/create_note", &fields)
        } else {
            self.browser.form("/api/open_workspace", &fields)
        };
        let Ok(answer) = request.header(ACCEPT, "application/json").send().await else { return false };
        let good = answer.status().is_success();
        answer.bytes().await.is_ok_and(|body| good && !body.is_empty())
    }

    /// As many requests as can be answered, for so long. Gives how many a second.
    pub async fn at_most(&self, time: Duration) -> f64 {
        let (next, began) = (Arc::new(AtomicUsize::new(0)), Instant::now());
        let mut asking = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (people, next) = (self.clone(), Arc::clone(&next));
            asking.spawn(async move {
                while began.elapsed() < time {
                    assert!(people.ask(next.fetch_add(1, Ordering::Relaxed)).await, "a request failed");
                }
            });
        }
        asking.join_all().await;
        next.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64()
    }

    /// So many requests a second, for so long.
    pub async fn at_rate(&self, rate: f64, time: Duration) -> Answers {
        let (answers, people, runtime) = (Arc::new(Mutex::new(Answers::default())), self.clone(), Handle::current());
        let noted = Arc::clone(&answers);
        // A thread of its own: the timers of the runtime go by whole milliseconds.
        let sending = thread::spawn(move || {
            let (began, mut asking) = (Instant::now(), JoinSet::new());
            for n in 0..(rate * time.as_secs_f64()) as usize {
                let intended = began + Duration::from_secs_f64(n as f64 / rate);
                thread::sleep(intended.saturating_duration_since(Instant::now()));
                let (people, noted) = (people.clone(), Arc::clone(&noted));
                let ask = async move {
                    let is_good = people.ask(n).await;
                    let took = intended.elapsed().as_secs_f64() * 1e3;
                    let mut noted = noted.lock().unwrap();
                    if !is_good {
                        noted.failed += 1;
                    } else if is_write(n) {
                        noted.writes.push(took);
                    } else {
                        noted.reads.push(took);
                    }
                };
                asking.spawn_on(ask, &runtime);
            }
            asking
        });
        let asking = tokio::task::spawn_blocking(move || sending.join().unwrap()).await.unwrap();
        asking.join_all().await;
        std::mem::take(&mut answers.lock().unwrap())
    }
}

fn is_write(n: usize) -> bool {
    n % WRITE_EVERY == WRITE_EVERY - 1
}
