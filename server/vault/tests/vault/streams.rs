//! Sealing as a stream and opening at random, beside sealing and opening at once.

use crate::support::{admit, deployment, key, loose_key, open_vault, refuse};
use proptest::prelude::*;
use std::time::Duration;
use uuid::Uuid;
use vault::{
    CHUNK_LEN, DataKey, OpenError, Opener, PREFIX_LEN, Place, Scope, SealError, Sealer, SystemEntropy, open, sealed_len,
};

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|i| u8::try_from(i * 7 % 253).unwrap()).collect()
}

/// Seals in pieces of the given lengths, over and over.
fn seal_in_pieces(key: &DataKey, place: &Place<'_>, plaintext: &[u8], pieces: &[usize]) -> Vec<u8> {
    let (mut sealer, prefix) = Sealer::new(key, place, &SystemEntropy::new()).unwrap();
    let mut out = prefix.to_vec();
    let (mut rest, mut lengths) = (plaintext, pieces.iter().cycle());
    while !rest.is_empty() {
        let (piece, tail) = rest.split_at(rest.len().min(*lengths.next().unwrap()));
        sealer.push(piece, &mut out).unwrap();
        rest = tail;
    }
    sealer.finish(&mut out).unwrap();
    out
}

#[test]
fn a_stream_in_any_pieces_is_what_sealing_at_once_gives() {
    let (key, deployment) = (key(1, 1), deployment("acme"));
    let place = Place::object(&deployment, Scope::Organization, Uuid::from_u128(1));
    for size in [0, 1, 16383, 16384, 16385, 32768, 100_000] {
        let plaintext = content(size);
        let pieces: [&[usize]; 5] = [&[1000], &[16384], &[1, 16383], &[16383, 2, 40_000], &[usize::MAX]];
        for lengths in pieces {
            let sealed = seal_in_pieces(&key, &place, &plaintext, lengths);
            assert_eq!(sealed.len() as u64, sealed_len(size as u64));
            assert!(*open(&key, &place, &sealed).unwrap() == plaintext, "{size} in {lengths:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_the_pieces(size in 0usize..70_000, pieces in prop::collection::vec(1usize..40_000, 1..6)) {
        let (key, deployment) = (key(1, 1), deployment("acme"));
        let place = Place::object(&deployment, Scope::Organization, Uuid::from_u128(1));
        let plaintext = content(size);
        let sealed = seal_in_pieces(&key, &place, &plaintext, &pieces);
        prop_assert!(*open(&key, &place, &sealed).unwrap() == plaintext);
    }
}

#[test]
fn any_chunk_opens_by_itself() {
    let (key, deployment) = (key(1, 1), deployment("acme"));
    let place = Place::object(&deployment, Scope::Workspace(Uuid::from_u128(4)), Uuid::from_u128(1));
    for size in [0, 1, 16383, 16384, 16385, 50_000] {
        let plaintext = content(size);
        let sealed = seal_in_pieces(&key, &place, &plaintext, &[9999]);
        let opener = Opener::new(&key, &place, &sealed[..PREFIX_LEN], size as u64).unwrap();
        assert_eq!(opener.chunks(), size as u64 / 16384 + 1);
        // Backwards, so that no order is relied on.
        for chunk in (0..opener.chunks()).rev() {
            let range = opener.chunk_range(chunk);
            let sealed = &sealed[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()];
            let mut out = b"before".to_vec();
            opener.open_chunk(chunk, sealed, &mut out).unwrap();
            let start = usize::try_from(chunk).unwrap() * CHUNK_LEN;
            let expected = &plaintext[start..size.min(start + CHUNK_LEN)];
            assert!(out[6..] == *expected, "{size}: chunk {chunk}");
        }
        let end = opener.chunk_range(opener.chunks() - 1).end;
        assert_eq!(end, sealed.len() as u64);
        assert!(opener.chunk_range(opener.chunks()).is_empty());
        assert!(opener.chunk_range(u64::MAX).is_empty());
    }
}

#[test]
fn a_wrong_chunk_is_told_and_gives_nothing() {
    let (key, deployment) = (key(1, 1), deployment("acme"));
    let place = Place::object(&deployment, Scope::Organization, Uuid::from_u128(1));
    let sealed = seal_in_pieces(&key, &place, &content(40_000), &[9999]);
    let prefix = &sealed[..PREFIX_LEN];
    let opener = Opener::new(&key, &place, prefix, 40_000).unwrap();
    let first = &sealed[76..76 + 16400];
    let mut out = Vec::new();
    // In another place in the file, cut, past the end, changed.
    assert_eq!(opener.open_chunk(1, first, &mut out), Err(OpenError::Tampered));
    assert_eq!(opener.open_chunk(0, &first[..16399], &mut out), Err(OpenError::Malformed));
    assert_eq!(opener.open_chunk(3, &[], &mut out), Err(OpenError::Malformed));
    let mut changed = first.to_vec();
    changed[9000] ^= 4;
    assert_eq!(opener.open_chunk(0, &changed, &mut out), Err(OpenError::Tampered));
    assert!(out.is_empty());
    // A row that names another length than was sealed: the last chunk proves it.
    for wrong in [39_999, 40_001] {
        let opener = Opener::new(&key, &place, prefix, wrong).unwrap();
        let range = opener.chunk_range(2);
        let end = usize::try_from(range.end).unwrap().min(sealed.len());
        let last = &sealed[usize::try_from(range.start).unwrap()..end];
        let error = opener.open_chunk(2, last, &mut out).unwrap_err();
        assert_eq!(error, if wrong < 40_000 { OpenError::Tampered } else { OpenError::Malformed });
    }
    assert_eq!(Opener::new(&key, &place, &prefix[..75], 1).err(), Some(OpenError::Malformed));
    assert_eq!(Opener::new(&key, &place, prefix, u64::MAX).err(), Some(OpenError::Malformed));
    let mut unknown = prefix.to_vec();
    unknown[10] ^= 1;
    assert_eq!(Opener::new(&key, &place, &unknown, 1).err(), Some(OpenError::UnknownKey));
}

#[test]
fn a_lock_ends_a_download_at_its_next_chunk_and_for_good() {
    let (vault, clock) = open_vault();
    let place = Place::object(vault.deployment(), Scope::Organization, Uuid::from_u128(1));
    let key = admit(&vault, vault.epoch(), loose_key(1, 1)).unwrap();
    let sealed = seal_in_pieces(&key, &place, &content(100), &[100]);
    let opener = Opener::new(&key, &place, &sealed[..PREFIX_LEN], 100).unwrap();
    opener.open_chunk(0, &sealed[76..], &mut Vec::new()).unwrap();
    refuse(&vault);
    refuse(&vault);
    assert_eq!(opener.open_chunk(0, &sealed[76..], &mut Vec::new()), Err(OpenError::Locked));
    for _ in 0..2 {
        clock.pass(Duration::from_secs(1));
        crate::support::pass(&vault);
    }
    assert!(vault.is_open());
    assert_eq!(opener.open_chunk(0, &sealed[76..], &mut Vec::new()), Err(OpenError::Locked));
    assert_eq!(Sealer::new(&key, &place, &SystemEntropy::new()).err(), Some(SealError::Locked));
}

#[test]
fn a_sealer_ends_with_the_lease_it_began_under() {
    let (vault, clock) = open_vault();
    let place = Place::object(vault.deployment(), Scope::Organization, Uuid::from_u128(1));
    let key = admit(&vault, vault.epoch(), loose_key(1, 1)).unwrap();
    let (mut sealer, _) = Sealer::new(&key, &place, &SystemEntropy::new()).unwrap();
    let mut out = Vec::new();
    sealer.push(&content(20_000), &mut out).unwrap();
    refuse(&vault);
    refuse(&vault);
    for _ in 0..2 {
        clock.pass(Duration::from_secs(1));
        crate::support::pass(&vault);
    }
    assert!(vault.is_open());
    let before = out.len();
    assert_eq!(sealer.push(&content(20_000), &mut out), Err(vault::Locked));
    assert_eq!(sealer.finish(&mut out), Err(vault::Locked));
    assert_eq!(out.len(), before);
}
