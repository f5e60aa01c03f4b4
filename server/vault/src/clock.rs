//! Time, passed in so that a test can hold it.

use rustix::time::{ClockId, Timespec, clock_gettime};
use std::time::Duration;

/// The two clocks a lease is told by.
pub trait Clock: Send + Sync {
    /// Time since start of the machine, which goes on while it sleeps and which nobody can set.
    fn boot(&self) -> Duration;
    /// Milliseconds since 1970 by the wall clock, for people to read and to notice a machine that was frozen.
    fn wall_ms(&self) -> i64;
    /// The same as it was at the last tick of the kernel, some milliseconds ago at most, for less. The lease is tested at each
    /// use, and asks only whether the wall clock is half a minute ahead.
    fn wall_ms_at_last_tick(&self) -> i64 {
        self.wall_ms()
    }
}

/// `CLOCK_BOOTTIME` and `CLOCK_REALTIME` of the kernel (`clock_gettime(2)`), the latter also in its coarse form.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn boot(&self) -> Duration {
        let now = clock_gettime(ClockId::Boottime);
        Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
    }

    fn wall_ms(&self) -> i64 {
        in_millis(clock_gettime(ClockId::Realtime))
    }

    fn wall_ms_at_last_tick(&self) -> i64 {
        in_millis(clock_gettime(ClockId::RealtimeCoarse))
    }
}

fn in_millis(time: Timespec) -> i64 {
    time.tv_sec * 1000 + time.tv_nsec / 1_000_000
}

/// Nanoseconds of a boot time in 64 bits, which last for 584 years.
pub(crate) fn nanos(at: Duration) -> u64 {
    at.as_secs().saturating_mul(1_000_000_000).saturating_add(u64::from(at.subsec_nanos()))
}

/// Milliseconds of a boot time.
pub(crate) fn millis(at: Duration) -> i64 {
    i64::try_from(at.as_millis()).unwrap_or(i64::MAX)
}
