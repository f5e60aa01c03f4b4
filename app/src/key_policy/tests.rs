//! All formats against files in `expected/`, which `scripts/test_key_policy.py` runs, parses and lints with other people's
//! tools: together they show that what is generated means what it should.

use super::*;
use leptos::serde_json::{Value, from_str, json};

const PRINCIPAL: &str = "arn:aws:iam::444455556666:role/keystead-prod";

fn access() -> Access {
    Access {
        deployment: "d-7k2m9q".to_owned(),
        principal: Some(PRINCIPAL.to_owned()),
        partition: "aws".to_owned(),
        region: "us-west-1".to_owned(),
        owner: None,
    }
}

/// The owner is known, and the deployment is in another partition.
fn owned() -> Access {
    Access {
        principal: Some("arn:aws-us-gov:iam::444455556666:role/keystead-prod".to_owned()),
        partition: "aws-us-gov".to_owned(),
        region: "us-gov-west-1".to_owned(),
        owner: Some("111122223333".to_owned()),
        ..access()
    }
}

/// What no check lets through. It must come out as it went in all the same.
fn hostile() -> Access {
    let hostile = "x\"'\\`$(touch hostile)${file(\"/\")}%{if true}\n}\nPOLICY\n)# - *a: {b} OWNER-ACCOUNT \u{7f}é😀";
    Access {
        deployment: hostile.to_owned(),
        principal: Some(hostile.to_owned()),
        region: hostile.to_owned(),
        ..access()
    }
}

fn assert_expected(access: &Access, expected: [&str; 4]) {
    for (format, expected) in Format::ALL.into_iter().zip(expected) {
        assert_eq!(access.text(format), expected, "{format:?}");
    }
}

#[test]
fn every_format_is_as_expected() {
    assert_expected(
        &access(),
        [
            include_str!("expected/usual/keystead-key-policy.json"),
            include_str!("expected/usual/keystead-key.sh"),
            include_str!("expected/usual/keystead-key.tf"),
            include_str!("expected/usual/keystead-key.yaml"),
        ],
    );
}

#[test]
fn a_known_owner_is_named_and_not_asked_for() {
    assert_expected(
        &owned(),
        [
            include_str!("expected/owned/keystead-key-policy.json"),
            include_str!("expected/owned/keystead-key.sh"),
            include_str!("expected/owned/keystead-key.tf"),
            include_str!("expected/owned/keystead-key.yaml"),
        ],
    );
}

#[test]
fn hostile_values_stay_values() {
    assert_expected(
        &hostile(),
        [
            include_str!("expected/hostile/keystead-key-policy.json"),
            include_str!("expected/hostile/keystead-key.sh"),
            include_str!("expected/hostile/keystead-key.tf"),
            include_str!("expected/hostile/keystead-key.yaml"),
        ],
    );
    let json: Value = from_str(&hostile().text(Format::Json)).unwrap();
    let expected = hostile().deployment;
    assert_eq!(json[0]["Condition"]["StringEquals"]["kms:EncryptionContext:deployment"], expected);
    assert_eq!(json[1]["Principal"]["AWS"], expected);
    assert_eq!(json.as_array().unwrap().len(), 2);
}

#[test]
fn the_statements_allow_three_actions_and_only_for_this_deployment() {
    let parsed: Value = from_str(&access().text(Format::Json)).unwrap();
    let principal = json!({ "AWS": PRINCIPAL });
    assert_eq!(
        parsed,
        json!([
            {
                "Sid": "KeysteadUsesDataKeys",
                "Effect": "Allow",
                "Principal": principal,
                "Action": ["kms:Encrypt", "kms:Decrypt"],
                "Resource": "*",
                "Condition": { "StringEquals": { "kms:EncryptionContext:deployment": "d-7k2m9q" } }
            },
            {
                "Sid": "KeysteadReadsKeyState",
                "Effect": "Allow",
                "Principal": principal,
                "Action": "kms:DescribeKey",
                "Resource": "*"
            }
        ])
    );
}

#[test]
fn a_principal_nobody_knows_is_told_from_a_real_one() {
    let access = Access { principal: None, ..access() };
    for format in Format::ALL {
        assert_eq!(access.text(format).matches(UNKNOWN_PRINCIPAL).count(), 2, "{format:?}");
    }
}

#[test]
fn the_operators_policy_allows_the_same_on_any_key_of_the_region_or_on_those_given() {
    let any: Value = from_str(&operator_policy("aws", "us-west-1", &[], Some("d-7k2m9q"))).unwrap();
    let expected = json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "KeysteadUsesDataKeys",
                "Effect": "Allow",
                "Action": ["kms:Encrypt", "kms:Decrypt"],
                "Resource": "arn:aws:kms:us-west-1:*:key/*",
                "Condition": { "StringEquals": { "kms:EncryptionContext:deployment": "d-7k2m9q" } }
            },
            {
                "Sid": "KeysteadReadsKeyState",
                "Effect": "Allow",
                "Action": "kms:DescribeKey",
                "Resource": "arn:aws:kms:us-west-1:*:key/*"
            }
        ]
    });
    assert_eq!(any, expected);

    let keys = ["arn:aws:kms:us-west-1:111122223333:key/a", "arn:aws:kms:us-west-1:444455556666:key/b"];
    let given: Value = from_str(&operator_policy("aws", "us-west-1", &keys, None)).unwrap();
    assert_eq!(given["Statement"][0]["Resource"], json!(keys));
    assert_eq!(given["Statement"][0]["Condition"], Value::Null, "a deployment that is not known yet cannot be named");
}

#[test]
fn each_format_is_found_by_its_word() {
    for format in Format::ALL {
        assert_eq!(Format::of_word(format.word()), Some(format));
    }
    assert_eq!(Format::of_word("yaml"), None);
}
