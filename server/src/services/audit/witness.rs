//! What a server remembers of the audit log, so that it signs only what goes on from there.
//!
//! A signature says that the log was like this when it was signed. Whoever can write the database could write all entries
//! anew, with fitting hashes, and have a server sign the result as the log's next head. So a server keeps the last head that
//! it knows in its own memory, and follows the chain from there, entry by entry, to the head that is stored. After a start it
//! begins with the newest signed head, which it believes only if KMS opens it. What must stay true: nothing is signed that does
//! not follow, by hashes that were computed here, from a head that was known before.
//!
//! Cost: each entry is read once by each server; beyond that, one row every time.

use super::chain::{self, FIRST};
use crate::store::entities::{audit_entry, audit_head};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// How many entries are read at a time.
const BATCH: u64 = 1_000;

/// A head of the log that is known to be as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub sequence: i64,
    pub hash: [u8; 32],
}

/// Where following the chain has led.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Followed {
    /// Everything up to here goes on from what was known: the stored head, or as many entries as are read at a time.
    To(Known),
    /// This entry, or the row that names the head, does not go on from what was known.
    Altered(i64),
}

impl Known {
    /// Before the first entry.
    pub const NOTHING: Self = Self { sequence: 0, hash: FIRST };

    /// Follows the chain some entries towards `head`, which was read before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn follow(self, on: &impl ConnectionTrait, head: &audit_head::Model) -> Result<Followed, DbErr> {
        if head.sequence < self.sequence || !self.is_stored(on).await? {
            return Ok(Followed::Altered(self.sequence));
        }
        let mut at = self;
        if at.sequence < head.sequence {
            let entries = audit_entry::Entity::find()
                .filter(audit_entry::Column::Sequence.gt(at.sequence))
                .filter(audit_entry::Column::Sequence.lte(head.sequence))
                .order_by_asc(audit_entry::Column::Sequence)
                .limit(BATCH)
                .all(on)
                .await?;
            if entries.is_empty() {
                return Ok(Followed::Altered(at.sequence + 1));
            }
            for entry in &entries {
                let hash = chain::hash(&at.hash, entry);
                if entry.sequence != at.sequence + 1 || entry.hash != hash {
                    return Ok(Followed::Altered(at.sequence + 1));
                }
                at = Self { sequence: entry.sequence, hash };
            }
        }
        let is_end = at.sequence == head.sequence;
        Ok(if is_end && head.hash != at.hash { Followed::Altered(at.sequence) } else { Followed::To(at) })
    }

    async fn is_stored(self, on: &impl ConnectionTrait) -> Result<bool, DbErr> {
        if self == Self::NOTHING {
            return Ok(true);
        }
        let stored = audit_entry::Entity::find_by_id(self.sequence).one(on).await?;
        Ok(stored.is_some_and(|entry| entry.hash == self.hash))
    }
}
