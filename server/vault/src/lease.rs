//! The right to use plaintext data keys: a state machine over the answers to key checks.
//!
//! It holds no clock; every call says when it is. What must stay true:
//!
//! * The lease ends one grace after the moment the last successful call was *sent*, whatever else happens.
//! * A refusal makes it suspect. The second refusal within 10 s locks, whatever lies between; so do 3 s without two
//!   successes in a row.
//! * No answer, and a failure of our own credentials, leave the lease to run to its end.
//! * A damaged answer does not renew the lease and is never called a refusal.
//! * A lease is void once the wall clock has run ahead of boot time by more than 30 s since it was renewed.
//! * Two successes in a row unlock; one is enough as long as the service has never answered since the start.
//! * A success that was sent before a refusal was says nothing.

use crate::{
    clock::millis,
    gauge::MAX_AHEAD_MS,
    verdict::{Refusal, Verdict},
};
use std::time::Duration;

/// Two refusals at most this far apart lock.
pub const REFUSAL_WINDOW: Duration = Duration::from_secs(10);
/// A suspect lease that is not cleared within this locks.
const SUSPICION: Duration = Duration::from_secs(3);
/// How soon to ask again while suspect or locked.
pub const URGENT: Duration = Duration::from_secs(1);

/// Why it is locked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LockCause {
    /// No check has been answered since the start.
    Starting,
    /// The service refuses the key.
    Refused(Refusal),
    /// No success for a whole grace.
    Unreachable,
    /// No success for a whole grace, because the service does not know who asks. The key itself was not refused.
    OwnCredentials,
    /// The answers do not fit what is stored.
    Damaged,
    /// The wall clock ran ahead of boot time: the machine was frozen and woken, or its clock set.
    ClockJumped,
}

impl LockCause {
    /// How much it says: one that says less does not take its place.
    fn weight(self) -> u8 {
        match self {
            Self::Starting => 0,
            Self::Unreachable => 1,
            Self::OwnCredentials => 2,
            Self::ClockJumped | Self::Damaged | Self::Refused(_) => 3,
        }
    }
}

/// The account of a lock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LockState {
    /// Why.
    pub cause: LockCause,
    /// Since when, in milliseconds of the wall clock. A change of cause does not change it.
    pub since: i64,
    /// When the first refusal that led to it was received, in milliseconds of the wall clock.
    pub refused_at: Option<i64>,
    /// The error code, as the service gave it.
    pub code: Option<String>,
    /// The service's id of the request that gave this code.
    pub request_id: Option<String>,
}

/// What an answer, or time itself, changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Transition {
    /// Nothing that anybody need know.
    Unchanged,
    /// Open, but refused once.
    Suspected,
    /// No longer suspect.
    Cleared,
    /// Locked from now on.
    Locked(LockState),
    /// Locked as before, for another reason.
    CauseChanged(LockState),
    /// Open from now on.
    Unlocked,
}

/// A moment by both clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// Boot time.
    pub boot: Duration,
    /// Wall clock, in milliseconds since 1970.
    pub wall_ms: i64,
}

impl Moment {
    /// Wall clock minus boot time, in milliseconds.
    pub(crate) fn offset_ms(self) -> i64 {
        self.wall_ms.saturating_sub(millis(self.boot))
    }

    fn plus(self, boot: Duration) -> i64 {
        self.wall_ms.saturating_sub(millis(self.boot)).saturating_add(millis(boot))
    }
}

/// The refusal that makes suspect.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Refused {
    sent: Duration,
    at: Moment,
    reason: Refusal,
    code: String,
    request_id: Option<String>,
    /// It has led to a lock that is over: it still counts as a first refusal, but is not the account of another lock.
    told: bool,
}

/// The last trouble that was no refusal, for the account of a lease that ran out.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Trouble {
    cause: LockCause,
    code: Option<String>,
    request_id: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Phase {
    Open,
    Suspect { until: Duration },
    Locked(LockState),
}

