//! Plaintext data keys, and the ring that is the only thing to hold them for longer than a call.
//!
//! What must stay true: a data key seals and opens only once the ring has admitted it, and only while the lease holds.
//! The bytes of an admitted key can be wiped from under whoever still holds its `Arc`: they stand behind a lock that
//! every use takes, so when `KeyRing::wipe` returns no use is under way and none will succeed again. An unwrap that
//! was asked for before a lock never enters the ring after it; the [`Epoch`] it shows is too old.
//!
//! Each key also has a term of its own, [`TERM`] from the moment the call that last unwrapped it was sent, so that a
//! workspace whose data key the service refuses or no longer answers for ends by itself, whatever becomes of the rest.

use crate::{
    clock::nanos,
    context::{DataKeyId, Scope},
    entropy::Entropy,
    error::{EntropyError, Locked},
    gauge::Gauge,
    message::expand,
};
use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use zeroize::{Zeroize, Zeroizing};

/// How long a data key may be used after the last successful unwrap of it was *sent*.
pub const TERM: Duration = Duration::from_mins(10);

const CHECK_LABEL: &[u8] = b"keystead data key check value v1";

/// 32 random bytes that seal one scope.
///
/// Until it is admitted to a ring it can only be wrapped and compared.
pub struct DataKey {
    id: DataKeyId,
    check_value: [u8; 32],
    /// Boxed, so that moving the key leaves no copy of the bytes behind.
    bytes: RwLock<Option<Secret>>,
    leash: Option<Leash>,
}

struct Secret(Box<[u8; 32]>);

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

impl DataKey {
    /// Makes a new key.
    pub fn generate(id: DataKeyId, entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut secret = Secret(Box::new([0; 32]));
        entropy.fill(secret.0.as_mut_slice())?;
        Ok(Self::from_secret(id, secret))
    }

    /// Copies the bytes of a key that was unwrapped; none if they are not 32.
    pub fn from_bytes(id: DataKeyId, bytes: &[u8]) -> Option<Self> {
        let mut secret = Secret(Box::new([0; 32]));
        if bytes.len() != secret.0.len() {
            return None;
        }
        secret.0.copy_from_slice(bytes);
        Some(Self::from_secret(id, secret))
    }

    fn from_secret(id: DataKeyId, secret: Secret) -> Self {
        let mut check_value = [0u8; 32];
        expand(&secret.0, &[CHECK_LABEL], &mut check_value);
        Self { id, check_value, bytes: RwLock::new(Some(secret)), leash: None }
    }

    /// Its id.
    pub fn id(&self) -> DataKeyId {
        self.id
    }

    /// What is stored beside the wrapped key to recognize it by: derived under a label of its own, and no secret.
    pub fn check_value(&self) -> [u8; 32] {
        self.check_value
    }

    /// The bytes, to seal or open with: only in a ring, and only under the lease.
    pub(crate) fn use_bytes<T>(&self, with: impl FnOnce(&[u8; 32]) -> T) -> Result<T, Locked> {
        let leash = self.leash.as_ref().ok_or(Locked)?;
        let bytes = self.bytes.read().unwrap_or_else(PoisonError::into_inner);
        let secret = bytes.as_ref().ok_or(Locked)?;
        if leash.is_live() { Ok(with(&secret.0)) } else { Err(Locked) }
    }

    /// The bytes, to be wrapped by a root key. A fresh key is in no ring yet, so only wiping ends this.
    pub(crate) fn bytes_to_wrap(&self) -> Result<Zeroizing<Vec<u8>>, Locked> {
        let bytes = self.bytes.read().unwrap_or_else(PoisonError::into_inner);
        bytes.as_ref().map(|secret| Zeroizing::new(secret.0.to_vec())).ok_or(Locked)
    }

    pub(crate) fn leash(&self) -> Result<Leash, Locked> {
        self.leash.clone().ok_or(Locked)
    }

    /// Waits for uses under way, which take microseconds, and zeroizes the bytes.
    fn wipe(&self) {
        *self.bytes.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// What ties a key, a stream or an answer to the lease under which it was made. Clones are equal.
#[derive(Clone)]
pub struct Leash {
    gauge: Arc<Gauge>,
    locks: u64,
    /// The term of one data key; none for what is tied to the lease of the vault alone.
    term: Option<Arc<Term>>,
}

/// Until when one data key may be used.
struct Term {
    /// Boot time in nanoseconds; 0 once it has been revoked.
    until: AtomicU64,
    /// Whether it has been used since it was last renewed.
    used: AtomicBool,
}

impl Term {
    fn renew(&self, sent: Duration) {
        // Never back to life, and never shorter: answers can come out of order.
        let until = nanos(sent.saturating_add(TERM));
        let _ = self.until.fetch_update(Ordering::AcqRel, Ordering::Acquire, |old| (old != 0).then(|| old.max(until)));
        self.used.store(false, Ordering::Relaxed);
    }
}

impl Leash {
    /// On the lease of a vault.
    pub(crate) fn on(gauge: &Arc<Gauge>) -> Self {
        Self { gauge: Arc::clone(gauge), locks: gauge.locks(), term: None }
    }

    /// Whether that lease still holds, and has all the time.
    pub fn is_live(&self) -> bool {
        let Some(now) = self.gauge.open_at() else { return false };
        if self.gauge.locks() != self.locks {
            return false;
        }
        let Some(term) = &self.term else { return true };
        if now >= term.until.load(Ordering::Acquire) {
            return false;
        }
        if !term.used.load(Ordering::Relaxed) {
            term.used.store(true, Ordering::Relaxed);
        }
        true
    }
}

/// A moment in the life of the ring. Ask for it before an unwrap and show it with the key that came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Epoch(u64);

struct Entry {
    key: Arc<DataKey>,
    scope: Scope,
    /// When the last successful unwrap of it was sent, in nanoseconds of boot time.
    sent: AtomicU64,
    term: Arc<Term>,
}

/// How a data key in the ring stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    /// Which it is.
    pub id: DataKeyId,
    /// What it seals.
    pub scope: Scope,
    /// Boot time at which the last successful unwrap of it was sent.
    pub sent: Duration,
    /// Whether anybody has used it since, or holds a stream under it.
    pub in_use: bool,
}

#[derive(Default)]
struct Ring {
    keys: HashMap<DataKeyId, Entry>,
    /// Grows with every lock and every key forgotten.
    now: u64,
    /// Epochs before this one are past for all keys.
    floor: u64,
    /// Epochs before these are past for single keys.
    forgotten: HashMap<DataKeyId, u64>,
    /// Epochs before these are past for all keys of single scopes.
    revoked: HashMap<Scope, u64>,
}

/// The data keys in use.
pub(crate) struct KeyRing {
    gauge: Arc<Gauge>,
    ring: RwLock<Ring>,
}

impl KeyRing {
    pub(crate) fn new(gauge: Arc<Gauge>) -> Self {
        Self { gauge, ring: RwLock::default() }
    }

