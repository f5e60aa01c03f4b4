//! A clock that stands still until it is moved, randomness that repeats, and an open vault.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};
use uuid::Uuid;
use vault::{Clock, DataKey, DataKeyId, DeploymentId, Entropy, EntropyError, Epoch, Locked, Scope, Vault, Verdict};

/// The wall clock at boot time zero, in milliseconds.
pub const WALL_ZERO: i64 = 1_700_000_000_000;

/// The workspace that keys are put into the ring for.
pub const SCOPE: Scope = Scope::Workspace(Uuid::from_u128(1000));

/// Both clocks, by hand.
#[derive(Default)]
pub struct HandClock {
    boot_ms: AtomicU64,
    ahead_ms: AtomicI64,
}

impl HandClock {
    /// One hour after boot.
    pub fn new() -> Arc<Self> {
        let clock = Self::default();
        clock.pass(Duration::from_hours(1));
        Arc::new(clock)
    }

    /// Both clocks go on.
    pub fn pass(&self, time: Duration) {
        self.boot_ms.fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Only the wall clock goes on: the machine was frozen.
    pub fn freeze(&self, time: Duration) {
        self.ahead_ms.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn boot(&self) -> Duration {
        Duration::from_millis(self.boot_ms.load(Ordering::SeqCst))
    }

    fn wall_ms(&self) -> i64 {
        let boot = i64::try_from(self.boot_ms.load(Ordering::SeqCst)).unwrap();
        WALL_ZERO + boot + self.ahead_ms.load(Ordering::SeqCst)
    }
}

/// Counts upwards from a first byte.
pub struct Counting(Mutex<u8>);

impl Counting {
    pub fn from(first: u8) -> Self {
        Self(Mutex::new(first))
    }
}

impl Entropy for Counting {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        let mut next = self.0.lock().unwrap();
        for byte in out {
            *byte = *next;
            *next = next.wrapping_add(1);
        }
        Ok(())
    }
}

/// Has nothing to give.
pub struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError)
    }
}

pub fn deployment(id: &str) -> DeploymentId {
    DeploymentId::new(id).unwrap()
}

/// A vault with a grace of 5 minutes, opened by one check, and its clock.
pub fn open_vault() -> (Arc<Vault>, Arc<HandClock>) {
    let clock = HandClock::new();
    let grace = Duration::from_mins(5);
    let vault = Vault::new(deployment("acme"), clock.clone(), Arc::new(Counting::from(0)), grace);
    pass(&vault);
    assert!(vault.is_open());
    (Arc::new(vault), clock)
}

/// A check that passes, sent and answered now.
pub fn pass(vault: &Vault) -> vault::Transition {
    vault.record_check(vault.clock().boot(), vault.clock().wall_ms(), Verdict::Passed)
}

/// A check that is refused, sent and answered now.
pub fn refuse(vault: &Vault) -> vault::Transition {
    let verdict = Verdict::Refused {
        reason: vault::Refusal::Disabled,
        code: "DisabledException".to_owned(),
        request_id: Some("request-1".to_owned()),
    };
    vault.record_check(vault.clock().boot(), vault.clock().wall_ms(), verdict)
}

pub fn key_id(id: u128) -> DataKeyId {
    DataKeyId(Uuid::from_u128(id))
}

/// A key in no ring.
pub fn loose_key(id: u128, byte: u8) -> DataKey {
    DataKey::from_bytes(key_id(id), &[byte; 32]).unwrap()
}

/// Puts a key of a workspace into the ring, unwrapped just now.
pub fn admit(vault: &Vault, epoch: Epoch, key: DataKey) -> Result<Arc<DataKey>, Locked> {
    vault.admit(epoch, key, SCOPE, vault.clock().boot())
}

/// A key in the ring of a vault that stays open.
pub fn key(id: u128, byte: u8) -> Arc<DataKey> {
    let (vault, _) = open_vault();
    admit(&vault, vault.epoch(), loose_key(id, byte)).unwrap()
}