/// The state of the lease.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lease {
    grace: Duration,
    phase: Phase,
    /// Successes in a row.
    passes: u8,
    /// Whether the service has answered since the start, either way.
    answered: bool,
    /// When the last successful call was sent.
    renewed: Option<Moment>,
    refused: Option<Refused>,
    trouble: Option<Trouble>,
}

impl Lease {
    /// Locked, until the first check passes.
    pub fn new(grace: Duration, now: Moment) -> Self {
        let starting = LockState {
            cause: LockCause::Starting,
            since: now.wall_ms,
            refused_at: None,
            code: None,
            request_id: None,
        };
        Self {
            grace,
            phase: Phase::Locked(starting),
            passes: 0,
            answered: false,
            renewed: None,
            refused: None,
            trouble: None,
        }
    }

    /// The account of the lock; none while open.
    pub fn lock_state(&self) -> Option<&LockState> {
        if let Phase::Locked(state) = &self.phase { Some(state) } else { None }
    }

    /// Whether it is open but was refused lately.
    pub fn is_suspect(&self) -> bool {
        matches!(self.phase, Phase::Suspect { .. })
    }

    /// When it locks if nothing more is heard, in boot time, and the renewal its clocks are compared with.
    pub fn deadline(&self) -> Option<(Duration, Moment)> {
        let renewed = self.renewed?;
        let end = renewed.boot.saturating_add(self.grace);
        match self.phase {
            Phase::Open => Some((end, renewed)),
            Phase::Suspect { until } => Some((end.min(until), renewed)),
            Phase::Locked(_) => None,
        }
    }

    /// How long to wait before the next check: `every`, more or less a fifth by `jitter` from 0 to 1, while all is
    /// well; a second while suspect or locked.
    pub fn next_check_after(&self, every: Duration, jitter: f64) -> Duration {
        if self.phase == Phase::Open { every.mul_f64(0.8 + 0.4 * jitter.clamp(0.0, 1.0)) } else { every.min(URGENT) }
    }

    /// Lets time pass: locks if the lease has run out meanwhile.
    pub fn tick(&mut self, now: Moment) -> Transition {
        self.watch(now, Self::expire)
    }

    /// Takes the outcome of a check that was sent at `sent`.
    pub fn record(&mut self, now: Moment, sent: Moment, verdict: Verdict) -> Transition {
        self.watch(now, |lease, now| {
            lease.expire(now);
            lease.take(now, sent, verdict);
        })
    }

    /// Does `change` and says what it came to.
    fn watch(&mut self, now: Moment, change: impl FnOnce(&mut Self, Moment)) -> Transition {
        let before = self.phase.clone();
        change(self, now);
        match (before, &self.phase) {
            (Phase::Locked(before), Phase::Locked(after)) if before != *after => {
                Transition::CauseChanged(after.clone())
            }
            (Phase::Open | Phase::Suspect { .. }, Phase::Locked(state)) => Transition::Locked(state.clone()),
            (Phase::Locked(_), Phase::Open | Phase::Suspect { .. }) => Transition::Unlocked,
            (Phase::Open, Phase::Suspect { .. }) => Transition::Suspected,
            (Phase::Suspect { .. }, Phase::Open) => Transition::Cleared,
            _ => Transition::Unchanged,
        }
    }

    fn expire(&mut self, now: Moment) {
        let Some((deadline, renewed)) = self.deadline() else { return };
        if now.boot >= deadline {
            // Found late or not, it has been locked since the deadline: every use tested it.
            let since = now.plus(deadline);
            match &self.refused {
                Some(refused) if self.is_suspect() => self.phase = Phase::Locked(refused.locked(since)),
                _ => {
                    let trouble = self.trouble.take();
                    let Trouble { cause, code, request_id } =
                        trouble.unwrap_or(Trouble { cause: LockCause::Unreachable, code: None, request_id: None });
                    self.phase = Phase::Locked(LockState { cause, since, refused_at: None, code, request_id });
                }
            }
            self.passes = 0;
        } else if now.offset_ms().saturating_sub(renewed.offset_ms()) > MAX_AHEAD_MS {
            let cause = LockCause::ClockJumped;
            let since = now.wall_ms;
            self.phase = Phase::Locked(LockState { cause, since, refused_at: None, code: None, request_id: None });
            self.passes = 0;
        }
    }

