//! Plaintext data keys, and the ring that is the only thing to hold them for longer than a call.
//!
//! What must stay true: a data key seals and opens only once the ring has admitted it, and only while the lease holds.
//! The bytes of an admitted key can be wiped from under whoever still holds its `Arc`: they stand behind a lock that
//! every use takes, so when `KeyRing::wipe` returns no use is under way and none will succeed again. An unwrap that
//! was asked for before a lock never enters the ring after it; the [`Epoch`] it shows is too old.
//!
//! Each workspace also has a term of its own, [`TERM`] from the moment the call that last unwrapped a key of it was sent, so
//! that one whose data key the service refuses or no longer answers for ends by itself, whatever becomes of the rest. The
//! organization has none: its data key is what every key check unwraps, so the lease is its term. A stream goes on when its
//! scope gets another data key.

use crate::{
    clock::nanos,
    context::{DataKeyId, Scope},
    derivation::DerivationKey,
    entropy::Entropy,
    error::{EntropyError, Locked},
    gauge::Gauge,
};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use zeroize::Zeroizing;

/// How long the data keys of a workspace may be used after the last successful unwrap of one was *sent*.
pub const TERM: Duration = Duration::from_mins(10);

const CHECK_LABEL: &[u8] = b"keystead data key check value v1";

/// 32 random bytes that seal one scope.
///
/// Until it is admitted to a ring it can only be wrapped and compared.
pub struct DataKey {
    id: DataKeyId,
    check_value: [u8; 32],
    secret: RwLock<Option<Secret>>,
    leash: Option<Leash>,
}

/// The key twice, as bytes to be wrapped and as what everything is derived from. Boxed, so that moving it leaves no copy behind.
struct Secret {
    bytes: Box<Zeroizing<[u8; 32]>>,
    derivation: DerivationKey,
}

impl Secret {
    fn new(bytes: Box<Zeroizing<[u8; 32]>>) -> Self {
        Self { derivation: DerivationKey::new(&bytes), bytes }
    }
}

impl DataKey {
    /// Makes a new key.
    pub fn generate(id: DataKeyId, entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = Box::new(Zeroizing::new([0; 32]));
        entropy.fill(bytes.as_mut_slice())?;
        Ok(Self::from_secret(id, Secret::new(bytes)))
    }

    /// Copies the bytes of a key that was unwrapped; none if they are not 32.
    pub fn from_bytes(id: DataKeyId, bytes: &[u8]) -> Option<Self> {
        let mut own = Box::new(Zeroizing::new([0; 32]));
        if bytes.len() != own.len() {
            return None;
        }
        own.copy_from_slice(bytes);
        Some(Self::from_secret(id, Secret::new(own)))
    }

    fn from_secret(id: DataKeyId, secret: Secret) -> Self {
        let mut check_value = [0u8; 32];
        secret.derivation.expand(&[CHECK_LABEL], &mut check_value);
        Self { id, check_value, secret: RwLock::new(Some(secret)), leash: None }
    }

    /// Its id.
    pub fn id(&self) -> DataKeyId {
        self.id
    }

    /// What is stored beside the wrapped key to recognize it by: derived under a label of its own, and no secret.
    pub fn check_value(&self) -> [u8; 32] {
        self.check_value
    }

    /// Derives, to seal or open: only in a ring, and only under the lease.
    pub(crate) fn derive<T>(&self, with: impl FnOnce(&DerivationKey) -> T) -> Result<T, Locked> {
        let leash = self.leash.as_ref().ok_or(Locked)?;
        let secret = self.secret.read().unwrap_or_else(PoisonError::into_inner);
        let secret = secret.as_ref().ok_or(Locked)?;
        if leash.is_live() { Ok(with(&secret.derivation)) } else { Err(Locked) }
    }

