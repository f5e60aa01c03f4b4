//! The lease as every use of a key reads it: two numbers and a clock, without a lock.
//!
//! What must stay true: it never says open where the lease would say locked. It is closed before the ring is wiped, and
//! opened only after the lease is.

use crate::clock::{Clock, millis, nanos};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

/// How far the wall clock may run ahead of boot time before a lease is void: the machine was frozen meanwhile.
pub(crate) const MAX_AHEAD_MS: i64 = 30_000;

pub(crate) struct Gauge {
    clock: Arc<dyn Clock>,
    /// Boot time, in nanoseconds, at which the lease ends by itself; 0 while locked.
    deadline: AtomicU64,
    /// Wall clock minus boot time, in milliseconds, when the lease was last renewed.
    offset: AtomicI64,
    /// How often it has been closed.
    locks: AtomicU64,
}

impl Gauge {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, deadline: AtomicU64::new(0), offset: AtomicI64::new(0), locks: AtomicU64::new(0) }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open_at().is_some()
    }

    /// The boot time, in nanoseconds, if it is open.
    pub(crate) fn open_at(&self) -> Option<u64> {
        let deadline = self.deadline.load(Ordering::Acquire);
        if deadline == 0 {
            return None;
        }
        let boot = self.clock.boot();
        let wall = self.clock.wall_ms_at_last_tick();
        let ahead = wall.saturating_sub(millis(boot)).saturating_sub(self.offset.load(Ordering::Relaxed));
        (nanos(boot) < deadline && ahead <= MAX_AHEAD_MS).then(|| nanos(boot))
    }

    pub(crate) fn locks(&self) -> u64 {
        self.locks.load(Ordering::Acquire)
    }

    pub(crate) fn deadline(&self) -> Duration {
        Duration::from_nanos(self.deadline.load(Ordering::Acquire))
    }

    pub(crate) fn set(&self, deadline: Duration, offset_ms: i64) {
        // In this order a reader between the two sees the old deadline, which is not later than it was.
        self.offset.store(offset_ms, Ordering::Relaxed);
        self.deadline.store(nanos(deadline), Ordering::Release);
    }

    pub(crate) fn close(&self) {
        self.deadline.store(0, Ordering::Release);
        self.locks.fetch_add(1, Ordering::AcqRel);
    }
}
