//! Buffers that the parts of an object are sealed into, and that are used again once the store has taken what is in them.
//!
//! A new buffer for each part would cost more than sealing it: the system has to clear its pages before it is used, and the
//! allocator when it is given back. What is in these buffers is sealed, so they need no clearing in between.

use bytes::Bytes;
use std::sync::{Arc, Mutex, PoisonError};

/// The buffers of one object. Two are enough: one is filled while the other is sent.
pub struct PartBuffers {
    capacity: usize,
    free: Free,
}

type Free = Arc<Mutex<Vec<Vec<u8>>>>;

impl PartBuffers {
    /// Buffers that hold `capacity` bytes without growing.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, free: Arc::default() }
    }

    /// An empty one.
    pub fn take(&self) -> Vec<u8> {
        let used = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        used.unwrap_or_else(|| Vec::with_capacity(self.capacity))
    }

    /// What is in a buffer, to be sent. The buffer is free again when nobody holds this any more.
    pub fn lend(&self, full: Vec<u8>) -> Bytes {
        Bytes::from_owner(Lent { full, free: Arc::clone(&self.free) })
    }
}

struct Lent {
    full: Vec<u8>,
    free: Free,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.full
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut empty = std::mem::take(&mut self.full);
        empty.clear();
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(empty);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_once_nobody_reads_it() {
        let buffers = PartBuffers::new(64);
        let mut first = buffers.take();
        first.extend_from_slice(b"sealed");
        let place = first.as_ptr();
        let sent = buffers.lend(first);
        let second = buffers.take();
        assert_ne!(second.as_ptr(), place, "somebody still reads it");
        assert_eq!(sent.slice(1..).as_ref(), b"ealed");
        drop(sent);
        let again = buffers.take();
        assert_eq!((again.as_ptr(), again.len(), again.capacity()), (place, 0, 64));
    }
}
