//! Time, passed in so that a test can hold it.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// The two clocks a lease is told by.
pub trait Clock: Send + Sync {
    /// Time since start of the machine, which goes on while it sleeps and which nobody can set.
    fn boot(&self) -> Duration;
    /// Milliseconds since 1970 by the wall clock, for people to read and to notice a machine that was frozen.
    fn wall_ms(&self) -> i64;
}

/// `CLOCK_BOOTTIME` and `CLOCK_REALTIME` of the kernel.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn boot(&self) -> Duration {
        let now = clock_gettime(ClockId::Boottime);
        Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
    }

    fn wall_ms(&self) -> i64 {
        let now = clock_gettime(ClockId::Realtime);
        now.tv_sec * 1000 + now.tv_nsec / 1_000_000
    }
}

/// Nanoseconds of a boot time in 64 bits, which last for 584 years.
pub(crate) fn nanos(at: Duration) -> u64 {
    u64::try_from(at.as_nanos()).unwrap_or(u64::MAX)
}

/// Milliseconds of a boot time.
pub(crate) fn millis(at: Duration) -> i64 {
    i64::try_from(at.as_millis()).unwrap_or(i64::MAX)
}
