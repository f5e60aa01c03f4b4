//! Sealed bytes: nothing opens but what was sealed here, unchanged and in its place, and each failure has its name.
//!
//! The second account of the format is small. What opens must be what sealing the same plaintext under the same salt gives,
//! to the byte; and which error is due follows from the bytes alone. The first byte of the input chooses what is done:
//! bytes as they come, something sealed and then changed, a stream read at random, or a stream sealed in pieces.
//!
//! Only the vault itself is needed here: its ordinary tests include this file, and play the corpus.

use std::{
    ops::Range,
    sync::{Arc, LazyLock},
    time::Duration,
};
use uuid::Uuid;
use vault::{
    CHUNK_LEN, Clock, DataKey, DataKeyId, DeploymentId, Entropy, EntropyError, HEADER_LEN, OpenError, Opener,
    PREFIX_LEN, Place, SEALED_CHUNK_LEN, Scope, Sealer, Vault, Verdict, Zeroizing, key_id_of, open_into, opened_len,
    seal, sealed_len,
};

/// Around the seams of the format.
const SIZES: [usize; 7] = [0, 5, 300, CHUNK_LEN - 1, CHUNK_LEN, CHUNK_LEN + 1, 3 * CHUNK_LEN + 7];
const TAG_LEN: usize = SEALED_CHUNK_LEN - CHUNK_LEN;
const ID: Uuid = Uuid::from_u128(0x0102_0304);
const MARK: [u8; 4] = [b'K', b'S', 1, 0];
/// Enough to put together anything worth trying, and few enough to be quick.
const MOST_EDITS: usize = 12;
const MOST_CHUNKS: usize = 12;

static HOUSE: LazyLock<House> = LazyLock::new(House::new);

/// Takes any bytes.
///
/// # Panics
/// On a finding.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    match input.byte() % 4 {
        0 => judge_opening(&HOUSE, 0, input.0),
        1 => changed(&HOUSE, &mut input),
        2 => streamed(&HOUSE, &mut input),
        _ => in_pieces(&HOUSE, &mut input),
    }
}

/// Something sealed, changed, and opened in some place.
fn changed(house: &House, input: &mut Input<'_>) {
    let original = house.original(input);
    let place = usize::from(input.byte()) % PLACES;
    let mut bytes = original.sealed.clone();
    for _ in 0..MOST_EDITS {
        if input.0.is_empty() {
            break;
        }
        house.edit(input, &mut bytes);
    }
    judge_opening(house, place, &bytes);
}

/// Opens at once, and holds the outcome against what is due.
fn judge_opening(house: &House, place: usize, bytes: &[u8]) {
    let place = house.place(place);
    let id = bytes.strip_prefix(&MARK).and_then(|rest| rest.first_chunk::<16>());
    assert_eq!(key_id_of(bytes), id.map(|id| DataKeyId(Uuid::from_bytes(*id))).ok_or(OpenError::Malformed));
    let mut opened = Zeroizing::new(b"left over".to_vec());
    match open_into(&house.key, &place, bytes, &mut opened) {
        Ok(()) => {
            assert_eq!(opened_len(bytes.len() as u64), Ok(opened.len() as u64));
            assert!(house.sealed_again(&place, bytes, &opened) == bytes, "it opened, and is not what was sealed");
            assert!(!house.is_of_another_place(&place, bytes), "it opened in another place than it was sealed for");
        }
        Err(error) => {
            assert!(opened.is_empty(), "something was left of what did not open");
            assert_eq!(error, house.due(&place, bytes));
            let known = |original: &Original| original.sealed == bytes && house.place(original.place) == place;
            assert!(!house.originals.iter().any(known), "what was sealed does not open");
        }
    }
}

