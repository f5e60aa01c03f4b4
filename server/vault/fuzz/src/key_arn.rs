//! What a person enters as the ARN of a key: accepted exactly when it is one, and given back as it was, in its parts.

use crate::model::{
    key_arn::{KeyArn, PARTITIONS},
    preflight::KeyProblem,
};
use uuid::Uuid;

/// Reads any bytes as what was entered.
///
/// # Panics
/// On a finding.
pub fn run(data: &[u8]) {
    let entered = String::from_utf8_lossy(data);
    let text = entered.trim();
    match KeyArn::parse(&entered) {
        Err(error) => {
            assert!(!is_key_arn(text), "{text:?} was refused: {error:?}");
            assert!(!error.message().is_empty());
        }
        Ok(arn) => {
            assert!(is_key_arn(text), "{text:?} was accepted");
            assert_eq!(arn.as_str(), text);
            assert_eq!(arn.to_string(), text);
            let (partition, region, account, id) = (arn.partition(), arn.region(), arn.account(), arn.key_id());
            assert_eq!(format!("arn:{partition}:kms:{region}:{account}:key/{id}"), text);
            assert_eq!(KeyArn::parse(&format!("\t {text}\r\n")), Ok(arn.clone()));
            assert_eq!(text.parse(), Ok(arn.clone()));
            assert_eq!(arn.check_home(partition, region), Ok(()));
            assert_eq!(arn.check_home("aws-elsewhere", region), Err(KeyProblem::WrongPartition));
            assert_eq!(arn.check_home(partition, "elsewhere-1"), Err(KeyProblem::WrongRegion));
        }
    }
}

/// The rule, written down a second time and in another way.
fn is_key_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let ["arn", partition, "kms", region, account, resource] = parts[..] else { return false };
    let Some(id) = resource.strip_prefix("key/") else { return false };
    PARTITIONS.contains(&partition) && is_region(region) && is_account(account) && is_key_id(id)
}

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";
const DIGITS: &str = "0123456789";

fn is_region(text: &str) -> bool {
    let words: Vec<&str> = text.split('-').collect();
    let [first, middle @ .., last] = &words[..] else { return false };
    let made_of = |word: &str, allowed: &str| !word.is_empty() && word.chars().all(|c| allowed.contains(c));
    let both = [LETTERS, DIGITS].concat();
    !middle.is_empty()
        && made_of(first, LETTERS)
        && middle.iter().all(|word| made_of(word, &both))
        && made_of(last, DIGITS)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.parse::<u64>().is_ok_and(|number| format!("{number:012}") == text)
}

/// A UUID as it is written in lower case, with hyphens or behind `mrk-` without.
fn is_key_id(text: &str) -> bool {
    let (id, is_multi_region) = text.strip_prefix("mrk-").map_or((text, false), |id| (id, true));
    Uuid::try_parse(id).is_ok_and(|uuid| {
        if is_multi_region { uuid.simple().to_string() == id } else { uuid.hyphenated().to_string() == id }
    })
}