    /// The bytes, to be wrapped by a root key. A fresh key is in no ring yet, so only wiping ends this.
    pub(crate) fn bytes_to_wrap(&self) -> Result<Zeroizing<Vec<u8>>, Locked> {
        let secret = self.secret.read().unwrap_or_else(PoisonError::into_inner);
        secret.as_ref().map(|secret| Zeroizing::new(secret.bytes.to_vec())).ok_or(Locked)
    }

    /// Whether it can be used now.
    pub(crate) fn is_live(&self) -> bool {
        self.leash.as_ref().is_some_and(Leash::is_live)
    }

    /// What ties everything that is opened with it to the lease.
    ///
    /// # Errors
    /// [`Locked`] for a key in no ring.
    pub fn leash(&self) -> Result<Leash, Locked> {
        self.leash.clone().ok_or(Locked)
    }

    /// Waits for uses under way, which take microseconds, and zeroizes the key.
    fn wipe(&self) {
        *self.secret.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// What ties a key, a stream or an answer to the lease under which it was made. Clones are equal.
#[derive(Clone)]
pub struct Leash {
    gauge: Arc<Gauge>,
    locks: u64,
    /// The term of one scope; none for what is tied to the lease of the vault alone.
    term: Option<Arc<Term>>,
}

/// Until when the data keys of one scope may be used.
struct Term {
    /// Boot time in nanoseconds; 0 once it has been revoked.
    until: AtomicU64,
    /// Whether it has been used since it was last renewed.
    used: AtomicBool,
}

/// When the term of a scope ends whose key was unwrapped by a call sent at `sent`, in nanoseconds of boot time.
fn term_end(scope: Scope, sent: Duration) -> u64 {
    match scope {
        Scope::Organization => u64::MAX,
        Scope::Workspace(_) => nanos(sent.saturating_add(TERM)),
    }
}

impl Term {
    fn new(until: u64) -> Self {
        Self { until: AtomicU64::new(until), used: AtomicBool::new(false) }
    }

    fn renew(&self, until: u64) {
        // Never back to life, and never shorter: answers can come out of order.
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
    /// Whether anybody has used a key of its scope since, or holds a stream there.
    pub in_use: bool,
}

#[derive(Default)]
struct Ring {
    keys: HashMap<DataKeyId, Entry>,
    terms: HashMap<Scope, Arc<Term>>,
    /// Grows with every lock, and with every key that is forgotten, revoked or refused.
    now: u64,
    /// Epochs before this one are past for all keys.
    floor: u64,
    /// Epochs before these are past for single keys.
    forgotten: HashMap<DataKeyId, u64>,
    /// Epochs before these are past for all keys of single scopes.
    revoked: HashMap<Scope, u64>,
}

impl Ring {
    fn keys_of(&self, scope: Scope) -> usize {
        self.keys.values().filter(|entry| entry.scope == scope).count()
    }

    /// Whether one of the `keys` keys of a scope has been used since its term was last renewed, or a stream holds the term.
    fn is_in_use(&self, scope: Scope, keys: usize) -> bool {
        let Some(term) = self.terms.get(&scope) else { return false };
        // The table holds it, and each key; whoever else does is a stream.
        term.used.load(Ordering::Relaxed) || Arc::strong_count(term) > keys + 1
    }

    fn forget(&mut self, id: DataKeyId) {
        self.now += 1;
        self.forgotten.insert(id, self.now);
        let Some(entry) = self.keys.remove(&id) else { return };
        entry.key.wipe();
        let (scope, key) = (entry.scope, entry.key);
        drop(key);
        // Streams may go on, under another key of the scope.
        let is_held = |term: &Arc<Term>| Arc::strong_count(term) > 1;
        if self.keys_of(scope) == 0 && !self.terms.get(&scope).is_some_and(is_held) {
            self.terms.remove(&scope);
        }
    }
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

    /// A key to be used: from now on its scope counts as in use.
    pub(crate) fn get(&self, id: DataKeyId) -> Option<Arc<DataKey>> {
        let ring = self.read();
        let entry = ring.keys.get(&id)?;
        if let Some(term) = ring.terms.get(&entry.scope) {
            term.used.store(true, Ordering::Relaxed);
        }
        Some(Arc::clone(&entry.key))
    }

    /// Every key that is there.
    pub(crate) fn held(&self) -> Vec<Held> {
        let ring = self.read();
        let mut keys_of = HashMap::<Scope, usize>::new();
        for entry in ring.keys.values() {
            *keys_of.entry(entry.scope).or_default() += 1;
        }
        let held = ring.keys.iter().map(|(id, entry)| Held {
            id: *id,
            scope: entry.scope,
            sent: Duration::from_nanos(entry.sent.load(Ordering::Relaxed)),
            in_use: ring.is_in_use(entry.scope, keys_of.get(&entry.scope).copied().unwrap_or_default()),
        });
        held.collect()
    }

    /// The scopes in which streams go on whose data keys have all been forgotten.
    pub(crate) fn without_key(&self) -> Vec<Scope> {
        let ring = self.read();
        let with: HashSet<Scope> = ring.keys.values().map(|entry| entry.scope).collect();
        let without = ring.terms.keys().filter(|scope| !with.contains(scope) && ring.is_in_use(**scope, 0));
        without.copied().collect()
    }

    /// The leash of what is opened in a scope; none if nothing of it is.
    pub(crate) fn leash_of(&self, scope: Scope) -> Option<Leash> {
        Some(Leash { term: Some(Arc::clone(self.read().terms.get(&scope)?)), ..Leash::on(&self.gauge) })
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
        let until = term_end(scope, sent);
        // Tested with the ring held: a lock wipes only after it has closed the gauge, and then finds this key.
        let open_at = self.gauge.open_at().filter(|now| *now < until);
        if epoch.0 < floor || open_at.is_none() {
            // So that whoever follows the epoch learns that a key was thrown away.
            ring.now += 1;
            return Err(Locked);
        }
        let term = Arc::clone(ring.terms.entry(scope).or_insert_with(|| Arc::new(Term::new(until))));
        term.renew(until);
        if let Some(entry) = ring.keys.get(&id) {
            entry.sent.fetch_max(nanos(sent), Ordering::Relaxed);
            return Ok(Arc::clone(&entry.key));
        }
        key.leash = Some(Leash { term: Some(term), ..Leash::on(&self.gauge) });
        let key = Arc::new(key);
        ring.keys.insert(id, Entry { key: Arc::clone(&key), scope, sent: AtomicU64::new(nanos(sent)) });
        Ok(key)
    }

    /// Wipes every key of a scope, ends the streams under them, and refuses them to any unwrap asked for before.
    pub(crate) fn revoke(&self, scope: Scope) {
        let mut ring = self.write();
        ring.now += 1;
        let now = ring.now;
        ring.revoked.insert(scope, now);
        if let Some(term) = ring.terms.remove(&scope) {
            term.until.store(0, Ordering::Release);
        }
        ring.keys.retain(|_, entry| {
            if entry.scope == scope {
                entry.key.wipe();
            }
            entry.scope != scope
        });
    }

    /// Wipes one key, and refuses it to any unwrap asked for before.
    pub(crate) fn forget(&self, id: DataKeyId) {
        self.write().forget(id);
    }

    /// The same, unless anybody uses the key: looked at with the ring held, so that it is not taken from under one who has
    /// just begun.
    pub(crate) fn forget_unused(&self, id: DataKeyId) {
        let mut ring = self.write();
        if ring.keys.get(&id).is_some_and(|entry| !ring.is_in_use(entry.scope, ring.keys_of(entry.scope))) {
            ring.forget(id);
        }
    }

    /// Wipes every key and begins a new epoch.
    pub(crate) fn wipe(&self) {
        let mut ring = self.write();
        ring.now += 1;
        ring.floor = ring.now;
        ring.forgotten.clear();
        ring.revoked.clear();
        ring.terms.clear();
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
