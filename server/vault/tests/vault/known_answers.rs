//! The envelope against answers that an account of the format in another language gave: `known_answers.py`.

use crate::support::{Counting, deployment, open_vault};
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;
use vault::{
    CHUNK_LEN, DataKey, DataKeyId, DeploymentId, Opener, PREFIX_LEN, Place, SEALED_CHUNK_LEN, Scope, Sealer, key_id_of,
    open, seal, sealed_len,
};

const ANSWERS: &str = include_str!("known_answers.txt");

/// The lines of one block, by their first word.
type Block<'a> = HashMap<&'a str, &'a str>;

/// What all answers share, then each answer under its name.
fn blocks() -> (Block<'static>, Vec<(&'static str, Block<'static>)>) {
    let (mut shared, mut answers) = (Block::new(), Vec::<(&str, Block<'_>)>::new());
    for line in ANSWERS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[') {
            answers.push((name.strip_suffix(']').unwrap(), Block::new()));
            continue;
        }
        let (word, value) = line.split_once(' ').unwrap();
        answers.last_mut().map_or(&mut shared, |(_, answer)| answer).insert(word, value.trim_start());
    }
    (shared, answers)
}

fn bytes<const N: usize>(block: &Block<'_>, name: &str) -> [u8; N] {
    hex::decode(block[name]).unwrap().try_into().unwrap()
}

fn uuid(text: &str) -> Uuid {
    Uuid::parse_str(text).unwrap()
}

fn content(answer: &Block<'_>) -> Vec<u8> {
    (0..251u8).cycle().take(answer["length"].parse().unwrap()).collect()
}

fn place<'a>(deployment: &'a DeploymentId, answer: &Block<'a>) -> Place<'a> {
    let fields: Vec<&str> = answer["place"].split(' ').collect();
    let [named, scope, table, id, column] = fields[..] else { panic!("five fields") };
    assert_eq!(named, deployment.as_str());
    Place { deployment, scope: Scope::from_uuid(uuid(scope)), table, id: uuid(id), column }
}

fn is_answer(answer: &Block<'_>, sealed: &[u8]) -> bool {
    let text = hex::encode(sealed);
    let sha256 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, sealed);
    sealed.len().to_string() == answer["sealed"]
        && answer.get("all").is_none_or(|all| *all == text)
        && answer.get("head").is_none_or(|head| text.starts_with(head))
        && answer.get("tail").is_none_or(|tail| text.ends_with(tail))
        && hex::encode(sha256) == answer["sha256"]
}

/// The key of the answers, in the ring of an open vault.
fn key(shared: &Block<'_>) -> Arc<DataKey> {
    let loose = DataKey::from_bytes(DataKeyId(uuid(shared["key_id"])), &bytes::<32>(shared, "key")).unwrap();
    assert_eq!(loose.check_value(), bytes(shared, "check_value"));
    let (vault, clock) = open_vault();
    vault.admit(vault.epoch(), loose, Scope::Organization, vault::Clock::boot(clock.as_ref())).unwrap()
}

/// Gives the salt of the answers.
fn salt(shared: &Block<'_>) -> Counting {
    let salt = bytes::<24>(shared, "salt");
    assert!(salt.iter().zip(salt[0]..).all(|(byte, due)| *byte == due), "a salt that counts");
    Counting::from(salt[0])
}

#[test]
fn sealing_gives_the_known_answers_and_they_open() {
    let (shared, answers) = blocks();
    let (key, deployment) = (key(&shared), deployment("acme-7"));
    assert_eq!(answers.len(), 10);
    for (name, answer) in answers {
        let (place, plaintext) = (place(&deployment, &answer), content(&answer));
        let sealed = seal(&key, &place, &plaintext, &salt(&shared)).unwrap();
        assert!(is_answer(&answer, &sealed), "{name}");
        assert_eq!(sealed.len() as u64, sealed_len(plaintext.len() as u64), "{name}");
        assert_eq!(key_id_of(&sealed), Ok(key.id()), "{name}");
        assert!(*open(&key, &place, &sealed).unwrap() == plaintext, "{name}");
    }
}

#[test]
fn a_stream_gives_the_known_answers_and_each_chunk_of_them_opens() {
    let (shared, answers) = blocks();
    let (key, deployment) = (key(&shared), deployment("acme-7"));
    for (name, answer) in answers {
        let (place, plaintext) = (place(&deployment, &answer), content(&answer));
        let (mut sealer, prefix) = Sealer::new(&key, &place, &salt(&shared)).unwrap();
        let mut stored = prefix.to_vec();
        for piece in plaintext.chunks(10_007) {
            sealer.push(piece, &mut stored).unwrap();
        }
        sealer.finish(&mut stored).unwrap();
        assert!(is_answer(&answer, &stored), "{name}");

        let opener = Opener::new(&key, &place, &prefix, plaintext.len() as u64).unwrap();
        let chunks = stored[PREFIX_LEN..].chunks(SEALED_CHUNK_LEN);
        assert_eq!(chunks.len() as u64, opener.chunks(), "{name}");
        for (number, chunk) in chunks.enumerate() {
            let (start, mut out) = (number * CHUNK_LEN, Vec::new());
            opener.open_chunk(number as u64, chunk, &mut out).unwrap();
            assert!(out == plaintext[start..plaintext.len().min(start + CHUNK_LEN)], "{name}: chunk {number}");
        }
    }
}
