//! The memory of a process as gdb dumps it, and a search in it for key bytes in every disguise they could have.
//!
//! What must stay true: the dump has every page that can be read, also pages that a program marks as not to be dumped; and
//! a part of a key is found as well as a whole one. Registers are in a dump too, but are no memory, and are not searched.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};
use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
    path::Path,
    process::Command,
};

/// The memory of a process.
pub struct CoreFile {
    bytes: Vec<u8>,
    segments: Vec<Segment>,
    /// What the process says of its own mappings.
    maps: String,
}

/// A stretch of memory.
struct Segment {
    address: u64,
    /// Where it stands in the file.
    place: Range<usize>,
}

impl CoreFile {
    /// Takes one by gdb, which stops the process meanwhile. `folder` must have room for it; it is not left there.
    pub fn take(pid: u32, folder: &Path) -> Self {
        let prefix = folder.join("core");
        let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
        // `-a`: also what is marked as not to be dumped.
        let gcore = Command::new("gcore").args(["-a", "-o"]).arg(&prefix).arg(pid.to_string()).output();
        let gcore = gcore.expect("gdb must be installed: scripts/setup.sh gdb");
        let written = folder.join(format!("core.{pid}"));
        let said = || format!("{}{}", String::from_utf8_lossy(&gcore.stdout), String::from_utf8_lossy(&gcore.stderr));
        let bytes = std::fs::read(&written).unwrap_or_else(|error| panic!("gdb wrote no core: {error}: {}", said()));
        std::fs::remove_file(&written).unwrap();
        let segments = segments(&bytes);
        assert!(segments.len() > 20, "a process has more memory than this: {}", said());
        Self { bytes, segments, maps }
    }

    /// What is there of these keys: one line for each key, disguise and mapping. Empty if there is nothing.
    pub fn search(&self, needles: &Needles) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for segment in &self.segments {
            for (at, what) in needles.search(&self.bytes[segment.place.clone()]) {
                found.insert(format!("{what} in {}", self.mapping(segment.address + at as u64)));
            }
        }
        found
    }

    /// The line of the process's own account that has this address.
    fn mapping(&self, address: u64) -> &str {
        let has = |line: &&str| {
            let range = line.split(' ').next().and_then(|range| range.split_once('-'));
            let number = |text| u64::from_str_radix(text, 16).unwrap();
            range.is_some_and(|(start, end)| (number(start)..number(end)).contains(&address))
        };
        self.maps.lines().find(has).unwrap_or("a mapping made meanwhile")
    }
}

/// The memory in an ELF core file of 64 bits: its segments of type LOAD.
fn segments(file: &[u8]) -> Vec<Segment> {
    let number = |at: usize, bytes: usize| {
        let mut wide = [0; 8];
        wide[..bytes].copy_from_slice(&file[at..at + bytes]);
        usize::try_from(u64::from_le_bytes(wide)).unwrap()
    };
    assert_eq!(&file[..6], b"\x7fELF\x02\x01", "an ELF file of 64 bits, the lowest byte first");
    let (table, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    assert!(count < 0xffff, "so many that they are counted elsewhere");
    let headers = (0..count).map(|n| table + n * size);
    let loaded = headers.filter(|header| number(*header, 4) == 1);
    loaded
        .map(|header| {
            let (start, length) = (number(header + 8, 8), number(header + 32, 8));
            Segment { address: number(header + 16, 8) as u64, place: start..start + length }
        })
        .collect()
}

/// How much is compared at once. A key of 32 bytes is found as long as any 15 bytes in a row are left of it.
const PIECE: usize = 8;

/// What to search for.
pub struct Needles {
    /// The names by the pieces.
    pieces: HashMap<[u8; PIECE], String>,
    /// Whether a piece begins with these two bytes: rules out almost everything at once.
    begins: Vec<bool>,
}

impl Needles {
    /// Keys with their names, which stand in the results.
    pub fn new<'a>(keys: impl IntoIterator<Item = (&'a str, &'a [u8; 32])>) -> Self {
        let mut needles = Self { pieces: HashMap::new(), begins: vec![false; 1 << 16] };
        for (name, key) in keys {
            for (disguise, bytes) in disguises(key) {
                for piece in bytes.as_chunks::<PIECE>().0 {
                    needles.begins[usize::from(u16::from_le_bytes([piece[0], piece[1]]))] = true;
                    needles.pieces.entry(*piece).or_insert_with(|| format!("{name}, {disguise}"));
                }
            }
        }
        needles
    }

    /// Where there is a piece of a key, and of which in which disguise.
    pub fn search<'a>(&'a self, memory: &'a [u8]) -> impl Iterator<Item = (usize, &'a str)> {
        memory.array_windows::<PIECE>().enumerate().filter_map(|(at, window)| {
            if !self.begins[usize::from(u16::from_le_bytes([window[0], window[1]]))] {
                return None;
            }
            self.pieces.get(window).map(|what| (at, what.as_str()))
        })
    }
}

