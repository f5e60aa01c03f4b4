//! The format of every sealed record and object, and the only code that seals and opens.
//!
//! ```text
//! offset  bytes
//!      0      2  magic, "KS"
//!      2      1  version, 1
//!      3      1  flags, 0
//!      4     16  data key id
//!     20     24  salt, random            \
//!     44     32  commitment               | a message of C2SP chunked-encryption, Cobblestone-256
//!     76      …  chunks of 16,384 bytes,  |
//!                each followed by its tag | the last one always shorter, if need be empty
//!                of 16                   /
//! ```
//!
//! The *context* of the message is the 20 bytes of the header, then the five fields of the [`Place`]: deployment,
//! scope, table, id, column. Each field stands behind its length, which is 2 bytes, big-endian. Deployment, table and
//! column are their UTF-8 text; scope and id are the 16 bytes of the UUID in the order of its text, the organization being the
//! nil UUID. The content of an object has the table `object` and the column `content`.
//!
//! From the 32 bytes of the data key, 76 bytes are derived by HKDF-Expand (RFC 5869, its second half alone) with SHA-512:
//! the data key is the pseudorandom key, and the info is, one behind the other,
//!
//! ```text
//!  bytes
//!     48  "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM" and a zero byte
//!     24  salt
//!      …  context, as above
//! ```
//!
//! They are, in this order, the message key (32), the base nonce (12) and the commitment (32), which stands in the clear.
//!
//! The plaintext is cut into chunks of 16,384 bytes, numbered from 0, as long as there is a whole one; what is left, from 0
//! to 16,383 bytes, is the last chunk. So a message always ends with a chunk that is not whole: a plaintext of exactly n
//! chunks has n + 1, and the last is its tag alone. Each chunk is sealed by AES-256-GCM under the message key, without
//! additional data, as ciphertext and then tag. Its nonce is the base nonce, the last 8 bytes of it XOR the number of the
//! chunk, big-endian. A message has at most 2³⁸ chunks, the last one counted.
//!
//! A sealed thing of n bytes has 76 + n + 16 · (⌊n / 16,384⌋ + 1). To open one: refuse a length that cannot be (fewer than 16
//! bytes behind the last whole chunk) and any other magic, version or flags; compare the data key id; derive, and compare
//! the commitment in constant time; then open the chunks. Each alone can be opened by its number, and the last proves the
//! length.
//!
//! The check value of a data key, which is stored beside the wrapped key, comes from it in the same way: 32 bytes, with the
//! info "keystead data key check value v1". `tests/vault/known_answers.py` is all of this again in Python, and
//! `known_answers.txt` what it gives.
//!
//! What must stay true: the layout never changes under version 1; nothing is given out before its tag was checked; and
//! a key that no lease covers neither seals nor opens.

use crate::{
    context::{DataKeyId, Place},
    entropy::Entropy,
    error::{Locked, OpenError, SealError},
    keyring::{DataKey, Leash},
    message::{HEAD_LEN, MAX_CHUNKS, MessageKey, SALT_LEN, TAG_LEN},
};
use std::ops::Range;
use uuid::Uuid;
use zeroize::{Zeroize, Zeroizing};

/// The header: magic, version, flags, data key id.
pub const HEADER_LEN: usize = 20;
/// All that stands before the first chunk: header, salt, commitment.
pub const PREFIX_LEN: usize = HEADER_LEN + HEAD_LEN;
/// A whole chunk of plaintext.
pub const CHUNK_LEN: usize = 16384;
/// A whole chunk, sealed.
pub const SEALED_CHUNK_LEN: usize = 16400;

const MARK: [u8; 4] = [b'K', b'S', 1, 0];

/// How long something of `opened` bytes is once sealed.
pub fn sealed_len(opened: u64) -> u64 {
    let (whole, rest) = (opened / CHUNK_LEN as u64, opened % CHUNK_LEN as u64);
    whole.saturating_mul(SEALED_CHUNK_LEN as u64).saturating_add(PREFIX_LEN as u64 + rest + TAG_LEN as u64)
}

/// How long something of `sealed` bytes is once opened. Not every length can be that of a sealed thing.
pub fn opened_len(sealed: u64) -> Result<u64, OpenError> {
    let chunks = sealed.checked_sub(PREFIX_LEN as u64).ok_or(OpenError::Malformed)?;
    let (whole, last) = (chunks / SEALED_CHUNK_LEN as u64, chunks % SEALED_CHUNK_LEN as u64);
    let rest = last.checked_sub(TAG_LEN as u64).ok_or(OpenError::Malformed)?;
    if whole < MAX_CHUNKS { Ok(whole * CHUNK_LEN as u64 + rest) } else { Err(OpenError::Malformed) }
}

