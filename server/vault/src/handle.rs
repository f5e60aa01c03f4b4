//! The one vault of a server: ring, lease and clock together.
//!
//! What must stay true: the gauge is closed before the ring is wiped, and the ring is wiped before anybody is told.
//! Somebody must let time pass: the server runs [`Vault::keep_time`] beside its key check, so that a lease that runs
//! out while nobody asks still locks, wipes and tells.

use crate::{
    clock::Clock,
    context::{DataKeyId, DeploymentId},
    entropy::Entropy,
    error::Locked,
    gauge::Gauge,
    keyring::{DataKey, Epoch, KeyRing},
    lease::{Lease, LockState, Moment, Transition, Verdict},
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// Time is looked at this often, because sleeping does not count the time a machine is frozen.
const BEAT: Duration = Duration::from_secs(1);

/// Key ring, lease and clock.
pub struct Vault {
    deployment: DeploymentId,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    gauge: Arc<Gauge>,
    ring: KeyRing,
    lease: Mutex<Lease>,
    open: watch::Sender<bool>,
}

impl Vault {
    /// A vault that is locked until its first key check passes.
    pub fn new(deployment: DeploymentId, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, grace: Duration) -> Self {
        let gauge = Arc::new(Gauge::new(Arc::clone(&clock)));
        let now = Moment { boot: clock.boot(), wall_ms: clock.wall_ms() };
        Self {
            deployment,
            clock,
            entropy,
            ring: KeyRing::new(Arc::clone(&gauge)),
            gauge,
            lease: Mutex::new(Lease::new(grace, now)),
            open: watch::Sender::new(false),
        }
    }

    /// The deployment whose data it seals.
    pub fn deployment(&self) -> &DeploymentId {
        &self.deployment
    }

    /// Its randomness.
    pub fn entropy(&self) -> &dyn Entropy {
        self.entropy.as_ref()
    }

    /// Its clock.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// Whether data keys may be used at this very moment.
    pub fn is_open(&self) -> bool {
        self.gauge.is_open()
    }

    /// Whether it is open but the key was refused lately.
    pub fn is_suspect(&self) -> bool {
        self.settled().is_suspect()
    }

    /// The account of the lock; none while open.
    pub fn lock_state(&self) -> Option<LockState> {
        self.settled().lock_state().cloned()
    }

    /// How long to wait before the next key check. `jitter` is a random number from 0 to 1.
    pub fn next_check_after(&self, every: Duration, jitter: f64) -> Duration {
        self.settled().next_check_after(every, jitter)
    }

    /// Follows the lock: true while open.
    pub fn watch(&self) -> watch::Receiver<bool> {
        self.open.subscribe()
    }

    /// Resolves as soon as it is locked, also when the lease simply runs out.
    pub async fn locked(&self) {
        let mut open = self.watch();
        loop {
            self.tick();
            if !*open.borrow_and_update() {
                return;
            }
            tokio::select! {
                _ = open.changed() => {}
                () = tokio::time::sleep(self.until_deadline()) => {}
            }
        }
    }

    /// Lets time pass for as long as it is polled. The server runs one of these.
    pub async fn keep_time(&self) {
        loop {
            self.tick();
            tokio::time::sleep(self.until_deadline()).await;
        }
    }

    /// Locks if the lease has run out.
    pub fn tick(&self) -> Transition {
        let mut lease = self.lease();
        let transition = lease.tick(self.now());
        self.apply(&lease, &transition);
        transition
    }

    /// Takes the outcome of a key check that was sent at these times.
    pub fn record_check(&self, sent_boot: Duration, sent_wall_ms: i64, verdict: Verdict) -> Transition {
        let mut lease = self.lease();
        let sent = Moment { boot: sent_boot, wall_ms: sent_wall_ms };
        let transition = lease.record(self.now(), sent, verdict);
        self.apply(&lease, &transition);
        transition
    }

    /// The present epoch. Ask for it before an unwrap.
    pub fn epoch(&self) -> Epoch {
        self.ring.epoch()
    }

    /// A data key from the ring; none if it must be unwrapped first.
    pub fn key(&self, id: DataKeyId) -> Result<Option<Arc<DataKey>>, Locked> {
        if self.is_open() { Ok(self.ring.get(id)) } else { Err(Locked) }
    }

    /// Puts a data key into the ring, from where it can be used. Refused if it has been locked, or this key forgotten,
    /// since `epoch`. A key that is there already stays, and counts as admitted now.
    pub fn admit(&self, epoch: Epoch, key: DataKey) -> Result<Arc<DataKey>, Locked> {
        self.ring.admit(epoch, key, self.clock.as_ref())
    }

    /// How long ago a key in the ring was last admitted.
    pub fn admitted_ago(&self, id: DataKeyId) -> Option<Duration> {
        self.ring.admitted(id).map(|at| self.clock.boot().saturating_sub(at))
    }

    /// Wipes one data key, also from under those who hold it.
    pub fn forget(&self, id: DataKeyId) {
        self.ring.forget(id);
    }

    /// The ids of the data keys in the ring, so that those which have been destroyed elsewhere can be forgotten.
    pub fn ids(&self) -> Vec<DataKeyId> {
        self.ring.ids()
    }

    /// Wipes all data keys, also from under those who hold them.
    pub fn forget_all(&self) {
        self.ring.wipe();
    }

    fn now(&self) -> Moment {
        Moment { boot: self.clock.boot(), wall_ms: self.clock.wall_ms() }
    }

    fn until_deadline(&self) -> Duration {
        // While locked the deadline is zero, and there is no hurry.
        let left = self.gauge.deadline().saturating_sub(self.clock.boot());
        if left.is_zero() { BEAT } else { left.min(BEAT) }
    }

    fn lease(&self) -> MutexGuard<'_, Lease> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lease, as it is by the clock.
    fn settled(&self) -> MutexGuard<'_, Lease> {
        let mut lease = self.lease();
        let transition = lease.tick(self.now());
        self.apply(&lease, &transition);
        lease
    }

    /// Makes gauge, ring and watchers follow the lease, which the caller holds, so that changes come in order.
    fn apply(&self, lease: &Lease, transition: &Transition) {
        if let Some((deadline, renewed)) = lease.deadline() {
            self.gauge.set(deadline, renewed.offset_ms());
        }
        match transition {
            Transition::Locked(_) => {
                self.gauge.close();
                self.ring.wipe();
                self.open.send_replace(false);
            }
            Transition::Unlocked => {
                self.open.send_replace(true);
            }
            Transition::Unchanged | Transition::Suspected | Transition::Cleared | Transition::CauseChanged(_) => {}
        }
    }
}
