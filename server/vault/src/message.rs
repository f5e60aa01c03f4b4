//! One message: the keys derived for a single seal, and its chunks.
//!
//! An instance of the C2SP *chunked-encryption* specification, Cobblestone-256: HKDF-Expand with SHA-512 derives
//! message key, base nonce and commitment from data key, salt and context; AES-256-GCM seals chunks of 16 KiB, of
//! which the last is always shorter. [`envelope`](crate::envelope) has all of it to the byte. What must stay true: a message
//! key is used for one message, a nonce for one chunk, and no chunk number reaches [`MAX_CHUNKS`].

use crate::{
    derivation::DerivationKey,
    envelope::{CHUNK_LEN, SEALED_CHUNK_LEN},
    stack::leaving_no_trace,
};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    error::Unspecified,
};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

#[cfg(test)]
mod tests;

pub(crate) const SALT_LEN: usize = 24;
pub(crate) const COMMITMENT_LEN: usize = 32;
/// Salt and commitment, with which a message begins.
pub(crate) const HEAD_LEN: usize = SALT_LEN + COMMITMENT_LEN;
pub(crate) const TAG_LEN: usize = SEALED_CHUNK_LEN - CHUNK_LEN;
/// Where the specification ends a message: 4 PiB.
pub(crate) const MAX_CHUNKS: u64 = 1 << 38;
const KEY_LEN: usize = 32;
const INFO: &[u8] = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";

/// The key of one message, with its base nonce.
pub(crate) struct MessageKey {
    aead: LessSafeKey,
    nonce: [u8; NONCE_LEN],
}

impl MessageKey {
    /// Derives key, base nonce and commitment. `context` stands behind the salt in the derivation.
    pub(crate) fn derive(
        data_key: &DerivationKey,
        salt: &[u8; SALT_LEN],
        context: &[u8],
    ) -> (Self, [u8; COMMITMENT_LEN]) {
        leaving_no_trace(|| Self::derive_here(data_key, salt, context))
    }

    fn derive_here(data_key: &DerivationKey, salt: &[u8; SALT_LEN], context: &[u8]) -> (Self, [u8; COMMITMENT_LEN]) {
        let mut material = Zeroizing::new([0u8; KEY_LEN + NONCE_LEN + COMMITMENT_LEN]);
        data_key.expand_here(&[INFO, salt, context], material.as_mut_slice());
        let (key, rest) = material.split_at(KEY_LEN);
        let (base, derived) = rest.split_at(NONCE_LEN);
        let mut nonce = [0u8; NONCE_LEN];
        nonce.copy_from_slice(base);
        let mut commitment = [0u8; COMMITMENT_LEN];
        commitment.copy_from_slice(derived);
        (Self { aead: Self::aead(key), nonce }, commitment)
    }

    /// Derives the key of a message that begins with `head`, if it commits to these keys in this context.
    pub(crate) fn resume(data_key: &DerivationKey, head: &[u8; HEAD_LEN], context: &[u8]) -> Option<Self> {
        let (salt, committed) = head.split_first_chunk::<SALT_LEN>()?;
        let (message, commitment) = Self::derive(data_key, salt, context);
        bool::from(commitment.ct_eq(committed)).then_some(message)
    }

    fn aead(key: &[u8]) -> LessSafeKey {
        let Ok(key) = UnboundKey::new(&AES_256_GCM, key) else {
            unreachable!("AES-256-GCM takes every key of 32 bytes");
        };
        LessSafeKey::new(key)
    }

    /// The base nonce XOR the chunk number, big-endian.
    fn nonce(&self, chunk: u64) -> Nonce {
        assert!(chunk < MAX_CHUNKS, "a message ends before its chunk numbers do");
        let mut nonce = self.nonce;
        for (byte, number) in nonce[NONCE_LEN - 8..].iter_mut().zip(chunk.to_be_bytes()) {
            *byte ^= number;
        }
        Nonce::assume_unique_for_key(nonce)
    }

    /// Seals one chunk into `out`, which has its sealed length.
    ///
    /// # Panics
    /// At chunk 2³⁸, behind 4 PiB in one message.
    fn seal_into(&self, chunk: u64, plaintext: &[u8], out: &mut [u8]) {
        let (sealed, tag) = out.split_at_mut(plaintext.len());
        let done = self.aead.seal_out_of_place_scatter(self.nonce(chunk), Aad::empty(), plaintext, sealed, &[], tag);
        assert!(done.is_ok(), "the lengths fit by construction");
    }

    /// Opens one chunk into `out`, which has its opened length. On failure `out` is zeroized: what was decrypted
    /// before the tag proved wrong must not be seen by anybody.
    fn open_into(&self, chunk: u64, sealed: &[u8], out: &mut [u8]) -> Result<(), Unspecified> {
        let (sealed, tag) = sealed.split_last_chunk::<TAG_LEN>().ok_or(Unspecified)?;
        let done = self.aead.open_separate_gather(self.nonce(chunk), Aad::empty(), sealed, tag, out);
        if done.is_err() {
            out.zeroize();
        }
        done
    }

    /// Appends the sealed chunk to `out`.
    ///
    /// # Panics
    /// At chunk 2³⁸, behind 4 PiB in one message.
    pub(crate) fn seal_chunk(&self, chunk: u64, plaintext: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        // Chunk by chunk, so that what is zeroed here is still in the nearest cache when it is written over.
        out.resize(start + plaintext.len() + TAG_LEN, 0);
        self.seal_into(chunk, plaintext, &mut out[start..]);
    }

    /// Appends the opened chunk to `out`, or leaves `out` as it was.
    pub(crate) fn open_chunk(&self, chunk: u64, sealed: &[u8], out: &mut Vec<u8>) -> Result<(), Unspecified> {
        let start = out.len();
        out.resize(start + sealed.len().checked_sub(TAG_LEN).ok_or(Unspecified)?, 0);
        let done = self.open_into(chunk, sealed, &mut out[start..]);
        if done.is_err() {
            out.truncate(start);
        }
        done
    }

    /// Seals a whole message into `out`, which has the length of its chunks, sealed.
    pub(crate) fn seal_all(&self, plaintext: &[u8], out: &mut [u8]) {
        let (chunks, last) = plaintext.as_chunks::<CHUNK_LEN>();
        let (sealed_chunks, sealed_last) = out.as_chunks_mut::<SEALED_CHUNK_LEN>();
        let mut number = 0;
        for (plaintext, out) in chunks.iter().zip(sealed_chunks) {
            self.seal_into(number, plaintext, out);
            number += 1;
        }
        self.seal_into(number, last, sealed_last);
    }

    /// Opens a whole message into `out`, which has the length of its plaintext. On failure `out` may hold what stood
    /// before the chunk that failed.
    pub(crate) fn open_all(&self, sealed: &[u8], out: &mut [u8]) -> Result<(), Unspecified> {
        let (chunks, last) = sealed.as_chunks::<SEALED_CHUNK_LEN>();
        let (opened_chunks, opened_last) = out.as_chunks_mut::<CHUNK_LEN>();
        let mut number = 0;
        for (sealed, out) in chunks.iter().zip(opened_chunks) {
            self.open_into(number, sealed, out)?;
            number += 1;
        }
        self.open_into(number, last, opened_last)
    }
}

impl Drop for MessageKey {
    fn drop(&mut self) {
        // The cipher's key schedule is cleansed by aws-lc itself.
        self.nonce.zeroize();
    }
}