/// A stream: an opener is made for a length that may be wrong, and asked for chunks in any order out of changed bytes.
fn streamed(house: &House, input: &mut Input<'_>) {
    let original = house.original(input);
    let at = usize::from(input.byte()) % PLACES;
    let mut bytes = original.sealed.clone();
    for _ in 0..input.byte() % 4 {
        house.edit(input, &mut bytes);
    }
    let size = original.plaintext.len() as u64;
    let claimed = match input.byte() % 4 {
        0 | 1 => size,
        2 => size.wrapping_add_signed(i64::from(input.byte().cast_signed())),
        _ => input.number(),
    };
    let opener = match Opener::new(&house.key, &house.place(at), &bytes, claimed) {
        Ok(opener) => opener,
        Err(OpenError::Malformed) if claimed >= 1 << 52 => return,
        Err(error) => {
            // As if the length were right, which is for the chunks to prove.
            let head = &bytes[..bytes.len().min(PREFIX_LEN)];
            let whole = if head.len() < PREFIX_LEN { head.to_vec() } else { [head, &[0; TAG_LEN]].concat() };
            return assert_eq!(error, house.due(&house.place(at), &whole));
        }
    };
    assert!(claimed < 1 << 52, "no message is as long as this");
    assert!(bytes[..PREFIX_LEN] == house.sealed_again(&house.place(at), &bytes, &[])[..PREFIX_LEN]);
    assert!(!house.is_of_another_place(&house.place(at), &bytes), "a stream began in another place");
    for _ in 0..MOST_CHUNKS {
        if input.0.is_empty() {
            break;
        }
        let chunk = match input.byte() {
            255 => input.number(),
            byte => u64::from(byte % 8),
        };
        judge_chunk(house, original, at, &opener, claimed, chunk, &bytes, input);
    }
}

#[allow(clippy::too_many_arguments, reason = "a step of the function above")]
fn judge_chunk(
    house: &House,
    original: &Original,
    at: usize,
    opener: &Opener,
    claimed: u64,
    chunk: u64,
    bytes: &[u8],
    input: &mut Input<'_>,
) {
    let range = opener.chunk_range(chunk);
    let end = sealed_len(claimed);
    assert!(range.start <= range.end && range.end <= end);
    assert_eq!(range.is_empty(), chunk >= opener.chunks());
    assert_eq!(range.end, opener.chunk_range(chunk.saturating_add(1)).start, "chunks follow one another");
    let is_last = chunk.checked_add(1) == Some(opener.chunks());
    let piece = within(bytes, &range, input.byte());
    let mut out = b"before".to_vec();
    let outcome = opener.open_chunk(chunk, piece, &mut out);
    assert!(out.starts_with(b"before"));
    let fits = !range.is_empty() && piece.len() as u64 == range.end - range.start;
    match outcome {
        Ok(()) => {
            let plaintext = &out[b"before".len()..];
            assert_eq!(plaintext.len() + TAG_LEN, piece.len());
            assert!(fits, "a chunk of another length opened");
            // The salt may be another by now; only what this one gave can be told from here.
            if bytes[..PREFIX_LEN] == original.sealed[..PREFIX_LEN] && at == original.place {
                let start = usize::try_from(chunk).unwrap() * CHUNK_LEN;
                let all = &original.plaintext;
                assert!(plaintext == &all[start..all.len().min(start + CHUNK_LEN)], "other plaintext");
                assert!(!is_last || claimed == all.len() as u64, "the last chunk proves the length");
            } else {
                let known = |other: &Original| {
                    bytes[..PREFIX_LEN] == other.sealed[..PREFIX_LEN] && house.place(other.place) == house.place(at)
                };
                assert!(house.originals.iter().any(known), "a chunk opened of what was never sealed");
            }
        }
        Err(error) => {
            assert_eq!(out, b"before", "a chunk that does not open gives nothing");
            assert_eq!(error, if fits { OpenError::Tampered } else { OpenError::Malformed });
            let own = bytes[..PREFIX_LEN] == original.sealed[..PREFIX_LEN] && at == original.place;
            let place =
                usize::try_from(range.start).unwrap_or(usize::MAX)..usize::try_from(range.end).unwrap_or(usize::MAX);
            let is_as_sealed = claimed == original.plaintext.len() as u64 && original.sealed.get(place) == Some(piece);
            assert!(!(own && fits && is_as_sealed), "an unchanged chunk does not open");
        }
    }
}

