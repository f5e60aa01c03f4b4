//! What people enter as a key ARN, and what they are told: the table is `key_arns.txt`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use app::model::{
    key_arn::{KeyArn, KeyArnError, PARTITIONS},
    preflight::KeyProblem,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

const TABLE: &str = include_str!("key_arns.txt");
const ALL: [KeyArnError; 16] = [
    KeyArnError::Empty,
    KeyArnError::Surrounded,
    KeyArnError::InnerWhitespace,
    KeyArnError::Invisible,
    KeyArnError::ForeignCharacter,
    KeyArnError::WebAddress,
    KeyArnError::BareId,
    KeyArnError::Alias,
    KeyArnError::NotAnArn,
    KeyArnError::Partition,
    KeyArnError::Service,
    KeyArnError::Region,
    KeyArnError::Account,
    KeyArnError::Resource,
    KeyArnError::KeyId,
    KeyArnError::Extra,
];

/// One line of the table.
struct Line<'a> {
    expected: &'a str,
    partition: &'a str,
    region: &'a str,
    entered: String,
    text: &'a str,
}

fn lines() -> Vec<Line<'static>> {
    let lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '=']));
    let read = |text: &'static str| {
        let mut columns = text.split(' ').filter(|column| !column.is_empty());
        let (expected, home, entered) = (columns.next().unwrap(), columns.next().unwrap(), columns.next().unwrap());
        assert_eq!(columns.next(), None, "four columns: {text}");
        let (partition, region) = home.split_once('/').unwrap();
        Line { expected, partition, region, entered: unescaped(entered), text }
    };
    lines.map(read).collect()
}

/// The messages that the table asks for, by name.
fn messages() -> BTreeMap<&'static str, &'static str> {
    let messages = TABLE.lines().filter_map(|line| line.strip_prefix("= ")?.split_once(' '));
    messages.map(|(name, message)| (name, message.trim())).collect()
}

fn unescaped(written: &str) -> String {
    let mut entered = String::new();
    let mut left = written;
    while let Some((before, after)) = left.split_once('\\') {
        entered.push_str(before);
        let (escape, rest) = after.split_at(1);
        let braced = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        left = rest;
        match (escape, braced) {
            ("u", Some((code, rest))) => {
                entered.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
                left = rest;
            }
            ("r", Some((repeated, rest))) => {
                entered.push_str(&repeated[..1].repeat(repeated[1..].parse().unwrap()));
                left = rest;
            }
            ("r", None) => entered.push('\r'),
            ("s", _) => entered.push(' '),
            ("t", _) => entered.push('\t'),
            ("n", _) => entered.push('\n'),
            ("e", _) => {}
            ("\\", _) => entered.push('\\'),
            (other, _) => panic!("an escape that is none: {other} in {written}"),
        }
    }
    entered.push_str(left);
    entered
}

/// The name of an error as it crosses the wire.
fn name(error: impl Serialize) -> String {
    leptos::serde_json::to_value(error).unwrap().as_str().unwrap().to_owned()
}

/// What comes of it: `accepted`, or the name of what is wrong.
fn outcome(line: &Line<'_>) -> String {
    match KeyArn::parse(&line.entered).map(|arn| arn.check_home(line.partition, line.region)) {
        Ok(Ok(())) => "accepted".to_owned(),
        Ok(Err(problem)) => name(problem),
        Err(error) => name(error),
    }
}

#[test]
fn everything_entered_comes_to_what_the_table_says() {
    let wrong: Vec<String> = lines()
        .iter()
        .filter_map(|line| {
            let outcome = outcome(line);
            (outcome != line.expected).then(|| format!("came to {outcome}: {}", line.text))
        })
        .collect();
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_mistake_has_the_message_of_the_table_and_no_other_has_it() {
    let messages = messages();
    assert_eq!(messages.len(), ALL.len());
    for error in ALL {
        assert_eq!(messages.get(name(error).as_str()), Some(&error.message()), "{error:?}");
    }
    let unique: BTreeSet<_> = messages.values().collect();
    assert_eq!(unique.len(), ALL.len());
}

#[test]
fn the_message_about_a_part_says_which_part_it_is_and_what_is_expected_there() {
    for (error, part) in [
        (KeyArnError::NotAnArn, "first part"),
        (KeyArnError::Partition, "second part"),
        (KeyArnError::Service, "third part"),
        (KeyArnError::Region, "fourth part"),
        (KeyArnError::Account, "fifth part"),
        (KeyArnError::Resource, "last part"),
        (KeyArnError::KeyId, "key id, after key/"),
    ] {
        let message = error.message();
        assert!(message.contains(part), "{message}");
        assert!(message.contains("xpected") || message.contains("begins with arn:"), "{message}");
    }
}

#[test]
fn what_is_accepted_is_the_arn_as_it_was_entered_without_white_space_around_it() {
    for line in lines().iter().filter(|line| line.expected == "accepted") {
        let arn = KeyArn::parse(&line.entered).unwrap();
        assert_eq!(arn.as_str(), line.entered.trim());
        assert_eq!((arn.partition(), arn.region()), (line.partition, line.region));
        let parts = ["arn", arn.partition(), "kms", arn.region(), arn.account(), &format!("key/{}", arn.key_id())];
        assert_eq!(parts.join(":"), arn.as_str());
    }
}

#[test]
fn the_table_covers_every_mistake_and_every_partition() {
    let lines = lines();
    assert!(lines.len() >= 200, "{}", lines.len());
    let texts: BTreeSet<_> = lines.iter().map(|line| line.text).collect();
    assert_eq!(texts.len(), lines.len(), "a line is there twice");
    let problems = [KeyProblem::WrongPartition, KeyProblem::WrongRegion].map(name);
    for expected in ALL.map(name).iter().chain(&problems) {
        assert!(lines.iter().filter(|line| line.expected == expected).count() >= 5, "{expected}");
    }
    for partition in PARTITIONS {
        for expected in ["accepted", "wrong_region", "wrong_partition"] {
            let has = |line: &&Line<'_>| line.expected == expected && line.partition == partition;
            assert!(lines.iter().any(|line| has(&line)), "{expected} in {partition}");
        }
    }
}
