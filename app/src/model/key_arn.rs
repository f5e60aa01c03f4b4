//! The ARN of a KMS key, checked the same way in the browser and on the server.
//!
//! Only a key ARN is accepted. An alias can be pointed at another key, which would make data unreadable, and a bare id does
//! not say whose key it is. There is no closed list of regions: [`KeyArn::check_home`] compares with the deployment's own.

use super::preflight::KeyProblem;
use serde::{Deserialize, Serialize};

/// The partitions of AWS there are today.
pub const PARTITIONS: [&str; 8] =
    ["aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f"];

/// The ARN of one KMS key, as it was entered, without white space around it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyArn {
    text: String,
    /// Where in `text` the parts after the partition begin: region, account, key id.
    region_at: usize,
    account_at: usize,
    id_at: usize,
}

/// Which part of an ARN is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyArnError {
    /// Nothing was entered.
    Empty,
    /// White space between the first and the last character.
    InnerWhitespace,
    /// A control character, or one outside of ASCII.
    ForeignCharacter,
    /// A key id without an ARN around it.
    BareId,
    /// An alias name, such as `alias/my-key`, or an alias ARN.
    Alias,
    /// It does not begin with `arn:`.
    NotAnArn,
    /// The second part is not a partition of AWS.
    Partition,
    /// The third part is not `kms`.
    Service,
    /// The fourth part does not look like a region.
    Region,
    /// The fifth part is not twelve digits.
    Account,
    /// The sixth part does not begin with `key/`.
    Resource,
    /// What follows `key/` is not a key id.
    KeyId,
}

impl KeyArnError {
    /// Which part is wrong, and what is expected there.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Empty => "Enter the ARN of a KMS key. It begins with arn:aws:kms: and the region.",
            Self::InnerWhitespace => {
                "There is white space inside the ARN. An ARN has none: copy it again, in one piece, from the AWS console."
            }
            Self::ForeignCharacter => {
                "The ARN contains a character that no ARN has. Only plain letters, digits, hyphens, colons and one slash are expected."
            }
            Self::BareId => {
                "This is only a key id. Enter the whole ARN: arn:, the partition, kms, the region, the account, then key/ and the id."
            }
            Self::Alias => {
                "This is an alias. An alias can be pointed at another key, so enter the ARN of the key itself: its last part begins with key/."
            }
            Self::NotAnArn => "The first part is wrong: an ARN begins with arn: and has six parts separated by colons.",
            Self::Partition => {
                "The partition, the second part, is wrong. Expected is aws, or another partition of AWS such as aws-us-gov or aws-cn."
            }
            Self::Service => "The service, the third part, is wrong. Expected is kms, because this must be a KMS key.",
            Self::Region => {
                "The region, the fourth part, is wrong. Expected is the name of an AWS region, such as us-west-1."
            }
            Self::Account => "The account, the fifth part, is wrong. Expected are exactly 12 digits.",
            Self::Resource => "The last part is wrong. Expected is key/ followed by the key id.",
            Self::KeyId => {
                "The key id, after key/, is wrong. Expected is a lower-case id such as 1234abcd-12ab-34cd-56ef-1234567890ab, or mrk- and 32 characters."
            }
        }
    }
}

impl KeyArn {
    /// Reads what a person entered. White space at the ends is removed once; everything else must be exact.
    ///
    /// # Errors
    /// The first part that is wrong, from left to right.
    pub fn parse(entered: &str) -> Result<Self, KeyArnError> {
        let text = entered.trim();
        if text.is_empty() {
            return Err(KeyArnError::Empty);
        }
        if text.chars().any(char::is_whitespace) {
            return Err(KeyArnError::InnerWhitespace);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(KeyArnError::ForeignCharacter);
        }
        if is_key_id(text) {
            return Err(KeyArnError::BareId);
        }
        if text.starts_with("alias/") {
            return Err(KeyArnError::Alias);
        }
        let mut parts = text.splitn(6, ':');
        if parts.next() != Some("arn") {
            return Err(KeyArnError::NotAnArn);
        }
        let partition = parts.next().ok_or(KeyArnError::NotAnArn)?;
        if !PARTITIONS.contains(&partition) {
            return Err(KeyArnError::Partition);
        }
        if parts.next() != Some("kms") {
            return Err(KeyArnError::Service);
        }
        let region = parts.next().filter(|region| is_region(region)).ok_or(KeyArnError::Region)?;
        let account = parts.next().filter(|account| is_account(account)).ok_or(KeyArnError::Account)?;
        let resource = parts.next().ok_or(KeyArnError::Resource)?;
        if resource.starts_with("alias/") {
            return Err(KeyArnError::Alias);
        }
        let id = resource.strip_prefix("key/").ok_or(KeyArnError::Resource)?;
        if !is_key_id(id) {
            return Err(KeyArnError::KeyId);
        }
        let region_at = "arn:".len() + partition.len() + ":kms:".len();
        let account_at = region_at + region.len() + 1;
        let id_at = account_at + account.len() + ":key/".len();
        Ok(Self { text: text.to_owned(), region_at, account_at, id_at })
    }

    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The partition, for example `aws`.
    pub fn partition(&self) -> &str {
        &self.text["arn:".len()..self.region_at - ":kms:".len()]
    }

