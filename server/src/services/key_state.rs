//! What is known about the root key on this server: the lock, the last key checks, how long ago one succeeded, and what AWS
//! says about the key.

use crate::store::{entities::encryption::RootKind, house::WrappedKey};
use app::model::{
    encryption::CheckResult,
    lock::{KeyNotice, LockCause as FaceCause, LockFace, LockedPart},
};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;
use vault::{KeyDescription, KeyState as AwsState, KmsClass, LockCause, LockState, Refusal, Vault};

/// How many key checks are remembered.
const REMEMBERED: usize = 60;
/// Imported material is spoken of this long before it expires; milliseconds.
const EXPIRES_SOON: i64 = 30 * 24 * 60 * 60 * 1000;

/// The root key as this server sees it.
pub struct KeyState {
    vault: Arc<Vault>,
    answered: AtomicBool,
    seen: Mutex<Seen>,
    /// Counts what was learned: checks, another root key, what AWS says about it.
    news: watch::Sender<u64>,
}

#[derive(Default)]
struct Seen {
    root: Option<(RootKind, String)>,
    generation: i64,
    checks: VecDeque<CheckResult>,
    /// On the boot clock.
    last_success: Option<Duration>,
    /// What AWS said last about the root key.
    described: Option<KeyDescription>,
}

impl KeyState {
    pub fn new(vault: Arc<Vault>) -> Self {
        Self { vault, answered: AtomicBool::new(false), seen: Mutex::default(), news: watch::Sender::new(0) }
    }

    pub fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// Follows what is learned.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Why the data is locked, if it is.
    pub fn face(&self) -> Option<LockFace> {
        let lock = self.vault.lock_state()?;
        let seen = self.seen();
        Some(face(lock, seen.root.as_ref().map(|(kind, _)| *kind), seen.described.as_ref()))
    }

    /// The root key in force, as far as it is known: whose it is, and its ARN.
    pub fn root(&self) -> Option<(RootKind, String)> {
        self.seen().root.clone()
    }

    /// What the organization's administrators should know about their key before it bites.
    pub fn notice(&self) -> Option<KeyNotice> {
        let seen = self.seen();
        let (RootKind::Customer, _) = seen.root.as_ref()? else { return None };
        let described = seen.described.as_ref()?;
        if described.state == AwsState::PendingDeletion {
            return described.deletion_date.map(|at| KeyNotice::PendingDeletion { at });
        }
        let soon = self.vault.clock().wall_ms().saturating_add(EXPIRES_SOON);
        described.valid_to.filter(|at| *at <= soon).map(|at| KeyNotice::MaterialExpires { at })
    }

    /// Whether the first key check since the start has been answered, whatever the answer.
    pub fn answered(&self) -> bool {
        self.answered.load(Ordering::Acquire)
    }

    /// The last key checks, oldest first.
    pub fn checks(&self) -> Vec<CheckResult> {
        self.seen().checks.iter().copied().collect()
    }

    /// When the last successful key check was sent, on the boot clock.
    pub fn last_success(&self) -> Option<Duration> {
        self.seen().last_success
    }

    /// Milliseconds since the last successful key check was sent.
    pub fn verified_ms_ago(&self) -> Option<u64> {
        let last = self.last_success()?;
        u64::try_from(self.vault.clock().boot().saturating_sub(last).as_millis()).ok()
    }

    /// Remembers which key the root key is.
    pub fn saw_root(&self, row: &WrappedKey) {
        let root = (row.root_kind, row.root_key_arn.clone());
        let is_new = {
            let mut seen = self.seen();
            let is_new = seen.root.as_ref() != Some(&root);
            if is_new {
                seen.root = Some(root);
                seen.described = None;
            }
            is_new
        };
        if is_new {
            self.learned();
        }
    }

    /// Remembers the generation; `true` if it is another than the one before.
    pub fn saw_generation(&self, generation: i64) -> bool {
        std::mem::replace(&mut self.seen().generation, generation) != generation
    }

    /// Remembers a key check that was sent at `sent` on the boot clock. Called once the vault has taken its verdict.
    pub fn saw_check(&self, sent: Duration, result: CheckResult) {
        {
            let mut seen = self.seen();
            if seen.checks.len() == REMEMBERED {
                seen.checks.pop_front();
            }
            seen.checks.push_back(result);
            if matches!(result, CheckResult::Passed | CheckResult::Slow) {
                seen.last_success = Some(sent);
            }
        }
        self.answered.store(true, Ordering::Release);
        self.learned();
    }

    /// Remembers what AWS says about the key `arn`, unless another one is the root key by now.
    pub fn saw_description(&self, arn: &str, described: Option<KeyDescription>) {
        {
            let mut seen = self.seen();
            if seen.root.as_ref().is_none_or(|(_, root)| root != arn) {
                return;
            }
            seen.described = described;
        }
        self.learned();
    }

    fn learned(&self) {
        self.news.send_modify(|count| *count += 1);
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an answer of KMS that closes a data key is called on a page.
pub fn cause_of(class: KmsClass) -> FaceCause {
    match class {
        KmsClass::Refused(refusal) => face_of(refusal),
        _ => FaceCause::Damaged,
    }
}

/// What a refusal is called on a page.
fn face_of(refusal: Refusal) -> FaceCause {
    match refusal {
        Refusal::Disabled => FaceCause::Disabled,
        Refusal::InvalidState => FaceCause::InvalidState,
        Refusal::NotFound => FaceCause::NotFound,
        Refusal::AccessDenied => FaceCause::AccessDenied,
    }
}

fn face(lock: LockState, root: Option<RootKind>, described: Option<&KeyDescription>) -> LockFace {
    let mut deletion_at = None;
    let cause = match (lock.cause, root) {
        (LockCause::Refused(_), Some(RootKind::Provider)) => FaceCause::ProviderRefused,
        // AWS answers either word for a key that is scheduled for deletion, or has no material; its state tells them apart.
        (LockCause::Refused(refusal @ (Refusal::Disabled | Refusal::InvalidState)), _) => {
            match described.map(|described| &described.state) {
                Some(AwsState::PendingDeletion) => {
                    deletion_at = described.and_then(|described| described.deletion_date);
                    FaceCause::PendingDeletion
                }
                Some(AwsState::PendingImport) => FaceCause::PendingImport,
                _ => face_of(refusal),
            }
        }
        (LockCause::Refused(refusal), _) => face_of(refusal),
        (LockCause::Unreachable | LockCause::ClockJumped, _) => FaceCause::Unreachable,
        (LockCause::OwnCredentials, _) => FaceCause::OwnCredentials,
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
        deletion_at,
    }
}
