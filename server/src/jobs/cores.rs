//! The processors that a job may keep busy with opening and sealing: all but one, which is left to requests.

use super::halt::Halt;
use std::{num::NonZero, sync::Arc, thread::available_parallelism};
use tokio::sync::Semaphore;

/// A share of the machine. Clones are of the same share.
#[derive(Clone)]
pub struct Cores(Arc<Semaphore>);

impl Default for Cores {
    fn default() -> Self {
        let all = available_parallelism().map_or(1, NonZero::get);
        Self(Arc::new(Semaphore::new(all.saturating_sub(1).max(1))))
    }
}

impl Cores {
    /// Runs some cryptography on this thread, which gives its other work away meanwhile.
    pub(super) async fn here<T>(&self, work: impl FnOnce() -> T) -> T {
        let _turn = self.0.acquire().await;
        tokio::task::block_in_place(work)
    }

    /// Runs some cryptography on a thread of its own, when there is one free.
    ///
    /// # Errors
    /// [`Halt::Lost`] if it broke off: the job is begun anew, by whoever claims it next.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Halt> {
        // The semaphore is never closed.
        let Ok(turn) = Arc::clone(&self.0).acquire_owned().await else { return Err(Halt::Lost) };
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