/// What a key can look like: its bytes; hexadecimal; base64 in both alphabets, with whatever stands before it (of what
/// depends on its neighbours nothing is taken, so padding makes no difference); the two forms in which HMAC takes it up; and
/// what SHA-512 then holds of these, and while it works leaves on the stack, which is as good as the key.
fn disguises(key: &[u8; 32]) -> Vec<(&'static str, Vec<u8>)> {
    let masked = |mask: u8| key.iter().map(|byte| byte ^ mask).collect::<Vec<_>>();
    let bytes = |words: &[u64]| words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let (state, schedule) = (|mask| bytes(&hmac_state(key, mask)), |mask| bytes(&end_of_schedule(key, mask)));
    let mut found = vec![
        ("raw", key.to_vec()),
        ("in hexadecimal", hex::encode(key).into_bytes()),
        ("in hexadecimal capitals", hex::encode_upper(key).into_bytes()),
        ("as HMAC's inner pad", masked(0x36)),
        ("as HMAC's outer pad", masked(0x5c)),
        ("as HMAC's inner state", state(0x36)),
        ("as HMAC's outer state", state(0x5c)),
        ("as the schedule of HMAC's inner pad", schedule(0x36)),
        ("as the schedule of HMAC's outer pad", schedule(0x5c)),
    ];
    for skip in 0..3 {
        let whole = &key[skip..];
        let whole = &whole[..whole.len() / 3 * 3];
        found.push(("in base64", BASE64_STANDARD_NO_PAD.encode(whole).into_bytes()));
        found.push(("in base64 for URLs", BASE64_URL_SAFE_NO_PAD.encode(whole).into_bytes()));
    }
    found
}

/// The state of SHA-512 after the first block of the inner or the outer hash of HMAC (RFC 2104), which is the key and the mask.
fn hmac_state(key: &[u8; 32], mask: u8) -> [u64; 8] {
    // FIPS 180-4, section 5.3.5.
    let mut state = [
        0x6a09_e667_f3bc_c908,
        0xbb67_ae85_84ca_a73b,
        0x3c6e_f372_fe94_f82b,
        0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1,
        0x9b05_688c_2b3e_6c1f,
        0x1f83_d9ab_fb41_bd6b,
        0x5be0_cd19_137e_2179,
    ];
    sha2::compress512(&mut state, &[hmac_block(key, mask).into()]);
    state
}

/// The last words of the message schedule of that block (FIPS 180-4, section 6.4.2), from which the first can be had back.
fn end_of_schedule(key: &[u8; 32], mask: u8) -> [u64; 16] {
    let block = hmac_block(key, mask);
    let mut words: [u64; 16] = std::array::from_fn(|at| u64::from_be_bytes(block.as_chunks().0[at]));
    for at in 16..80 {
        let word = |back: usize| words[(at - back) % 16];
        let (low, high) = (word(15), word(2));
        let low = low.rotate_right(1) ^ low.rotate_right(8) ^ (low >> 7);
        let high = high.rotate_right(19) ^ high.rotate_right(61) ^ (high >> 6);
        words[at % 16] = high.wrapping_add(word(7)).wrapping_add(low).wrapping_add(word(16));
    }
    words
}

/// The block with which the inner or the outer hash of HMAC begins.
fn hmac_block(key: &[u8; 32], mask: u8) -> [u8; 128] {
    let mut block = [mask; 128];
    block.iter_mut().zip(key).for_each(|(byte, of_key)| *byte ^= of_key);
    block
}

#[test]
fn a_key_and_every_part_of_it_is_found_in_every_disguise() {
    let key: [u8; 32] = std::array::from_fn(|n| u8::try_from(n).unwrap().wrapping_mul(37).wrapping_add(251));
    let other = [0x5a; 32];
    let needles = Needles::new([("this key", &key), ("the other key", &other)]);
    let found = |memory: &[u8]| needles.search(memory).map(|(_, what)| what.to_owned()).collect::<BTreeSet<_>>();

    for first in 0..=32 - 15 {
        let mut memory = vec![0x11; 101];
        memory[40..55].copy_from_slice(&key[first..first + 15]);
        assert_eq!(found(&memory), BTreeSet::from(["this key, raw".to_owned()]), "15 bytes from {first}");
    }
    for (before, after) in [(0, 0), (1, 0), (2, 0), (0, 1), (1, 7), (2, 30)] {
        let message = [vec![0xee; before], key.to_vec(), vec![0xee; after]].concat();
        for (text, expected) in [
            (base64::prelude::BASE64_STANDARD.encode(&message), "this key, in base64"),
            (BASE64_STANDARD_NO_PAD.encode(&message), "this key, in base64"),
            (base64::prelude::BASE64_URL_SAFE.encode(&message), "this key, in base64 for URLs"),
            (hex::encode(&message), "this key, in hexadecimal"),
            (hex::encode_upper(&message), "this key, in hexadecimal capitals"),
        ] {
            let memory = format!("{{\"Plaintext\":\"{text}\"}}");
            let what = found(memory.as_bytes());
            // Where the two alphabets do not differ, one name stands for both.
            assert!(what.iter().any(|what| expected.starts_with(what.as_str())), "{expected}: {what:?}");
        }
    }
    assert!(found(&[0; 4096]).is_empty());
    assert!(found(&(0..=255).collect::<Vec<u8>>()).is_empty());
}
