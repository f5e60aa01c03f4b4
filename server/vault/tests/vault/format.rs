//! The envelope against an independent implementation of its message format, and against itself as it was.

use crate::support::{Counting, NoEntropy, deployment, key, key_id, loose_key};
use cobblestone::Key256;
use uuid::Uuid;
use vault::{
    EntropyError, HEADER_LEN, OpenError, Place, Scope, SealError, SystemEntropy, key_id_of, open, opened_len, seal,
    sealed_len,
};

const SIZES: [usize; 6] = [0, 1, 16383, 16384, 16385, (1 << 20) + 1];

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|i| u8::try_from(i % 251).unwrap()).collect()
}

/// The context as the module's documentation has it, written down a second time.
fn context(header: &[u8], fields: [&[u8]; 5]) -> Vec<u8> {
    let mut context = header.to_vec();
    for field in fields {
        context.extend_from_slice(&u16::try_from(field.len()).unwrap().to_be_bytes());
        context.extend_from_slice(field);
    }
    context
}

#[test]
fn an_independent_implementation_opens_what_we_seal_and_the_other_way_round() {
    let (key, theirs) = (key(5, 0x42), Key256::from_bytes(&[0x42; 32]));
    let deployment = deployment("acme-7");
    let (scope, id) = (Uuid::from_u128(0xabc), Uuid::from_u128(0xdef));
    let place = Place { deployment: &deployment, scope: Scope::Workspace(scope), table: "notes", id, column: "body" };
    let fields: [&[u8]; 5] = [b"acme-7", scope.as_bytes(), b"notes", id.as_bytes(), b"body"];
    for size in SIZES {
        let plaintext = content(size);
        let sealed = seal(&key, &place, &plaintext, &SystemEntropy::new()).unwrap();
        let (header, message) = sealed.split_at(HEADER_LEN);
        let context = context(header, fields);
        assert!(cobblestone::decrypt(&theirs, &context, message).unwrap() == plaintext, "{size}");

        let message = cobblestone::encrypt(&theirs, &context, &plaintext).unwrap();
        let sealed = [header, &message].concat();
        assert!(*open(&key, &place, &sealed).unwrap() == plaintext, "{size}");
    }
}

#[test]
fn lengths_follow_from_lengths() {
    for size in SIZES {
        let size = u64::try_from(size).unwrap();
        assert_eq!(opened_len(sealed_len(size)), Ok(size));
    }
    assert_eq!(sealed_len(0), 92);
    assert_eq!(sealed_len(16384), 76 + 16400 + 16);
    let no_lengths = [0, 19, 75, 76, 91, 76 + 16400, 76 + 16400 + 15, 76 + 2 * 16400];
    for length in no_lengths {
        assert_eq!(opened_len(length), Err(OpenError::Malformed), "{length}");
    }
    // Beyond what the format can hold, without a wrong number.
    assert_eq!(opened_len(u64::MAX), Err(OpenError::Malformed));
    assert_eq!(sealed_len(u64::MAX), u64::MAX);
}

/// Version 1 as it was when it was first written. These bytes must open for ever.
#[test]
fn known_answers() {
    let deployment = deployment("acme");
    let (key, theirs) = (key(0x0102_0304, 0x11), Key256::from_bytes(&[0x11; 32]));
    let (nil, seven, eight, nine) = (Uuid::nil(), Uuid::from_u128(7), Uuid::from_u128(8), Uuid::from_u128(9));
    let scope = Scope::Organization;
    let record = Place { deployment: &deployment, scope, table: "workspaces", id: seven, column: "name" };
    let object = Place::object(&deployment, Scope::Workspace(eight), nine);
    let record_fields: [&[u8]; 5] = [b"acme", nil.as_bytes(), b"workspaces", seven.as_bytes(), b"name"];
    let object_fields: [&[u8]; 5] = [b"acme", eight.as_bytes(), b"object", nine.as_bytes(), b"content"];
    let answers = [
        (record, record_fields, "", RECORD, EMPTY_MESSAGE),
        (record, record_fields, "Research", RECORD, RESEARCH_MESSAGE),
        (object, object_fields, "%PDF", OBJECT, PDF_MESSAGE),
    ];
    for (place, fields, plaintext, commitment, chunk) in answers {
        let sealed = seal(&key, &place, plaintext.as_bytes(), &Counting::from(0xa0)).unwrap();
        assert_eq!(hex::encode(&sealed), [HEADER_AND_SALT, commitment, chunk].concat());
        assert_eq!(open(&key, &place, &sealed).unwrap().as_slice(), plaintext.as_bytes());
        assert_eq!(key_id_of(&sealed), Ok(key_id(0x0102_0304)));
        let (header, message) = sealed.split_at(HEADER_LEN);
        let theirs = cobblestone::decrypt(&theirs, &context(header, fields), message).unwrap();
        assert_eq!(theirs, plaintext.as_bytes());
    }
    assert_eq!(hex::encode(loose_key(1, 0x11).check_value()), CHECK_VALUE);
}

const HEADER_AND_SALT: &str =
    concat!("4b530100", "00000000000000000000000001020304", "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7");
const RECORD: &str = "67ba197ab22579fe83f98d8895fb7d0abf271c8186998ee596839c240cec8f12";
const EMPTY_MESSAGE: &str = "b38a73bfb1c11fc7325dd39ede10c7c0";
const RESEARCH_MESSAGE: &str = "df2cbbbe0d4efe8f849a94c3568359ef5809d3c650876f40";
const OBJECT: &str = "7a1fed7a516350215ee63b09db4ec63e574bb87df8a44f0f8a80ff3b662952e0";
const PDF_MESSAGE: &str = "d0e141de3152eccc71067f57b08c582b1608423e";
const CHECK_VALUE: &str = "f69722a3afb9c26f447c29e7b0adaf28f3f61025ed5cda0b3a150d94f968b736";

