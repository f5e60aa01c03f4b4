//! Randomness, passed in so that a test can hold it.

use crate::error::EntropyError;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroize;

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

/// How much is asked for at once: the salts of 128 records.
const BUFFER_LEN: usize = 3_072;

/// Gives out in small pieces what it has had from another source in a large one, which costs less than each piece alone. For
/// work that seals many short records in a row.
///
/// What it has given it forgets, so that nothing is given twice. Of a machine that is copied while it runs both copies give the
/// same, unlike the system's own: so each is for work whose every input is fixed when it is made, which both copies then do alike.
pub struct BufferedEntropy<'a> {
    source: &'a dyn Entropy,
    /// What is left is at the end.
    buffer: Mutex<(Box<[u8; BUFFER_LEN]>, usize)>,
}

impl<'a> BufferedEntropy<'a> {
    /// Empty: it asks `source` when it is first asked itself.
    pub fn new(source: &'a dyn Entropy) -> Self {
        Self { source, buffer: Mutex::new((Box::new([0; BUFFER_LEN]), 0)) }
    }
}

impl Entropy for BufferedEntropy<'_> {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        if out.len() > BUFFER_LEN {
            return self.source.fill(out);
        }
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        let (bytes, left) = &mut *buffer;
        if *left < out.len() {
            // Nothing is left if it fails: what it may have written is not to be given.
            *left = 0;
            self.source.fill(bytes.as_mut_slice())?;
            *left = BUFFER_LEN;
        }
        let given = &mut bytes[BUFFER_LEN - *left..][..out.len()];
        out.copy_from_slice(given);
        given.zeroize();
        *left -= out.len();
        Ok(())
    }
}

impl Drop for BufferedEntropy<'_> {
    fn drop(&mut self) {
        self.buffer.get_mut().unwrap_or_else(PoisonError::into_inner).0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::{BUFFER_LEN, BufferedEntropy, Entropy};
    use crate::error::EntropyError;
    use std::sync::Mutex;

    /// Counts bytes, and fails when it is told to.
    #[derive(Default)]
    struct Counting(Mutex<(u32, bool)>);

    impl Entropy for Counting {
        fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
            let (next, fails) = &mut *self.0.lock().unwrap();
            for bytes in out.chunks_mut(4) {
                bytes.copy_from_slice(&next.to_be_bytes()[..bytes.len()]);
                *next += 1;
            }
            if *fails { Err(EntropyError) } else { Ok(()) }
        }
    }

    fn numbers(bytes: &[u8]) -> Vec<u32> {
        bytes.as_chunks().0.iter().map(|bytes| u32::from_be_bytes(*bytes)).collect()
    }

    #[test]
    fn nothing_is_given_twice_and_every_byte_is_of_the_source() {
        let source = Counting::default();
        let buffered = BufferedEntropy::new(&source);
        let mut seen = Vec::new();
        for len in [24, 24, 8, BUFFER_LEN, BUFFER_LEN + 4, 24, BUFFER_LEN - 4, 12].into_iter().cycle().take(800) {
            let mut out = vec![0xff; len];
            buffered.fill(&mut out).unwrap();
            seen.extend(numbers(&out));
        }
        let given = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), given);
        assert!(seen.last().is_some_and(|last| *last < source.0.lock().unwrap().0));
    }

    #[test]
    fn after_a_failure_nothing_of_it_is_given() {
        let source = Counting::default();
        let buffered = BufferedEntropy::new(&source);
        buffered.fill(&mut [0; BUFFER_LEN - 8]).unwrap();
        source.0.lock().unwrap().1 = true;
        // More than is left; and then no more than was left, which what has failed may have been written over.
        assert!(buffered.fill(&mut [0; 24]).is_err() && buffered.fill(&mut [0; 8]).is_err());
        let failed = source.0.lock().unwrap().0;
        source.0.lock().unwrap().1 = false;
        let mut out = [0; 8];
        buffered.fill(&mut out).unwrap();
        assert_eq!(numbers(&out), [failed, failed + 1]);
    }
}
