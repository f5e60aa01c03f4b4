//! Workspaces that are locked alone: AWS refuses their data key while the root key works.
//!
//! What must stay true: a workspace gets in here only once a refusal has been confirmed, and out only after two successes
//! in a row; while it is here nothing inside it is opened. It is this server's own view, like the lock of everything.

use super::key_state::cause_of;
use app::model::lock::{LockFace, LockedPart};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;
use uuid::Uuid;
use vault::{Clock, KmsClass, KmsError, Vault};

/// How long somebody's interest in a locked workspace keeps it being asked for often.
const INTEREST: Duration = Duration::from_mins(1);

/// When the data keys of workspaces are asked for again.
#[derive(Clone, Copy, Debug)]
pub struct WorkspaceKeyTimes {
    /// A key in use is unwrapped again so long after its last success; a tenth more or less.
    pub renew: Duration,
    /// A renewal that was not answered is repeated after this.
    pub retry: Duration,
    /// A refusal is asked for once more after this, and a success that would unlock too.
    pub confirm: Duration,
    /// A locked workspace that people look at is asked for this often; others twelve times as seldom.
    pub ask_again: Duration,
}

impl Default for WorkspaceKeyTimes {
    fn default() -> Self {
        Self {
            renew: Duration::from_mins(4),
            retry: Duration::from_secs(15),
            confirm: Duration::from_secs(1),
            ask_again: Duration::from_secs(5),
        }
    }
}

struct WorkspaceLock {
    face: LockFace,
    /// When somebody last wanted in, and when KMS was last asked; on the boot clock.
    wanted: Duration,
    asked: Duration,
    /// Successes in a row.
    passes: u8,
}

/// The workspaces that are locked alone on this server.
pub struct WorkspaceLocks {
    vault: Arc<Vault>,
    times: WorkspaceKeyTimes,
    locks: Mutex<HashMap<Uuid, WorkspaceLock>>,
    changes: watch::Sender<u64>,
}

impl WorkspaceLocks {
    pub fn new(vault: Arc<Vault>, times: WorkspaceKeyTimes) -> Self {
        Self { vault, times, locks: Mutex::default(), changes: watch::Sender::new(0) }
    }

    pub fn times(&self) -> WorkspaceKeyTimes {
        self.times
    }

    /// Why this workspace is locked alone, if it is.
    pub fn face(&self, workspace: Uuid) -> Option<LockFace> {
        let now = self.clock().boot();
        let mut locks = self.locks();
        let lock = locks.get_mut(&workspace)?;
        lock.wanted = now;
        Some(lock.face.clone())
    }

    /// Whether this workspace is locked alone. Whoever asks only looks at a list, and wants nothing of it.
    pub fn holds(&self, workspace: Uuid) -> bool {
        self.locks().contains_key(&workspace)
    }

    /// Every workspace that is locked alone, the longest locked first.
    pub fn all(&self) -> Vec<(Uuid, LockFace)> {
        let mut all: Vec<_> = self.locks().iter().map(|(id, lock)| (*id, lock.face.clone())).collect();
        all.sort_by_key(|(id, face)| (face.since, *id));
        all
    }

    /// Follows the list: it changes when a workspace is locked or unlocked.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Locks a workspace, and takes back what was opened in it. `refused_at` is when the first refusal came, in Unix
    /// milliseconds. Nothing happens if it is locked already.
    pub fn lock(&self, workspace: Uuid, refused_at: i64, error: &KmsError) -> LockFace {
        let face = LockFace {
            part: LockedPart::Workspace,
            cause: cause_of(error.class),
            since: self.clock().wall_ms(),
            refused_at: matches!(error.class, KmsClass::Refused(_)).then_some(refused_at),
            code: error.code.clone(),
            request_id: error.request_id.clone(),
            deletion_at: None,
        };
        let now = self.clock().boot();
        let face = {
            let mut locks = self.locks();
            let lock = locks.entry(workspace);
            lock.or_insert(WorkspaceLock { face, wanted: now, asked: now, passes: 0 }).face.clone()
        };
        // After it is in the list: who asks for the key from now on is told why there is none.
        self.vault.revoke(vault::Scope::Workspace(workspace));
        self.changed();
        face
    }

    /// The workspaces whose data key is to be asked for now. They count as asked.
    pub fn due(&self) -> Vec<Uuid> {
        let (now, times) = (self.clock().boot(), self.times);
        let mut locks = self.locks();
        let due = locks.iter_mut().filter(|(_, lock)| {
            let every = match lock.passes {
                0 if now.saturating_sub(lock.wanted) <= INTEREST => times.ask_again,
                0 => times.ask_again * 12,
                _ => times.confirm,
            };
            now.saturating_sub(lock.asked) >= every
        });
        due.map(|(id, lock)| {
            lock.asked = now;
            *id
        })
        .collect()
    }

    /// Takes an answer about a locked workspace; `true` if it is unlocked by it.
    pub fn heard(&self, workspace: Uuid, passed: bool) -> bool {
        let mut locks = self.locks();
        let Some(lock) = locks.get_mut(&workspace) else { return false };
        lock.passes = if passed { lock.passes + 1 } else { 0 };
        if lock.passes < 2 {
            return false;
        }
        locks.remove(&workspace);
        drop(locks);
        self.changed();
        true
    }

    /// A workspace that has been deleted is not locked any more.
    pub fn forget(&self, workspace: Uuid) {
        if self.locks().remove(&workspace).is_some() {
            self.changed();
        }
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn clock(&self) -> &dyn Clock {
        self.vault.clock()
    }

    fn locks(&self) -> MutexGuard<'_, HashMap<Uuid, WorkspaceLock>> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
