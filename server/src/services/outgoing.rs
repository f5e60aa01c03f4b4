//! The account of opened data on its way out of this server: how many answers carry some now, when a byte of one was last
//! given to the kernel, and how many were cut by a lock.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering},
};
use vault::Vault;

/// The account of one server.
pub struct Outgoing {
    vault: Arc<Vault>,
    carried: AtomicUsize,
    /// Unix milliseconds; 0 before the first.
    last_byte: AtomicI64,
    cut: AtomicU64,
}

impl Outgoing {
    pub fn new(vault: Arc<Vault>) -> Self {
        Self { vault, carried: AtomicUsize::new(0), last_byte: AtomicI64::new(0), cut: AtomicU64::new(0) }
    }

    pub fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// An answer with opened data begins.
    pub fn begin(&self) {
        self.carried.fetch_add(1, Ordering::AcqRel);
    }

    /// It has ended: all of it is with the kernel, or the connection is gone.
    pub fn end(&self) {
        self.carried.fetch_sub(1, Ordering::AcqRel);
    }

    /// A part of one has been given to the kernel just now.
    pub fn gave(&self) {
        self.last_byte.fetch_max(self.vault.clock().wall_ms(), Ordering::AcqRel);
    }

    /// One was cut because its lease had ended.
    pub fn cut(&self) {
        self.cut.fetch_add(1, Ordering::AcqRel);
    }

    /// How many answers with opened data have not ended.
    pub fn carried(&self) -> usize {
        self.carried.load(Ordering::Acquire)
    }

    /// When opened data was last given to the kernel, in Unix milliseconds.
    pub fn last_byte(&self) -> Option<i64> {
        Some(self.last_byte.load(Ordering::Acquire)).filter(|at| *at > 0)
    }

    /// How many answers have been cut since the start.
    pub fn cuts(&self) -> u64 {
        self.cut.load(Ordering::Acquire)
    }
}
