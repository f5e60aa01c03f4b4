//! Plaintext data keys, and the ring that is the only thing to hold them for longer than a call.
//!
//! What must stay true: a data key seals and opens only once the ring has admitted it, and only while the lease holds.
//! The bytes of an admitted key can be wiped from under whoever still holds its `Arc`: they stand behind a lock that
//! every use takes, so when `KeyRing::wipe` returns no use is under way and none will succeed again. An unwrap that
//! was asked for before a lock never enters the ring after it; the [`Epoch`] it shows is too old.

use crate::{
    clock::{Clock, nanos},
    context::DataKeyId,
    entropy::Entropy,
    error::{EntropyError, Locked},
    gauge::Gauge,
    message::expand,
};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic::AtomicU64, atomic::Ordering},
    time::Duration,
};
use zeroize::{Zeroize, Zeroizing};

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
        let mut bytes = Zeroizing::new([0u8; 32]);
        entropy.fill(bytes.as_mut_slice())?;
        Ok(Self::from_bytes(id, bytes))
    }

    /// Takes the bytes of a key that was unwrapped.
    #[allow(clippy::needless_pass_by_value, reason = "the caller's copy must end here")]
    pub fn from_bytes(id: DataKeyId, bytes: Zeroizing<[u8; 32]>) -> Self {
        let mut secret = Secret(Box::new([0; 32]));
        secret.0.copy_from_slice(bytes.as_slice());
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
    pub(crate) fn bytes_to_wrap<T>(&self, with: impl FnOnce(&[u8; 32]) -> T) -> Result<T, Locked> {
        let bytes = self.bytes.read().unwrap_or_else(PoisonError::into_inner);
        bytes.as_ref().map(|secret| with(&secret.0)).ok_or(Locked)
    }

    pub(crate) fn leash(&self) -> Result<Leash, Locked> {
        self.leash.clone().ok_or(Locked)
    }

    /// Waits for uses under way, which take microseconds, and zeroizes the bytes.
    fn wipe(&self) {
        *self.bytes.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// What ties a key or a stream to the lease under which it was made.
#[derive(Clone)]
pub(crate) struct Leash {
    gauge: Arc<Gauge>,
    locks: u64,
}

impl Leash {
    /// Whether that lease still holds, and has all the time.
    pub(crate) fn is_live(&self) -> bool {
        self.gauge.is_open() && self.gauge.locks() == self.locks
    }
}

/// A moment in the life of the ring. Ask for it before an unwrap and show it with the key that came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Epoch(u64);

struct Entry {
    key: Arc<DataKey>,
    /// Boot time of the last admission, in nanoseconds.
    admitted: AtomicU64,
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

    /// When a key was last admitted, in boot time.
    pub(crate) fn admitted(&self, id: DataKeyId) -> Option<Duration> {
        self.read().keys.get(&id).map(|entry| Duration::from_nanos(entry.admitted.load(Ordering::Relaxed)))
    }

    /// Puts a key into the ring. If it is there already the old one stays, so that its users go on, and its age is new.
    pub(crate) fn admit(&self, epoch: Epoch, mut key: DataKey, clock: &dyn Clock) -> Result<Arc<DataKey>, Locked> {
        let mut ring = self.write();
        let floor = ring.forgotten.get(&key.id).map_or(ring.floor, |id| ring.floor.max(*id));
        // Tested with the ring held: a lock wipes only after it has closed the gauge, and then finds this key.
        if epoch.0 < floor || !self.gauge.is_open() {
            return Err(Locked);
        }
        let now = nanos(clock.boot());
        if let Some(entry) = ring.keys.get(&key.id) {
            entry.admitted.store(now, Ordering::Relaxed);
            return Ok(Arc::clone(&entry.key));
        }
        key.leash = Some(Leash { gauge: Arc::clone(&self.gauge), locks: self.gauge.locks() });
        let id = key.id;
        let key = Arc::new(key);
        ring.keys.insert(id, Entry { key: Arc::clone(&key), admitted: AtomicU64::new(now) });
        Ok(key)
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

    /// The ids of the keys that are there.
    pub(crate) fn ids(&self) -> Vec<DataKeyId> {
        self.read().keys.keys().copied().collect()
    }

    /// Wipes every key and begins a new epoch.
    pub(crate) fn wipe(&self) {
        let mut ring = self.write();
        ring.now += 1;
        ring.floor = ring.now;
        ring.forgotten.clear();
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