/// What a store gives for a range: what is there of it, and with `slip` not 0 a little more, less or beside it.
fn within<'a>(bytes: &'a [u8], range: &Range<u64>, slip: u8) -> &'a [u8] {
    let clamp = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    let (start, end) = match slip {
        0..200 => (range.start, range.end),
        200..220 => (range.start, range.end.saturating_sub(u64::from(slip - 199))),
        220..240 => (range.start, range.end.saturating_add(u64::from(slip - 219))),
        _ => (range.start.saturating_add(u64::from(slip - 239)), range.end.saturating_add(u64::from(slip - 239))),
    };
    &bytes[clamp(start)..clamp(end).max(clamp(start))]
}

/// Sealing in pieces of any lengths gives what sealing at once does.
fn in_pieces(house: &House, input: &mut Input<'_>) {
    let original = house.original(input);
    let (mut sealer, prefix) = Sealer::new(&house.key, &house.place(original.place), &original.salt).unwrap();
    let mut out = prefix.to_vec();
    let mut rest = original.plaintext.as_slice();
    for _ in 0..64 {
        let (piece, after) = rest.split_at(input.short().min(rest.len()));
        sealer.push(piece, &mut out).unwrap();
        rest = after;
    }
    sealer.push(rest, &mut out).unwrap();
    sealer.finish(&mut out).unwrap();
    assert!(out == original.sealed, "sealed in pieces, it is something else");
}

/// Ways to read the input, which gives zeros at its end.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn short(&mut self) -> usize {
        usize::from(u16::from_le_bytes([self.byte(), self.byte()]))
    }

    fn number(&mut self) -> u64 {
        u64::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }
}

/// Something that was sealed here.
struct Original {
    place: usize,
    salt: Salt,
    plaintext: Vec<u8>,
    sealed: Vec<u8>,
}

/// An open vault with a key in its ring, and what was sealed under it.
struct House {
    key: Arc<DataKey>,
    here: DeploymentId,
    elsewhere: DeploymentId,
    originals: Vec<Original>,
    _vault: Vault,
}

const PLACES: usize = 9;

impl House {
    fn new() -> Self {
        let here = DeploymentId::new("acme").unwrap();
        let vault = Vault::new(here.clone(), Arc::new(Still), Arc::new(Salt([0; 24])), Duration::from_mins(5));
        vault.record_check(Still.boot(), Still.wall_ms(), Verdict::Passed);
        let key = DataKey::from_bytes(DataKeyId(ID), &[0x42; 32]).unwrap();
        let key = vault.admit(vault.epoch(), key, Scope::Organization, Still.boot()).unwrap();
        let elsewhere = DeploymentId::new("acme-2").unwrap();
        let mut house = Self { key, here, elsewhere, originals: Vec::new(), _vault: vault };
        // Every size twice, a short one in every place, each under a salt of its own.
        let homes = SIZES.iter().flat_map(|size| [(*size, 0), (*size, 0)]);
        for (salt, (size, place)) in (1u8..).zip(homes.chain((1..PLACES).map(|place| (5, place)))) {
            let salt = Salt([salt; 24]);
            let plaintext: Vec<u8> = (0..251u8).cycle().take(size).collect();
            let sealed = seal(&house.key, &house.place(place), &plaintext, &salt).unwrap();
            house.originals.push(Original { place, salt, plaintext, sealed });
        }
        house
    }

    fn original(&self, input: &mut Input<'_>) -> &Original {
        &self.originals[usize::from(input.byte()) % self.originals.len()]
    }

