//! Tasks that run for as long as the server does.
//!
//! What must stay true: none of them can be gone without anybody noticing. One that ends in a panic is begun anew, and the
//! operator hears of it. If it is the key check that cannot run, the lease runs out and the data is locked.

use futures::FutureExt;
use std::{future::Future, panic::AssertUnwindSafe, time::Duration};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A task that fails at once must not fill the log.
const REST: Duration = Duration::from_secs(1);

/// Runs what `begin` begins until `stop`, each time anew when it ends before. After `stop` it is waited for, not cut.
pub fn keep<F>(name: &'static str, stop: CancellationToken, begin: impl Fn() -> F + Send + 'static) -> JoinHandle<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    keep_resting(REST, name, stop, begin)
}

fn keep_resting<F>(
    rest: Duration,
    name: &'static str,
    stop: CancellationToken,
    begin: impl Fn() -> F + Send + 'static,
) -> JoinHandle<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    tokio::spawn(async move {
        loop {
            // What it leaves behind is what it shares with others, and locks there outlive a panic.
            let ended = AssertUnwindSafe(begin()).catch_unwind().await;
            if stop.is_cancelled() {
                return;
            }
            tracing::error!(event = "task_failed", task = name, panicked = ended.is_err(), "a task is begun anew");
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                () = stop.cancelled() => return,
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    #[tokio::test]
    async fn what_ends_is_begun_anew_until_the_stop() {
        let (stop, begun) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        let (stopping, counting) = (stop.clone(), Arc::clone(&begun));
        let rest = Duration::from_millis(1);
        let task = keep_resting(rest, "test", stop.clone(), move || {
            let (stop, turn) = (stopping.clone(), counting.fetch_add(1, Ordering::SeqCst));
            async move {
                match turn {
                    0 => panic!("the first turn"),
                    1 => {}
                    _ => stop.cancelled().await,
                }
            }
        });
        while begun.load(Ordering::SeqCst) < 3 {
            tokio::time::sleep(rest).await;
        }
        tokio::time::sleep(rest * 20).await;
        assert!(!task.is_finished() && begun.load(Ordering::SeqCst) == 3);
        stop.cancel();
        task.await.unwrap();
    }
}
