//! What is known about the root key on this server: the lock, the last key checks, and how long ago one succeeded.

use crate::store::entities::encryption::RootKind;
use app::model::{
    encryption::CheckResult,
    lock::{LockCause as FaceCause, LockFace, LockedPart},
};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use vault::{LockCause, LockState, Refusal, Vault};

/// How many key checks are remembered.
const REMEMBERED: usize = 60;

/// The root key as this server sees it.
pub struct KeyState {
    vault: Arc<Vault>,
    answered: AtomicBool,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    root: Option<RootKind>,
    generation: i64,
    checks: VecDeque<CheckResult>,
    /// On the boot clock.
    last_success: Option<Duration>,
}

impl KeyState {
    pub fn new(vault: Arc<Vault>) -> Self {
        Self { vault, answered: AtomicBool::new(false), seen: Mutex::default() }
    }

    pub fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// Why the data is locked, if it is.
    pub fn face(&self) -> Option<LockFace> {
        let root = self.seen().root;
        self.vault.lock_state().map(|lock| face(lock, root))
    }

    /// Whether the first key check since the start has been answered, whatever the answer.
    pub fn answered(&self) -> bool {
        self.answered.load(Ordering::Acquire)
    }

    /// The last key checks, oldest first.
    pub fn checks(&self) -> Vec<CheckResult> {
        self.seen().checks.iter().copied().collect()
    }

    /// Milliseconds since the last successful key check was sent.
    pub fn verified_ms_ago(&self) -> Option<u64> {
        let last = self.seen().last_success?;
        u64::try_from(self.vault.clock().boot().saturating_sub(last).as_millis()).ok()
    }

    /// Remembers whose key the root key is.
    pub fn saw_root(&self, root: RootKind) {
        self.seen().root = Some(root);
    }

    /// Remembers the generation; `true` if it is another than the one before.
    pub fn saw_generation(&self, generation: i64) -> bool {
        std::mem::replace(&mut self.seen().generation, generation) != generation
    }

    /// Remembers a key check that was sent at `sent` on the boot clock.
    pub fn saw_check(&self, sent: Duration, result: CheckResult) {
        let mut seen = self.seen();
        if seen.checks.len() == REMEMBERED {
            seen.checks.pop_front();
        }
        seen.checks.push_back(result);
        if matches!(result, CheckResult::Passed | CheckResult::Slow) {
            seen.last_success = Some(sent);
        }
        self.answered.store(true, Ordering::Release);
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The word for a cause in the table of lock events.
pub fn cause_word(cause: LockCause) -> &'static str {
    match cause {
        LockCause::Starting => "starting",
        LockCause::Refused(Refusal::Disabled) => "disabled",
        LockCause::Refused(Refusal::InvalidState) => "invalid_state",
        LockCause::Refused(Refusal::NotFound) => "not_found",
        LockCause::Refused(Refusal::AccessDenied) => "access_denied",
        LockCause::Unreachable => "unreachable",
        LockCause::Damaged => "damaged",
        LockCause::ClockJumped => "clock_jumped",
    }
}

fn face(lock: LockState, root: Option<RootKind>) -> LockFace {
    let cause = match (lock.cause, root) {
        (LockCause::Refused(_), Some(RootKind::Provider)) => FaceCause::ProviderRefused,
        (LockCause::Refused(Refusal::Disabled), _) => FaceCause::Disabled,
        (LockCause::Refused(Refusal::InvalidState), _) => FaceCause::InvalidState,
        (LockCause::Refused(Refusal::NotFound), _) => FaceCause::NotFound,
        (LockCause::Refused(Refusal::AccessDenied), _) => FaceCause::AccessDenied,
        (LockCause::Unreachable | LockCause::ClockJumped, _) => FaceCause::Unreachable,
        (LockCause::Damaged, _) => FaceCause::Damaged,
        (LockCause::Starting, _) => FaceCause::Starting,
    };
    LockFace {
        part: LockedPart::Everything,
        cause,
        since: lock.since,
        refused_at: lock.refused_at,
        code: lock.code,
        request_id: lock.request_id,
        deletion_at: None,
    }
}