    pub(crate) fn epoch(&self) -> Epoch {
        Epoch(self.read().now)
    }

    pub(crate) fn get(&self, id: DataKeyId) -> Option<Arc<DataKey>> {
        self.read().keys.get(&id).map(|entry| Arc::clone(&entry.key))
    }

    /// Every key that is there.
    pub(crate) fn held(&self) -> Vec<Held> {
        let ring = self.read();
        let held = ring.keys.iter().map(|(id, entry)| Held {
            id: *id,
            scope: entry.scope,
            sent: Duration::from_nanos(entry.sent.load(Ordering::Relaxed)),
            // The entry and the key itself hold the term; whoever else does is a stream.
            in_use: entry.term.used.load(Ordering::Relaxed) || Arc::strong_count(&entry.term) > 2,
        });
        held.collect()
    }

    /// The leash of the key of a scope; of any, if there are several.
    pub(crate) fn leash_of(&self, scope: Scope) -> Option<Leash> {
        let ring = self.read();
        let entry = ring.keys.values().find(|entry| entry.scope == scope)?;
        Some(Leash { term: Some(Arc::clone(&entry.term)), ..Leash::on(&self.gauge) })
    }

    /// Puts a key of `scope` into the ring, which was unwrapped by a call sent at `sent` in boot time. If it is there
    /// already the old one stays, so that its users go on, and its term is renewed.
    pub(crate) fn admit(
        &self,
        epoch: Epoch,
        mut key: DataKey,
        scope: Scope,
        sent: Duration,
    ) -> Result<Arc<DataKey>, Locked> {
        let mut ring = self.write();
        let id = key.id;
        let floors = [Some(&ring.floor), ring.forgotten.get(&id), ring.revoked.get(&scope)];
        let floor = floors.into_iter().flatten().max().copied().unwrap_or(0);
        // Tested with the ring held: a lock wipes only after it has closed the gauge, and then finds this key.
        let open_at = self.gauge.open_at().filter(|now| *now < nanos(sent.saturating_add(TERM)));
        if epoch.0 < floor || open_at.is_none() {
            return Err(Locked);
        }
        if let Some(entry) = ring.keys.get(&id) {
            entry.sent.fetch_max(nanos(sent), Ordering::Relaxed);
            entry.term.renew(sent);
            return Ok(Arc::clone(&entry.key));
        }
        // Until it is renewed, using it for the first time is not what keeps it in use.
        let term = Term { until: AtomicU64::new(nanos(sent.saturating_add(TERM))), used: AtomicBool::new(false) };
        let term = Arc::new(term);
        key.leash = Some(Leash { term: Some(Arc::clone(&term)), ..Leash::on(&self.gauge) });
        let key = Arc::new(key);
        let entry = Entry { key: Arc::clone(&key), scope, sent: AtomicU64::new(nanos(sent)), term };
        ring.keys.insert(id, entry);
        Ok(key)
    }

    /// Wipes every key of a scope, ends the streams under them, and refuses them to any unwrap asked for before.
    pub(crate) fn revoke(&self, scope: Scope) {
        let mut ring = self.write();
        ring.now += 1;
        let now = ring.now;
        ring.revoked.insert(scope, now);
        ring.keys.retain(|_, entry| {
            if entry.scope == scope {
                entry.term.until.store(0, Ordering::Release);
                entry.key.wipe();
            }
            entry.scope != scope
        });
    }

    /// Wipes one key, and refuses it to any unwrap asked for before.
    pub(crate) fn forget(&self, id: DataKeyId) {
        let mut ring = self.write();
        ring.now += 1;
        let now = ring.now;
        ring.forgotten.insert(id, now);
        if let Some(entry) = ring.keys.remove(&id) {
            entry.key.wipe();
        }
    }

    /// Wipes every key and begins a new epoch.
    pub(crate) fn wipe(&self) {
        let mut ring = self.write();
        ring.now += 1;
        ring.floor = ring.now;
        ring.forgotten.clear();
        ring.revoked.clear();
        for (_, entry) in ring.keys.drain() {
            entry.key.wipe();
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Ring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Ring> {
        self.ring.write().unwrap_or_else(PoisonError::into_inner)
    }
}
