//! Randomness, passed in so that a test can hold it.

use crate::error::EntropyError;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// A source of random bytes fit for keys.
pub trait Entropy: Send + Sync {
    /// Fills `out` entirely, or fails.
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError>;
}

/// The generator of `aws-lc-rs`, seeded by the operating system.
#[derive(Clone, Debug, Default)]
pub struct SystemEntropy {
    random: SystemRandom,
}

impl SystemEntropy {
    /// A handle on the process's generator; all handles are equal.
    pub fn new() -> Self {
        Self { random: SystemRandom::new() }
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        self.random.fill(out).map_err(|_| EntropyError)
    }
}