    /// The region, for example `us-west-1`.
    pub fn region(&self) -> &str {
        &self.text[self.region_at..self.account_at - 1]
    }

    /// The account that owns the key: twelve digits.
    pub fn account(&self) -> &str {
        &self.text[self.account_at..self.id_at - ":key/".len()]
    }

    /// The key id: a UUID, or `mrk-` and 32 hex digits.
    pub fn key_id(&self) -> &str {
        &self.text[self.id_at..]
    }

    /// Whether the key is where the deployment is.
    ///
    /// # Errors
    /// [`KeyProblem::WrongPartition`] or [`KeyProblem::WrongRegion`].
    pub fn check_home(&self, partition: &str, region: &str) -> Result<(), KeyProblem> {
        if self.partition() != partition {
            return Err(KeyProblem::WrongPartition);
        }
        if self.region() != region {
            return Err(KeyProblem::WrongRegion);
        }
        Ok(())
    }
}

impl std::fmt::Display for KeyArn {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl std::str::FromStr for KeyArn {
    type Err = KeyArnError;

    fn from_str(entered: &str) -> Result<Self, KeyArnError> {
        Self::parse(entered)
    }
}

/// Words of lower-case letters and digits joined by single hyphens; at least three, the first of letters, the last of digits.
fn is_region(text: &str) -> bool {
    let words = text.split('-').count();
    words >= 3
        && text
            .split('-')
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
        && text.split('-').next().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()))
        && text.rsplit('-').next().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_key_id(text: &str) -> bool {
    if let Some(hex) = text.strip_prefix("mrk-") {
        return hex.len() == 32 && hex.bytes().all(is_lower_hex);
    }
    text.len() == 36
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 8 | 13 | 18 | 23) { byte == b'-' } else { is_lower_hex(byte) })
}

const fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "8f1d2c3b-4a59-4e6f-8a7b-9c0d1e2f3a4b";
    const ARN: &str = "arn:aws:kms:us-west-1:111122223333:key/8f1d2c3b-4a59-4e6f-8a7b-9c0d1e2f3a4b";

    fn refused(entered: &str) -> KeyArnError {
        match KeyArn::parse(entered) {
            Ok(arn) => panic!("{entered:?} was accepted as {arn:?}"),
            Err(error) => error,
        }
    }

    #[test]
    fn a_key_arn_gives_back_its_parts() {
        let arn = KeyArn::parse(ARN).unwrap();
        assert_eq!(arn.as_str(), ARN);
        assert_eq!(
            (arn.partition(), arn.region(), arn.account(), arn.key_id()),
            ("aws", "us-west-1", "111122223333", ID)
        );
        assert_eq!(arn.to_string(), ARN);
    }

    #[test]
    fn every_partition_is_known_and_gives_back_its_parts() {
        for partition in PARTITIONS {
            let arn = KeyArn::parse(&format!("arn:{partition}:kms:us-iso-east-1:000000000000:key/{ID}")).unwrap();
            assert_eq!(arn.partition(), partition);
            assert_eq!((arn.region(), arn.account(), arn.key_id()), ("us-iso-east-1", "000000000000", ID));
        }
    }

    #[test]
    fn a_multi_region_key_is_a_key() {
        let id = "mrk-1234abcd12ab34cd56ef1234567890ab";
        let arn = KeyArn::parse(&format!("arn:aws:kms:eu-central-1:111122223333:key/{id}")).unwrap();
        assert_eq!(arn.key_id(), id);
        assert_eq!(refused(&format!("arn:aws:kms:eu-central-1:111122223333:key/{id}0")), KeyArnError::KeyId);
        assert_eq!(refused("arn:aws:kms:eu-central-1:111122223333:key/mrk-123"), KeyArnError::KeyId);
    }

    #[test]
    fn white_space_at_the_ends_is_removed() {
        assert_eq!(KeyArn::parse(&format!("  \t{ARN}\r\n ")).unwrap().as_str(), ARN);
    }

    #[test]
    fn nothing_entered_is_said() {
        assert_eq!(refused(""), KeyArnError::Empty);
        assert_eq!(refused(" \t\n"), KeyArnError::Empty);
    }

    #[test]
    fn white_space_inside_is_refused() {
        for white in [" ", "\t", "\n", "\u{a0}", "\u{2003}"] {
            assert_eq!(refused(&ARN.replace("kms:", &format!("kms:{white}"))), KeyArnError::InnerWhitespace);
        }
    }

    #[test]
    fn control_and_foreign_characters_are_refused() {
        for foreign in ["\u{0}", "\u{7f}", "\u{200b}", "\u{feff}", "а", "１", "é"] {
            assert_eq!(refused(&ARN.replace("kms", &format!("kms{foreign}"))), KeyArnError::ForeignCharacter);
        }
    }

    #[test]
    fn aliases_are_refused_as_aliases() {
        assert_eq!(refused("alias/keystead"), KeyArnError::Alias);
        assert_eq!(refused("arn:aws:kms:us-west-1:111122223333:alias/keystead"), KeyArnError::Alias);
    }

    #[test]
    fn bare_ids_are_refused_as_ids() {
        assert_eq!(refused(ID), KeyArnError::BareId);
        assert_eq!(refused("mrk-1234abcd12ab34cd56ef1234567890ab"), KeyArnError::BareId);
    }

    #[test]
    fn the_first_wrong_part_is_named() {
        for (entered, error) in [
            ("key", KeyArnError::NotAnArn),
            ("arn", KeyArnError::NotAnArn),
            ("https://console.aws.amazon.com/kms", KeyArnError::NotAnArn),
            ("ARN:aws:kms:us-west-1:111122223333:key/x", KeyArnError::NotAnArn),
            ("arn:", KeyArnError::Partition),
            ("arn:amazon:kms:us-west-1:111122223333:key/x", KeyArnError::Partition),
            ("arn:AWS:kms:us-west-1:111122223333:key/x", KeyArnError::Partition),
            ("arn:aws-xx:kms:us-west-1:111122223333:key/x", KeyArnError::Partition),
            ("arn:aws", KeyArnError::Service),
            ("arn:aws:s3:::bucket", KeyArnError::Service),
            ("arn:aws:KMS:us-west-1:111122223333:key/x", KeyArnError::Service),
            ("arn:aws:kms", KeyArnError::Region),
            ("arn:aws:kms::111122223333:key/x", KeyArnError::Region),
            ("arn:aws:kms:US-WEST-1:111122223333:key/x", KeyArnError::Region),
            ("arn:aws:kms:us-west:111122223333:key/x", KeyArnError::Region),
            ("arn:aws:kms:us--1:111122223333:key/x", KeyArnError::Region),
            ("arn:aws:kms:us-west-1a:111122223333:key/x", KeyArnError::Region),
            ("arn:aws:kms:us/west-1:111122223333:key/x", KeyArnError::Region),
            ("arn:aws:kms:evil.example-x-1:111122223333:key/x", KeyArnError::Region),
            ("arn:aws:kms:us-west-1", KeyArnError::Account),
            ("arn:aws:kms:us-west-1::key/x", KeyArnError::Account),
            ("arn:aws:kms:us-west-1:11112222333:key/x", KeyArnError::Account),
            ("arn:aws:kms:us-west-1:1111222233334:key/x", KeyArnError::Account),
            ("arn:aws:kms:us-west-1:1111-2222-33:key/x", KeyArnError::Account),
            ("arn:aws:kms:us-west-1:111122223333", KeyArnError::Resource),
            ("arn:aws:kms:us-west-1:111122223333:", KeyArnError::Resource),
            ("arn:aws:kms:us-west-1:111122223333:key", KeyArnError::Resource),
            ("arn:aws:kms:us-west-1:111122223333:8f1d2c3b-4a59-4e6f-8a7b-9c0d1e2f3a4b", KeyArnError::Resource),
            ("arn:aws:kms:us-west-1:111122223333:Key/x", KeyArnError::Resource),
            ("arn:aws:kms:us-west-1:111122223333:key/", KeyArnError::KeyId),
            ("arn:aws:kms:us-west-1:111122223333:key/8f1d2c3b", KeyArnError::KeyId),
            ("arn:aws:kms:us-west-1:111122223333:key/8F1D2C3B-4A59-4E6F-8A7B-9C0D1E2F3A4B", KeyArnError::KeyId),
            ("arn:aws:kms:us-west-1:111122223333:key/8f1d2c3b4a594e6f8a7b9c0d1e2f3a4b", KeyArnError::KeyId),
            ("arn:aws:kms:us-west-1:111122223333:key/*", KeyArnError::KeyId),
        ] {
            assert_eq!(refused(entered), error, "{entered}");
        }
        assert_eq!(refused(&format!("{ARN}:more")), KeyArnError::KeyId);
        assert_eq!(refused(&format!("{ARN}/more")), KeyArnError::KeyId);
    }

    #[test]
    fn a_region_nobody_has_heard_of_is_left_to_the_comparison_with_home() {
        let arn = KeyArn::parse(&format!("arn:aws:kms:xx-nowhere-42:111122223333:key/{ID}")).unwrap();
        assert_eq!(arn.check_home("aws", "us-west-1"), Err(KeyProblem::WrongRegion));
        assert_eq!(arn.check_home("aws", "xx-nowhere-42"), Ok(()));
        assert_eq!(arn.check_home("aws-cn", "xx-nowhere-42"), Err(KeyProblem::WrongPartition));
    }

    #[test]
    fn every_message_is_its_own() {
        use KeyArnError::*;
        let all = [
            Empty,
            InnerWhitespace,
            ForeignCharacter,
            BareId,
            Alias,
            NotAnArn,
            Partition,
            Service,
            Region,
            Account,
            Resource,
            KeyId,
        ];
        for (at, error) in all.iter().enumerate() {
            assert!(all[..at].iter().all(|other| other.message() != error.message()), "{error:?}");
        }
    }
}