/// How a sealed thing must fail when the byte at `offset` is not as it was.
fn failure_at(offset: usize) -> OpenError {
    match offset {
        0..4 => OpenError::Malformed,
        4..20 => OpenError::UnknownKey,
        20..76 => OpenError::DoesNotBelongHere,
        _ => OpenError::Tampered,
    }
}

#[test]
fn no_byte_of_a_record_can_be_changed() {
    let (key, deployment) = (key(1, 1), deployment("acme"));
    let place = Place::object(&deployment, Scope::Organization, Uuid::from_u128(1));
    for plaintext in [content(0), content(300)] {
        let sealed = seal(&key, &place, &plaintext, &SystemEntropy::new()).unwrap();
        for offset in 0..sealed.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut changed = sealed.clone();
                changed[offset] ^= flip;
                assert_eq!(open(&key, &place, &changed).unwrap_err(), failure_at(offset), "byte {offset} ^ {flip:#x}");
            }
        }
        assert_eq!(*open(&key, &place, &sealed).unwrap(), plaintext);
    }
}

#[test]
fn nothing_opens_that_was_cut_off() {
    let (key, deployment) = (key(1, 1), deployment("acme"));
    let place = Place::object(&deployment, Scope::Organization, Uuid::from_u128(1));
    let sealed = seal(&key, &place, &content(40), &SystemEntropy::new()).unwrap();
    for length in 0..sealed.len() {
        let expected = if length < 92 { OpenError::Malformed } else { OpenError::Tampered };
        assert_eq!(open(&key, &place, &sealed[..length]).unwrap_err(), expected, "{length}");
    }
    // Around the seams of several chunks.
    let sealed = seal(&key, &place, &content(2 * 16384 + 5), &SystemEntropy::new()).unwrap();
    for chunk in 0..3 {
        for past in 0..=17 {
            let length = 76 + chunk * 16400 + past;
            let expected = if past < 16 { OpenError::Malformed } else { OpenError::Tampered };
            assert_eq!(open(&key, &place, &sealed[..length]).unwrap_err(), expected, "{length}");
        }
    }
    // Nor what had something added.
    for more in (1..40).chain(16360..=16400) {
        let longer = [sealed.as_slice(), &vec![0; more]].concat();
        let error = open(&key, &place, &longer).unwrap_err();
        assert!(matches!(error, OpenError::Malformed | OpenError::Tampered), "{more}");
    }
}

#[test]
fn chunks_cannot_change_places() {
    let (key, deployment) = (key(1, 1), deployment("acme"));
    let place = Place::object(&deployment, Scope::Organization, Uuid::from_u128(1));
    let sealed = seal(&key, &place, &content(3 * 16384), &SystemEntropy::new()).unwrap();
    let mut swapped = sealed.clone();
    swapped[76..76 + 16400].copy_from_slice(&sealed[76 + 16400..76 + 2 * 16400]);
    swapped[76 + 16400..76 + 2 * 16400].copy_from_slice(&sealed[76..76 + 16400]);
    assert_eq!(open(&key, &place, &swapped).unwrap_err(), OpenError::Tampered);
    let mut left_out = sealed.clone();
    left_out.drain(76 + 16400..76 + 2 * 16400);
    assert_eq!(open(&key, &place, &left_out).unwrap_err(), OpenError::Tampered);
}

#[test]
fn a_key_is_known_by_its_id_and_by_its_bytes() {
    let deployment = deployment("acme");
    let place = Place::object(&deployment, Scope::Organization, Uuid::from_u128(1));
    let sealed = seal(&key(1, 1), &place, b"x", &SystemEntropy::new()).unwrap();
    assert_eq!(open(&key(2, 1), &place, &sealed).unwrap_err(), OpenError::UnknownKey);
    assert_eq!(open(&key(1, 2), &place, &sealed).unwrap_err(), OpenError::DoesNotBelongHere);
    assert_eq!(key_id_of(&sealed[..20]), Ok(key_id(1)));
    assert_eq!(key_id_of(&sealed[..19]), Err(OpenError::Malformed));
    let newer = [b"KS\x02\x00".as_slice(), &sealed[4..]].concat();
    assert_eq!(key_id_of(&newer), Err(OpenError::Malformed));
    let flagged = [b"KS\x01\x01".as_slice(), &sealed[4..]].concat();
    assert_eq!(open(&key(1, 1), &place, &flagged).unwrap_err(), OpenError::Malformed);
}

#[test]
fn no_salt_is_used_twice_and_none_is_made_up() {
    let (key, deployment) = (key(1, 1), deployment("acme"));
    let place = Place::object(&deployment, Scope::Organization, Uuid::from_u128(1));
    let entropy = SystemEntropy::new();
    let first = seal(&key, &place, b"x", &entropy).unwrap();
    let second = seal(&key, &place, b"x", &entropy).unwrap();
    assert_ne!(first[20..44], second[20..44]);
    assert_eq!(seal(&key, &place, b"x", &NoEntropy).unwrap_err(), SealError::Entropy(EntropyError));
    assert!(vault::DataKey::generate(key_id(1), &NoEntropy).is_err());
}

#[test]
fn check_values_tell_keys_apart_and_say_nothing_of_them() {
    let key = loose_key(1, 1);
    assert_eq!(key.check_value(), loose_key(2, 1).check_value());
    assert_ne!(key.check_value(), loose_key(1, 2).check_value());
    assert_ne!(key.check_value(), [1; 32]);
    let zeros = vault::DataKey::from_bytes(key_id(1), &[0; 32]).unwrap();
    assert_ne!(zeros.check_value(), [0; 32]);
}
