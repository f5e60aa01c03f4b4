//! What chains the entries of the audit log: the hash of each covers the one before it.
//!
//! `hash = SHA-256(version | previous | field 1 | … | field 17)`, with
//!
//! * `version`: the byte 1;
//! * `previous`: the 32 bytes of the hash of the entry before; 32 zero bytes for the first;
//! * each field: its length as 4 bytes, big-endian, then its bytes. A field that is empty in the database (NULL) has the length
//!   `0xFFFF_FFFF` and no bytes. A number is 8 bytes, big-endian, in two's complement; an id its 16 bytes; a text its UTF-8.
//!
//! The fields, in this order: `sequence`, `at`, `action`, `outcome`, `operation`, `actor`, `actor_name`, `actor_email`, `address`,
//! `object_kind`, `object_id`, `detail`, `amount`, `key_arn`, `region`, `request_id`, `server`.
//!
//! What must stay true: no two different entries encode to the same bytes, so lengths come first and none is left out; and what
//! is written here once is never encoded otherwise: another encoding gets another version.

use crate::store::entities::audit_entry;
use sha2::{Digest, Sha256};

const VERSION: u8 = 1;
/// The length of a field that is NULL: longer than any field can be.
const NULL: u32 = u32::MAX;
/// What the first entry follows.
pub const FIRST: [u8; 32] = [0; 32];

/// The hash of an entry that follows one with the hash `previous`. The entry's own column `hash` is not looked at.
pub fn hash(previous: &[u8; 32], entry: &audit_entry::Model) -> [u8; 32] {
    let mut over = Encoding(Sha256::new());
    over.0.update([VERSION]);
    over.0.update(previous);
    over.number(Some(entry.sequence));
    over.number(Some(entry.at));
    over.text(Some(&entry.action));
    over.text(Some(&entry.outcome));
    over.field(entry.operation.as_ref().map(|id| id.as_bytes().as_slice()));
    over.text(Some(&entry.actor));
    let texts =
        [&entry.actor_name, &entry.actor_email, &entry.address, &entry.object_kind, &entry.object_id, &entry.detail];
    for text in texts {
        over.text(text.as_deref());
    }
    over.number(entry.amount);
    for text in [&entry.key_arn, &entry.region, &entry.request_id] {
        over.text(text.as_deref());
    }
    over.field(entry.server.as_ref().map(|id| id.as_bytes().as_slice()));
    over.0.finalize().into()
}

struct Encoding(Sha256);

impl Encoding {
    fn number(&mut self, number: Option<i64>) {
        self.field(number.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
    }

    fn text(&mut self, text: Option<&str>) {
        self.field(text.map(str::as_bytes));
    }

    fn field(&mut self, bytes: Option<&[u8]>) {
        // No text of an entry is longer than `entry::TEXT_BYTES`.
        let length = bytes.map_or(NULL, |bytes| u32::try_from(bytes.len()).unwrap_or(NULL - 1));
        self.0.update(length.to_be_bytes());
        self.0.update(bytes.unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn entry() -> audit_entry::Model {
        audit_entry::Model {
            sequence: 7,
            at: 1_795_441_267_999,
            action: "sign_in".to_owned(),
            outcome: "succeeded".to_owned(),
            operation: None,
            actor: Uuid::from_u128(1).to_string(),
            actor_name: Some("Ada".to_owned()),
            actor_email: Some("ada@example.com".to_owned()),
            address: Some("192.0.2.1".to_owned()),
            object_kind: None,
            object_id: None,
            detail: Some(String::new()),
            amount: None,
            key_arn: None,
            region: None,
            request_id: None,
            server: Some(Uuid::from_u128(2)),
            hash: Vec::new(),
        }
    }

    /// The encoding once more, by hand and as plain as can be: `previous` in hexadecimal, each field as `length bytes`.
    #[test]
    fn the_encoding_is_the_documented_one() {
        let text = |text: &str| [u32::try_from(text.len()).unwrap().to_be_bytes().as_slice(), text.as_bytes()].concat();
        let number = |number: i64| [[0, 0, 0, 8].as_slice(), &number.to_be_bytes()].concat();
        let null = [0xff_u8; 4].to_vec();
        let by_hand = [
            vec![1],
            vec![9; 32],
            number(7),
            number(1_795_441_267_999),
            text("sign_in"),
            text("succeeded"),
            null.clone(),
            text("00000000-0000-0000-0000-000000000001"),
            text("Ada"),
            text("ada@example.com"),
            text("192.0.2.1"),
            null.clone(),
            null.clone(),
            text(""),
            null.clone(),
            null.clone(),
            null.clone(),
            null,
            [[0, 0, 0, 16].as_slice(), Uuid::from_u128(2).as_bytes()].concat(),
        ]
        .concat();
        assert_eq!(hash(&[9; 32], &entry()).as_slice(), Sha256::digest(by_hand).as_slice());
    }

    #[test]
    fn every_field_and_the_entry_before_count() {
        let whole = hash(&FIRST, &entry());
        assert_ne!(whole, hash(&[1; 32], &entry()));
        let changes: [fn(&mut audit_entry::Model); 17] = [
            |entry| entry.sequence += 1,
            |entry| entry.at -= 1,
            |entry| entry.action.push('s'),
            |entry| entry.outcome.clear(),
            |entry| entry.operation = Some(Uuid::nil()),
            |entry| entry.actor = "system".to_owned(),
            |entry| entry.actor_name = None,
            |entry| entry.actor_email = Some("bob@example.com".to_owned()),
            |entry| entry.address = None,
            |entry| entry.object_kind = Some(String::new()),
            |entry| entry.object_id = Some("1".to_owned()),
            |entry| entry.detail = None,
            |entry| entry.amount = Some(0),
            |entry| entry.key_arn = Some("arn".to_owned()),
            |entry| entry.region = Some("arn".to_owned()),
            |entry| entry.request_id = Some("arn".to_owned()),
            |entry| entry.server = None,
        ];
        let mut seen = vec![whole];
        for change in changes {
            let mut other = entry();
            change(&mut other);
            seen.push(hash(&FIRST, &other));
        }
        // A character that moves from one field into the next.
        let (mut one, mut other) = (entry(), entry());
        (one.actor_name, one.actor_email) = (Some("ab".to_owned()), Some("c".to_owned()));
        (other.actor_name, other.actor_email) = (Some("a".to_owned()), Some("bc".to_owned()));
        seen.extend([hash(&FIRST, &one), hash(&FIRST, &other)]);
        let different: std::collections::HashSet<_> = seen.iter().collect();
        assert_eq!(different.len(), seen.len());
    }
}
