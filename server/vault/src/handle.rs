//! The one vault of a server: ring, lease and clock together.
//!
//! What must stay true: the gauge is closed before the ring is wiped, and the ring is wiped before anybody is told.
//! Somebody must let time pass: the server runs [`Vault::keep_time`] beside its key check, so that a lease that runs
//! out while nobody asks still locks, wipes and tells.

use crate::{
    clock::Clock,
    context::{DataKeyId, DeploymentId, Scope},
    entropy::Entropy,
    error::Locked,
    gauge::Gauge,
    keyring::{DataKey, Epoch, Held, KeyRing, Leash},
    lease::{Lease, LockState, Moment, Transition},
    verdict::Verdict,
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
    standing: watch::Sender<Standing>,
    /// Counts what has been taken back: locks, and single scopes.
    revocations: watch::Sender<u64>,
}

/// How a server stands to the root key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Standing {
    /// It may use data keys.
    Open,
    /// It still may, but the key was refused lately.
    Suspect,
    /// It may not.
    Locked,
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
            standing: watch::Sender::new(Standing::Locked),
            revocations: watch::Sender::new(0),
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

    /// How it stands to the root key at this very moment.
    pub fn standing(&self) -> Standing {
        standing(&self.settled())
    }

    /// Ties something to the lease as it is now. While locked it gives none; after a lock it gives another.
    pub fn leash(&self) -> Option<Leash> {
        Some(Leash::on(&self.gauge)).filter(Leash::is_live)
    }

    /// The leash of what is opened in a scope; none if no data key of it is in the ring.
    pub fn leash_of(&self, scope: Scope) -> Option<Leash> {
        self.ring.leash_of(scope)
    }

    /// How often it has been locked. What was opened under another number must not go out.
    pub fn locks(&self) -> u64 {
        self.tick();
        self.gauge.locks()
    }

    /// The account of the lock; none while open.
    pub fn lock_state(&self) -> Option<LockState> {
        self.settled().lock_state().cloned()
    }

    /// How long to wait before the next key check. `jitter` is a random number from 0 to 1.
    pub fn next_check_after(&self, every: Duration, jitter: f64) -> Duration {
        self.settled().next_check_after(every, jitter)
    }

    /// Follows how it stands to the root key.
    pub fn watch(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// Changes with each lock and each scope that is revoked: then leashes may have ended.
    pub fn revocations(&self) -> watch::Receiver<u64> {
        self.revocations.subscribe()
    }

    /// Resolves as soon as it is locked, also when the lease simply runs out.
    pub async fn locked(&self) {
        let mut standing = self.watch();
        loop {
            self.tick();
            if *standing.borrow_and_update() == Standing::Locked {
                return;
            }
            tokio::select! {
                _ = standing.changed() => {}
                () = tokio::time::sleep(self.until_deadline()) => {}
            }
        }
    }

    /// Resolves as soon as a leash has ended, also when that is by time alone.
    pub async fn ended(&self, leash: &Leash) {
        let mut revocations = self.revocations();
        loop {
            self.tick();
            revocations.mark_unchanged();
            if !leash.is_live() {
                return;
            }
            tokio::select! {
                _ = revocations.changed() => {}
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
        if self.is_open() { Ok(self.ring.get(id).filter(|key| key.is_live())) } else { Err(Locked) }
    }

    /// Puts a data key of `scope` into the ring, from where it can be used: that of a workspace until
    /// [`TERM`](crate::keyring::TERM) after `sent`, the boot time at which the call was sent that unwrapped it. Refused if it
    /// has been locked, the scope revoked, or this key forgotten, since `epoch`. A key that is there already stays, and its
    /// term is renewed.
    pub fn admit(&self, epoch: Epoch, key: DataKey, scope: Scope, sent: Duration) -> Result<Arc<DataKey>, Locked> {
        self.ring.admit(epoch, key, scope, sent)
    }

    /// How each data key in the ring stands.
    pub fn held(&self) -> Vec<Held> {
        self.ring.held()
    }

    /// The scopes in which streams go on whose data keys have all been forgotten: they end with the term of the scope, unless
    /// another data key of it is admitted before.
    pub fn without_key(&self) -> Vec<Scope> {
        self.ring.without_key()
    }

    /// Wipes every data key of a scope, also from under those who hold them, and ends every stream under one.
    pub fn revoke(&self, scope: Scope) {
        self.ring.revoke(scope);
        self.revocations.send_modify(|count| *count += 1);
    }

    /// Wipes one data key, also from under those who hold it.
    pub fn forget(&self, id: DataKeyId) {
        self.ring.forget(id);
    }

    /// The same for a data key whose scope nobody uses; nothing happens if somebody does.
    pub fn forget_unused(&self, id: DataKeyId) {
        self.ring.forget_unused(id);
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
                self.standing.send_replace(Standing::Locked);
                self.revocations.send_modify(|count| *count += 1);
            }
            Transition::Unlocked | Transition::Suspected | Transition::Cleared => {
                self.standing.send_replace(standing(lease));
            }
            Transition::Unchanged | Transition::CauseChanged(_) => {}
        }
    }
}

fn standing(lease: &Lease) -> Standing {
    match lease.lock_state() {
        Some(_) => Standing::Locked,
        None if lease.is_suspect() => Standing::Suspect,
        None => Standing::Open,
    }
}