/// The data key that something was sealed under, by its header.
pub fn key_id_of(sealed_or_prefix: &[u8]) -> Result<DataKeyId, OpenError> {
    let header = sealed_or_prefix.first_chunk::<HEADER_LEN>().ok_or(OpenError::Malformed)?;
    let id = header.strip_prefix(&MARK).and_then(|id| Uuid::from_slice(id).ok()).ok_or(OpenError::Malformed)?;
    Ok(DataKeyId(id))
}

/// Seals `plaintext` for `place`.
pub fn seal(key: &DataKey, place: &Place<'_>, plaintext: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, SealError> {
    let mut out = Vec::new();
    seal_into(key, place, plaintext, entropy, &mut out)?;
    Ok(out)
}

/// Seals `plaintext` for `place` into a buffer that may have been used before; all that it held is overwritten.
pub fn seal_into(
    key: &DataKey,
    place: &Place<'_>,
    plaintext: &[u8],
    entropy: &dyn Entropy,
    out: &mut Vec<u8>,
) -> Result<(), SealError> {
    let (message, prefix) = begin(key, place, entropy)?;
    let tags = (plaintext.len() / CHUNK_LEN + 1) * TAG_LEN;
    resize(out, PREFIX_LEN + plaintext.len() + tags);
    let (head, chunks) = out.split_at_mut(PREFIX_LEN);
    head.copy_from_slice(&prefix);
    message.seal_all(plaintext, chunks);
    Ok(())
}

/// Opens what was sealed for `place`.
pub fn open(key: &DataKey, place: &Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let mut out = Zeroizing::default();
    open_into(key, place, sealed, &mut out)?;
    Ok(out)
}

/// Opens what was sealed for `place` into a buffer that may have been used before. On any error it is left empty.
pub fn open_into(
    key: &DataKey,
    place: &Place<'_>,
    sealed: &[u8],
    out: &mut Zeroizing<Vec<u8>>,
) -> Result<(), OpenError> {
    let opened = open_message(key, place, sealed, out);
    if opened.is_err() {
        out.zeroize();
    }
    opened
}

fn open_message(key: &DataKey, place: &Place<'_>, sealed: &[u8], out: &mut Vec<u8>) -> Result<(), OpenError> {
    let opened = usize::try_from(opened_len(sealed.len() as u64)?).map_err(|_| OpenError::Malformed)?;
    let (prefix, chunks) = sealed.split_first_chunk::<PREFIX_LEN>().ok_or(OpenError::Malformed)?;
    let message = resume(key, place, prefix)?;
    if opened < out.len() {
        out[opened..].zeroize();
    }
    resize(out, opened);
    message.open_all(chunks, out).map_err(|_| OpenError::Tampered)
}

/// Brings a buffer to a length it is about to be overwritten at. A new one is had zeroed, which is the cheapest way; a
/// used one grows without a copy of what it held.
fn resize(out: &mut Vec<u8>, len: usize) {
    if out.capacity() < len {
        out.zeroize();
        *out = vec![0; len];
    } else {
        out.resize(len, 0);
    }
}

fn begin(key: &DataKey, place: &Place<'_>, entropy: &dyn Entropy) -> Result<(MessageKey, [u8; PREFIX_LEN]), SealError> {
    let mut salt = [0u8; SALT_LEN];
    entropy.fill(&mut salt)?;
    let context = context(key.id(), place);
    let (message, commitment) = key.derive(|from| MessageKey::derive(from, &salt, &context))?;
    let mut prefix = [0u8; PREFIX_LEN];
    prefix[..HEADER_LEN].copy_from_slice(&context[..HEADER_LEN]);
    prefix[HEADER_LEN..HEADER_LEN + SALT_LEN].copy_from_slice(&salt);
    prefix[HEADER_LEN + SALT_LEN..].copy_from_slice(&commitment);
    Ok((message, prefix))
}

fn resume(key: &DataKey, place: &Place<'_>, prefix: &[u8; PREFIX_LEN]) -> Result<MessageKey, OpenError> {
    if key_id_of(prefix)? != key.id() {
        return Err(OpenError::UnknownKey);
    }
    let context = context(key.id(), place);
    let (_, head) = prefix.split_last_chunk::<HEAD_LEN>().ok_or(OpenError::Malformed)?;
    key.derive(|from| MessageKey::resume(from, head, &context))?.ok_or(OpenError::DoesNotBelongHere)
}

/// The message's context: the header, which is also what the sealed thing begins with, and the place.
fn context(id: DataKeyId, place: &Place<'_>) -> Vec<u8> {
    let mut context = Vec::with_capacity(256);
    context.extend_from_slice(&MARK);
    context.extend_from_slice(id.0.as_bytes());
    place.encode(&mut context);
    context
}

