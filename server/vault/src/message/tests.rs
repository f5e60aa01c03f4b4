//! The message format against the vectors of its specification, and the AEAD below it against Wycheproof's.

use super::{CHUNK_LEN, HEAD_LEN, KEY_LEN, MAX_CHUNKS, MessageKey, SALT_LEN};
use crate::{
    derivation::DerivationKey,
    envelope::{HEADER_LEN, opened_len},
};
use aws_lc_rs::digest::{SHA512, digest};
use std::io::Read;
use wycheproof::{TestResult, aead, chunked_encryption};

/// Opens a message as [`crate::envelope::open`] does, without the header it adds.
fn open(key: &[u8; KEY_LEN], context: &[u8], message: &[u8]) -> (bool, Vec<u8>) {
    let Ok(length) = opened_len((HEADER_LEN + message.len()) as u64) else { return (false, Vec::new()) };
    let mut out = vec![0; usize::try_from(length).unwrap()];
    let (head, chunks) = message.split_first_chunk::<HEAD_LEN>().unwrap();
    let Some(message) = MessageKey::resume(&DerivationKey::new(key), head, context) else { return (false, out) };
    let opened = message.open_all(chunks, &mut out).is_ok();
    (opened, out)
}

#[test]
fn the_specifications_own_vectors() {
    let set = chunked_encryption::TestSet::load(chunked_encryption::TestName::Cobblestone256).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let mut message = Vec::new();
        flate2::read::ZlibDecoder::new(test.ct.as_ref()).read_to_end(&mut message).unwrap();
        let Ok(key) = <[u8; KEY_LEN]>::try_from(test.key.as_ref()) else {
            // Our data keys have no other length, by their type.
            assert_eq!(test.result, TestResult::Invalid, "{}", test.tc_id);
            continue;
        };
        if let (Some(aead_key), Some(nonce)) = (&test.aead_key, &test.base_nonce) {
            let mut material = [0u8; 76];
            DerivationKey::new(&key).expand(&[super::INFO, &message[..SALT_LEN], &test.ctx], &mut material);
            assert_eq!(&material[..32], aead_key.as_ref(), "{}", test.tc_id);
            assert_eq!(&material[32..44], nonce.as_ref(), "{}", test.tc_id);
        }
        let (opened, out) = open(&key, &test.ctx, &message);
        assert_eq!(opened, test.result == TestResult::Valid, "{}: {}", test.tc_id, test.comment);
        if opened {
            valid += 1;
            assert_eq!(Some(out.len()), test.msg_length);
            assert_eq!(digest(&SHA512, &out).as_ref(), test.msg_sha512.as_ref().unwrap().as_ref());
            // And the same message again, from plaintext and salt.
            let salt = message.first_chunk::<SALT_LEN>().unwrap();
            let (ours, commitment) = MessageKey::derive(&DerivationKey::new(&key), salt, &test.ctx);
            let mut sealed = [salt.as_slice(), &commitment].concat();
            sealed.resize(message.len(), 0);
            ours.seal_all(&out, &mut sealed[HEAD_LEN..]);
            assert!(sealed == message, "{}", test.tc_id);
        } else {
            invalid += 1;
        }
    }
    assert_eq!((valid, invalid), (10, 23), "the set has changed: look at what is new");
}

#[test]
fn the_aead_against_wycheproof() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let mut seen = 0;
    for group in set.test_groups.iter().filter(|g| g.key_size == 256 && g.nonce_size == 96 && g.tag_size == 128) {
        for test in group.tests.iter().filter(|test| test.aad.is_empty()) {
            seen += 1;
            let mut nonce = [0u8; 12];
            nonce.copy_from_slice(&test.nonce);
            let key = MessageKey { aead: MessageKey::aead(&test.key), nonce };
            let expected = [test.ct.as_ref(), test.tag.as_ref()].concat();
            let mut opened = b"before".to_vec();
            let valid = test.result == TestResult::Valid;
            assert_eq!(key.open_chunk(0, &expected, &mut opened).is_ok(), valid, "{}", test.tc_id);
            if valid {
                assert_eq!(&opened[6..], test.pt.as_ref());
                let mut sealed = Vec::new();
                key.seal_chunk(0, &test.pt, &mut sealed);
                assert_eq!(sealed, expected);
            } else {
                assert_eq!(opened, b"before");
            }
        }
    }
    assert!(seen > 40, "only {seen} vectors were for our parameters");
}

#[test]
fn nonces_are_the_base_xor_the_number() {
    let key = MessageKey { aead: MessageKey::aead(&[7; 32]), nonce: [0xff; 12] };
    let mut expected = [0xff; 12];
    assert_eq!(key.nonce(0).as_ref(), &expected);
    expected[7..].copy_from_slice(&[0xff ^ 0x12, 0xff ^ 0x34, 0xff ^ 0x56, 0xff ^ 0x78, 0xff ^ 0x9a]);
    assert_eq!(key.nonce(0x12_3456_789a).as_ref(), &expected);
}

#[test]
#[should_panic(expected = "a message ends before")]
fn a_message_ends_before_its_chunk_numbers_do() {
    let key = MessageKey { aead: MessageKey::aead(&[7; 32]), nonce: [0; 12] };
    key.seal_chunk(MAX_CHUNKS, &[], &mut Vec::new());
}

#[test]
fn a_chunk_that_fails_leaves_nothing_behind() {
    let key = MessageKey { aead: MessageKey::aead(&[7; 32]), nonce: [0; 12] };
    let mut sealed = Vec::new();
    key.seal_chunk(0, &[b'x'; CHUNK_LEN], &mut sealed);
    *sealed.last_mut().unwrap() ^= 1;
    let mut out = Vec::new();
    assert!(key.open_chunk(0, &sealed, &mut out).is_err());
    assert!(out.is_empty());
}
