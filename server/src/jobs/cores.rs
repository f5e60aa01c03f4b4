//! The part of the machine that a job may keep busy. For opening and sealing: all processors but one. While people ask for
//! anything, less: each part of the work, also what the database does for it, waits for its turn, of which there are as many as
//! processors but one, and is followed by a rest twice as long as it took. What people wait for then is not the longest part of a job's work, but what
//! it takes on average; so the parts are short as well (`records.rs`).
//!
//! So with two processors a job has all of the machine while nobody is there, and a third of one while somebody is.

use super::halt::Halt;
use crate::services::requests::Requests;
use std::{future::Future, num::NonZero, sync::Arc, thread::available_parallelism, time::Duration};
use tokio::{sync::Semaphore, time::sleep};

/// How long a rest is, by what it follows.
const REST: u32 = 2;
/// The longest rest: a database that hangs is no reason to rest as long.
const LONGEST_REST: Duration = Duration::from_millis(200);

/// A share of the machine. Clones are of the same share.
#[derive(Clone)]
pub struct Cores {
    cryptography: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    requests: Requests,
}

impl Cores {
    /// All that `requests` leave.
    pub fn new(requests: Requests) -> Self {
        let all_but_one = available_parallelism().map_or(1, NonZero::get).saturating_sub(1).max(1);
        let share = || Arc::new(Semaphore::new(all_but_one));
        Self { cryptography: share(), turns: share(), requests }
    }

    /// Whether people are there.
    pub(super) fn are_shared(&self) -> bool {
        self.requests.are_there()
    }

    /// Does a part of a job's work, in its turn while people are there. What it holds of the database it gives back before it
    /// ends: the rest comes after it.
    pub(super) async fn in_turn<T>(&self, work: impl Future<Output = T>) -> T {
        if !self.requests.are_there() {
            return work.await;
        }
        let _turn = self.turns.acquire().await;
        let clock = self.requests.clock();
        let began = clock.boot();
        let done = work.await;
        sleep((clock.boot().saturating_sub(began) * REST).min(LONGEST_REST)).await;
        done
    }

    /// Runs some cryptography on this thread, which gives its other work away meanwhile.
    pub(super) async fn here<T>(&self, work: impl FnOnce() -> T) -> T {
        let work = async {
            let _turn = self.cryptography.acquire().await;
            tokio::task::block_in_place(work)
        };
        self.in_turn(work).await
    }

    /// Runs some cryptography on a thread of its own, when there is one free.
    ///
    /// # Errors
    /// [`Halt::Lost`] if it broke off: the job is begun anew, by whoever claims it next.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Halt> {
        // The semaphore is never closed.
        let Ok(turn) = Arc::clone(&self.cryptography).acquire_owned().await else { return Err(Halt::Lost) };
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(|error| {
            tracing::error!(event = "job_thread_failed", %error, "a part of a job broke off");
            Halt::Lost
        })
    }
}