/// Seals a stream, chunk by chunk. It holds a message key, never a data key, and ends with the lease it began under.
pub struct Sealer {
    message: MessageKey,
    leash: Leash,
    next: u64,
    /// What has been pushed and does not fill a chunk yet.
    pending: Zeroizing<Vec<u8>>,
}

impl Sealer {
    /// Begins a message. The prefix stands before all that comes out.
    pub fn new(key: &DataKey, place: &Place<'_>, entropy: &dyn Entropy) -> Result<(Self, [u8; PREFIX_LEN]), SealError> {
        let (message, prefix) = begin(key, place, entropy)?;
        let (leash, pending) = (key.leash()?, Zeroizing::new(Vec::with_capacity(CHUNK_LEN)));
        Ok((Self { message, leash, next: 0, pending }, prefix))
    }

    /// What ties this message to its lease: once it has ended, the message cannot be.
    pub fn leash(&self) -> Leash {
        self.leash.clone()
    }

    /// Takes plaintext of any length and appends the chunks it completes to `out`.
    ///
    /// # Errors
    /// [`Locked`] once there has been a lock, also if it is over: the message can then not be ended.
    ///
    /// # Panics
    /// Past 4 PiB in one message, where the format ends.
    pub fn push(&mut self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), Locked> {
        if !self.leash.is_live() {
            return Err(Locked);
        }
        let mut rest = plaintext;
        if !self.pending.is_empty() {
            let taken = rest.len().min(CHUNK_LEN - self.pending.len());
            let (head, tail) = rest.split_at(taken);
            self.pending.extend_from_slice(head);
            rest = tail;
            if self.pending.len() < CHUNK_LEN {
                return Ok(());
            }
            self.message.seal_chunk(self.next, &self.pending, out);
            self.next += 1;
            self.pending.as_mut_slice().zeroize();
            self.pending.clear();
        }
        let (chunks, last) = rest.as_chunks::<CHUNK_LEN>();
        for chunk in chunks {
            self.message.seal_chunk(self.next, chunk, out);
            self.next += 1;
        }
        self.pending.extend_from_slice(last);
        Ok(())
    }

    /// Appends the last, short chunk, without which the message counts as cut off.
    ///
    /// # Errors
    /// As [`Sealer::push`].
    ///
    /// # Panics
    /// Past 4 PiB in one message, where the format ends.
    pub fn finish(self, out: &mut Vec<u8>) -> Result<(), Locked> {
        if !self.leash.is_live() {
            return Err(Locked);
        }
        self.message.seal_chunk(self.next, &self.pending, out);
        Ok(())
    }
}

/// Opens any chunk of a sealed object. It holds a message key, never a data key, and each chunk tests the lease.
pub struct Opener {
    message: MessageKey,
    leash: Leash,
    opened: u64,
}

impl Opener {
    /// Begins to read an object whose first bytes are `prefix` and whose content is `opened_len` bytes by its row.
    ///
    /// The caller compares the length of the stored object with [`sealed_len`] of it before any byte goes out.
    pub fn new(key: &DataKey, place: &Place<'_>, prefix: &[u8], opened_len: u64) -> Result<Self, OpenError> {
        let prefix = prefix.first_chunk::<PREFIX_LEN>().ok_or(OpenError::Malformed)?;
        if opened_len / CHUNK_LEN as u64 >= MAX_CHUNKS {
            return Err(OpenError::Malformed);
        }
        let message = resume(key, place, prefix)?;
        Ok(Self { message, leash: key.leash()?, opened: opened_len })
    }

    /// What ties this stream to its lease: once it has ended, what was opened must not go out any more.
    pub fn leash(&self) -> Leash {
        self.leash.clone()
    }

    /// How many chunks there are: at least one, because the last may be empty.
    pub fn chunks(&self) -> u64 {
        self.opened / CHUNK_LEN as u64 + 1
    }

    /// Where a chunk stands in the sealed object, header included. Past the last chunk the range is empty.
    pub fn chunk_range(&self, chunk: u64) -> Range<u64> {
        let end = sealed_len(self.opened);
        let start = chunk.saturating_mul(SEALED_CHUNK_LEN as u64).saturating_add(PREFIX_LEN as u64).min(end);
        start..start.saturating_add(SEALED_CHUNK_LEN as u64).min(end)
    }

    /// Opens one chunk and appends its plaintext to `out`, which is left as it was on any error.
    ///
    /// Opening the last chunk proves the length of the whole object.
    pub fn open_chunk(&self, chunk: u64, sealed: &[u8], out: &mut Vec<u8>) -> Result<(), OpenError> {
        let range = self.chunk_range(chunk);
        if range.is_empty() || sealed.len() as u64 != range.end - range.start {
            return Err(OpenError::Malformed);
        }
        if !self.leash.is_live() {
            return Err(OpenError::Locked);
        }
        self.message.open_chunk(chunk, sealed, out).map_err(|_| OpenError::Tampered)
    }
}