    fn place(&self, number: usize) -> Place<'_> {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        // Without the lengths between them, the fields of these two would be the same bytes.
        let (moved, back) = (Uuid::from_bytes(*b"-2.............."), Uuid::from_bytes(*b"..............no"));
        let home =
            Place { deployment: &self.here, scope: Scope::Workspace(one), table: "notes", id: one, column: "body" };
        match number {
            0 => home,
            1 => Place { deployment: &self.elsewhere, ..home },
            2 => Place { scope: Scope::Workspace(two), ..home },
            3 => Place { scope: Scope::Organization, ..home },
            4 => Place { scope: Scope::Workspace(moved), ..home },
            5 => Place { id: two, ..home },
            6 => Place { column: "title", ..home },
            7 => Place::object(&self.here, home.scope, one),
            _ => Place { deployment: &self.elsewhere, scope: Scope::Workspace(back), table: "tes", ..home },
        }
    }

    /// Changes a little of it, or much.
    fn edit(&self, input: &mut Input<'_>, bytes: &mut Vec<u8>) {
        let (kind, at) = (input.byte() % 8, input.short().min(bytes.len()));
        match kind {
            0 | 1 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= input.byte();
                }
            }
            2 => bytes.truncate(at),
            3 => bytes.extend(std::iter::repeat_n(input.byte(), at)),
            4 => bytes.insert(at, input.byte()),
            5 => drop(bytes.drain(at..bytes.len().min(at + input.short()))),
            6 => swap_chunks(bytes, at % 8, usize::from(input.byte()) % 8),
            // From where it stands in something else, perhaps all of it.
            _ => {
                let other = &self.original(input).sealed;
                let from = at.min(other.len());
                let end = other.len().min(from.saturating_add(input.short()));
                bytes.resize(bytes.len().max(end), 0);
                bytes[from..end].copy_from_slice(&other[from..end]);
            }
        }
    }

    /// The plaintext sealed a second time, under the salt that `bytes` have.
    fn sealed_again(&self, place: &Place<'_>, bytes: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let salt = *bytes[HEADER_LEN..].first_chunk().unwrap();
        seal(&self.key, place, plaintext, &Salt(salt)).unwrap()
    }

    /// Whether it begins as something does that was sealed for another place. No salt is in use twice.
    fn is_of_another_place(&self, place: &Place<'_>, bytes: &[u8]) -> bool {
        let begins = |original: &&Original| original.sealed[..PREFIX_LEN] == bytes[..PREFIX_LEN];
        self.originals.iter().find(begins).is_some_and(|original| self.place(original.place) != *place)
    }

    /// The error that is due for bytes that do not open, if they had to be told apart from these bytes alone.
    fn due(&self, place: &Place<'_>, bytes: &[u8]) -> OpenError {
        let chunks = bytes.len().checked_sub(PREFIX_LEN);
        if chunks.is_none_or(|chunks| chunks % SEALED_CHUNK_LEN < TAG_LEN) || !bytes.starts_with(&MARK) {
            return OpenError::Malformed;
        }
        if bytes[MARK.len()..HEADER_LEN] != *ID.as_bytes() {
            return OpenError::UnknownKey;
        }
        if bytes[..PREFIX_LEN] == self.sealed_again(place, bytes, &[])[..PREFIX_LEN] {
            OpenError::Tampered
        } else {
            OpenError::DoesNotBelongHere
        }
    }
}

fn swap_chunks(bytes: &mut [u8], one: usize, other: usize) {
    let (first, second) = (one.min(other), one.max(other));
    let start = |chunk: usize| PREFIX_LEN + chunk * SEALED_CHUNK_LEN;
    if first != second && start(second) + SEALED_CHUNK_LEN <= bytes.len() {
        let (head, tail) = bytes.split_at_mut(start(second));
        head[start(first)..start(first) + SEALED_CHUNK_LEN].swap_with_slice(&mut tail[..SEALED_CHUNK_LEN]);
    }
}

/// A clock that stands still, so that the lease holds.
struct Still;

impl Clock for Still {
    fn boot(&self) -> Duration {
        Duration::from_hours(1)
    }

    fn wall_ms(&self) -> i64 {
        1_700_000_000_000
    }
}

/// Gives one salt, over and over.
struct Salt([u8; 24]);

impl Entropy for Salt {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        out.copy_from_slice(&self.0[..out.len()]);
        Ok(())
    }
}
