//! Whether people are asking this server for anything just now, so that what can wait leaves the machine to them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use vault::Clock;

/// So long after a request has come in, more of them are expected.
const A_WHILE: Duration = Duration::from_millis(100);

/// Requests as they come in. Clones are of the same.
#[derive(Clone)]
pub struct Requests {
    clock: Arc<dyn Clock>,
    /// When the last one came in, in microseconds since the machine was started; 0 before the first.
    last: Arc<AtomicU64>,
}

impl Requests {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, last: Arc::default() }
    }

    /// One has come in. How long it takes does not matter: some of them stay for hours.
    pub fn came_in(&self) {
        self.last.store(self.now(), Ordering::Relaxed);
    }

    /// Whether there are any.
    pub fn are_there(&self) -> bool {
        let last = self.last.load(Ordering::Relaxed);
        last > 0 && Duration::from_micros(self.now().saturating_sub(last)) < A_WHILE
    }

    /// The clock they are seen by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    fn now(&self) -> u64 {
        u64::try_from(self.clock.boot().as_micros()).unwrap_or(u64::MAX)
    }
}