    fn take(&mut self, now: Moment, sent: Moment, verdict: Verdict) {
        match verdict {
            Verdict::Passed => self.pass(now, sent),
            Verdict::Refused { reason, code, request_id } => {
                self.refuse(now, Refused { sent: sent.boot, at: now, reason, code, request_id, told: false });
            }
            Verdict::Tampered { code, request_id } => {
                self.answered = true;
                self.trouble(Trouble { cause: LockCause::Damaged, code, request_id });
            }
            Verdict::OwnCredentials { code, request_id } => {
                self.trouble(Trouble { cause: LockCause::OwnCredentials, code, request_id });
            }
            Verdict::Unreachable { code, request_id } => {
                self.trouble(Trouble { cause: LockCause::Unreachable, code, request_id });
            }
        }
    }

    fn pass(&mut self, now: Moment, sent: Moment) {
        let stale = self.refused.as_ref().is_some_and(|refused| sent.boot <= refused.sent);
        let run_out = now.boot >= sent.boot.saturating_add(self.grace);
        let void = now.offset_ms().saturating_sub(sent.offset_ms()) > MAX_AHEAD_MS;
        if stale || run_out || void {
            return;
        }
        let needed = match self.phase {
            Phase::Open => 0,
            Phase::Locked(_) if !self.answered => 1,
            Phase::Suspect { .. } | Phase::Locked(_) => 2,
        };
        self.answered = true;
        self.trouble = None;
        self.passes = self.passes.saturating_add(1);
        if self.renewed.is_none_or(|renewed| renewed.boot < sent.boot) {
            self.renewed = Some(sent);
        }
        if self.passes >= needed {
            if matches!(self.phase, Phase::Locked(_))
                && let Some(refused) = &mut self.refused
            {
                refused.told = true;
            }
            self.phase = Phase::Open;
        }
    }

    fn refuse(&mut self, now: Moment, refused: Refused) {
        self.answered = true;
        self.passes = 0;
        let earlier = self.refused.take().filter(|earlier| now.boot.saturating_sub(earlier.at.boot) <= REFUSAL_WINDOW);
        match (&mut self.phase, earlier) {
            (Phase::Locked(state), _) => {
                let cause = LockCause::Refused(refused.reason);
                if state.cause != cause {
                    let since = state.since;
                    let refused_at = state.refused_at;
                    *state = refused.locked(since);
                    state.refused_at = refused_at.or(state.refused_at);
                }
            }
            (phase, Some(earlier)) => {
                let account = if earlier.told { &refused } else { &earlier };
                *phase = Phase::Locked(account.locked(now.wall_ms));
            }
            (phase, None) => *phase = Phase::Suspect { until: now.boot.saturating_add(SUSPICION) },
        }
        self.refused = Some(refused);
    }

    /// Neither success nor refusal: breaks the row of successes, and speaks up only once the lease has run out.
    fn trouble(&mut self, trouble: Trouble) {
        self.passes = 0;
        if let Phase::Locked(state) = &mut self.phase {
            // No answer takes nothing back that the service has said; a damaged one does.
            let says_more = trouble.cause == LockCause::Damaged || trouble.cause.weight() > state.cause.weight();
            if says_more && state.cause != trouble.cause {
                let Trouble { cause, code, request_id } = trouble;
                *state = LockState { cause, since: state.since, refused_at: None, code, request_id };
            }
            return;
        }
        // Damage outweighs silence: who answers wrongly and then not at all is still damaged.
        if self.trouble.as_ref().is_none_or(|earlier| trouble.cause.weight() >= earlier.cause.weight()) {
            self.trouble = Some(trouble);
        }
    }
}

impl Refused {
    fn locked(&self, since: i64) -> LockState {
        LockState {
            cause: LockCause::Refused(self.reason),
            since,
            refused_at: Some(self.at.wall_ms),
            code: Some(self.code.clone()),
            request_id: self.request_id.clone(),
        }
    }
}
