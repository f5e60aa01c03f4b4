//! Reading one object: length and commitment first, then any range of it.
//!
//! What must stay true: not a byte goes out before the length of the stored object has been compared with its row, and a
//! chunk that does not open ends the reading. A reader holds a message key, never a data key.

use super::{failure::Failure, object_storage::ObjectStorage};
use crate::store::entities::object;
use std::ops::Range;
use vault::{CHUNK_LEN, DataKey, Leash, OpenError, Opener, PREFIX_LEN, Place, Scope, Vault};

/// Chunks that are read at once: 1 MiB of plaintext.
const WINDOW: u64 = 64;

/// Sealed chunks that were fetched together.
pub struct Window {
    range: Range<u64>,
    chunks: Range<u64>,
    sealed: Vec<u8>,
}

impl Window {
    /// Where the next one begins, before sealing.
    pub fn end(&self) -> u64 {
        (self.chunks.end * CHUNK_LEN as u64).min(self.range.end)
    }

    /// The buffer, for another window.
    pub fn into_buffer(self) -> Vec<u8> {
        self.sealed
    }
}

/// An object that is being read.
pub struct ObjectReader {
    storage: ObjectStorage,
    opener: Opener,
    place: String,
    size: u64,
}

impl ObjectReader {
    /// Reads the beginning of the object and checks that it is the one its row means.
    ///
    /// # Errors
    /// [`Failure::Damaged`] if it is not; [`Failure::Objects`] if it cannot be had.
    pub async fn open(
        storage: &ObjectStorage,
        vault: &Vault,
        key: &DataKey,
        row: &object::Model,
    ) -> Result<Self, Failure> {
        let size = row.size.unsigned_abs();
        let (prefix, stored) = match storage.read(&row.place, 0..PREFIX_LEN as u64).await {
            Ok(read) => read,
            Err(error @ object_store::Error::NotFound { .. }) => return Err(error.into()),
            // An object that is too short for the range is an error of the store; its size tells it from an outage.
            Err(error) => match storage.size(&row.place).await {
                Ok(stored) if stored != vault::sealed_len(size) => {
                    return Err(Failure::Damaged(OpenError::Malformed));
                }
                _ => return Err(error.into()),
            },
        };
        if stored != vault::sealed_len(size) {
            return Err(Failure::Damaged(OpenError::Malformed));
        }
        let place = Place::object(vault.deployment(), Scope::from_uuid(row.scope), row.object_id);
        let opener = Opener::new(key, &place, &prefix, size)?;
        Ok(Self { storage: storage.clone(), opener, place: row.place.clone(), size })
    }

    /// What ties what is read to its lease.
    pub fn leash(&self) -> Leash {
        self.opener.leash()
    }

    /// Bytes before sealing.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads from `range.start` on: some bytes, at most to `range.end`. Empty only for an empty range.
    ///
    /// A range that reaches to the end of the object also opens its last chunk, which may be empty: that chunk alone proves
    /// that nothing was cut off.
    pub async fn read(&self, range: Range<u64>) -> Result<Vec<u8>, Failure> {
        let mut opened = Vec::new();
        self.open_window(&self.fetch(range, Vec::new()).await?, &mut opened)?;
        Ok(opened)
    }

    /// The first half of [`Self::read`], which waits for the store. `buffer` may be that of an earlier window.
    pub async fn fetch(&self, range: Range<u64>, buffer: Vec<u8>) -> Result<Window, Failure> {
        let chunk_len = CHUNK_LEN as u64;
        let first = range.start / chunk_len;
        let wanted = if range.end == self.size { self.opener.chunks() } else { range.end.div_ceil(chunk_len) };
        let wanted = wanted.max(first + 1);
        // The last window is one chunk longer, so that an empty last chunk is never left out.
        let reach = if wanted == first + WINDOW + 1 { wanted } else { wanted.min(first + WINDOW) };
        let last = reach.min(self.opener.chunks());
        let sealed_range = self.opener.chunk_range(first).start..self.opener.chunk_range(last - 1).end;
        let sealed = self.storage.read_into(&self.place, sealed_range, buffer).await?;
        Ok(Window { range, chunks: first..last, sealed })
    }

    /// The second half, which keeps a processor busy: puts what was fetched into `opened`, in place of what was there.
    pub fn open_window(&self, window: &Window, opened: &mut Vec<u8>) -> Result<(), Failure> {
        let Window { range, chunks, sealed } = window;
        let offset = self.opener.chunk_range(chunks.start).start;
        opened.clear();
        opened.reserve(sealed.len());
        for chunk in chunks.clone() {
            let bytes = self.opener.chunk_range(chunk);
            let bytes = within(&(bytes.start - offset..bytes.end - offset), sealed)?;
            self.opener.open_chunk(chunk, bytes, opened)?;
        }
        let start = chunks.start * CHUNK_LEN as u64;
        let end = usize::try_from(range.end.min(start + opened.len() as u64) - start).unwrap_or(opened.len());
        opened.truncate(end);
        let skipped = usize::try_from(range.start - start).unwrap_or(end).min(end);
        opened.drain(..skipped);
        Ok(())
    }
}

/// A part of what was read, which may be shorter than was asked for.
fn within<'a>(range: &Range<u64>, bytes: &'a [u8]) -> Result<&'a [u8], Failure> {
    let range = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
    range.and_then(|(start, end)| bytes.get(start..end)).ok_or(Failure::Damaged(OpenError::Malformed))
}
