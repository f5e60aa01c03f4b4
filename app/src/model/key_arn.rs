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
    /// Quotation marks, brackets or a comma stand around it, copied along from where it was written.
    Surrounded,
    /// White space between the first and the last character.
    InnerWhitespace,
    /// A control character, or one without a width: nobody can see what is wrong.
    Invisible,
    /// A character outside of ASCII; some look like plain ones.
    ForeignCharacter,
    /// The address of a page, such as the key's in the AWS console.
    WebAddress,
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
    /// Something more follows the key id.
    Extra,
}

impl KeyArnError {
    /// Which part is wrong, and what is expected there.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Empty => "Enter the ARN of a KMS key. It begins with arn:aws:kms: and the region.",
            Self::Surrounded => {
                "There is something around the ARN, such as quotation marks or a comma. Enter only the ARN: it begins with arn: and ends with the key id."
            }
            Self::InnerWhitespace => {
                "There is white space inside the ARN. An ARN has none: copy it again, in one piece, from the AWS console."
            }
            Self::Invisible => {
                "The ARN contains a character that cannot be seen. Type the ARN, or copy it again from the AWS console."
            }
            Self::ForeignCharacter => {
                "The ARN contains a character that no ARN has; it may look like a plain one. Only plain letters, digits, hyphens, colons and one slash are expected."
            }
            Self::WebAddress => {
                "This is the address of a page. Enter the ARN of the key instead: the AWS console shows it on that page."
            }
            Self::BareId => {
                "This is only a key id. Enter the whole ARN: arn, the partition, kms, the region, the account, then key/ and the id, with colons between."
            }
            Self::Alias => {
                "This is an alias. An alias can be pointed at another key, so enter the ARN of the key itself: its last part begins with key/."
            }
            Self::NotAnArn => {
                "The first part is wrong: an ARN begins with arn: in lower case and has six parts separated by colons."
            }
            Self::Partition => {
                "The partition, the second part, is wrong. Expected is aws, or another partition of AWS such as aws-us-gov or aws-cn, in lower case."
            }
            Self::Service => {
                "The service, the third part, is wrong. Expected is kms in lower case, because this must be a KMS key."
            }
            Self::Region => {
                "The region, the fourth part, is wrong. Expected is the name of an AWS region in lower case, such as us-west-1."
            }
            Self::Account => "The account, the fifth part, is wrong. Expected are exactly 12 digits, without hyphens.",
            Self::Resource => "The last part is wrong. Expected is key, a slash and the key id.",
            Self::KeyId => {
                "The key id, after key/, is wrong. Expected is a lower-case id such as 1234abcd-12ab-34cd-56ef-1234567890ab, or mrk- and 32 characters."
            }
            Self::Extra => "There is something after the key id. An ARN ends with the id: remove what follows it.",
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
        if text.starts_with(surrounds) || text.ends_with(surrounds) {
            return Err(KeyArnError::Surrounded);
        }
        if text.contains(char::is_whitespace) {
            return Err(KeyArnError::InnerWhitespace);
        }
        if text.contains(is_invisible) {
            return Err(KeyArnError::Invisible);
        }
        if !text.is_ascii() {
            return Err(KeyArnError::ForeignCharacter);
        }
        if text.starts_with("https:") || text.starts_with("http:") {
            return Err(KeyArnError::WebAddress);
        }
        if is_key_id(&text.strip_prefix("key/").unwrap_or(text).to_ascii_lowercase()) {
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
            let is_longer = id.split([':', '/']).next().is_some_and(is_key_id);
            return Err(if is_longer { KeyArnError::Extra } else { KeyArnError::KeyId });
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

/// What is copied along around an ARN, and never stands at an end of one.
fn surrounds(character: char) -> bool {
    "\"'`<>()[]{},;.«»‘’‚‛“”„‟".contains(character)
}

/// Control characters, and those of no width.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}'
        )
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

// What is accepted, and which message each mistake gets, is in `app/tests/key_arns.txt`.
#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "8f1d2c3b-4a59-4e6f-8a7b-9c0d1e2f3a4b";
    const ARN: &str = "arn:aws:kms:us-west-1:111122223333:key/8f1d2c3b-4a59-4e6f-8a7b-9c0d1e2f3a4b";

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
    }

    #[test]
    fn a_region_nobody_has_heard_of_is_left_to_the_comparison_with_home() {
        let arn = KeyArn::parse(&format!("arn:aws:kms:xx-nowhere-42:111122223333:key/{ID}")).unwrap();
        assert_eq!(arn.check_home("aws", "us-west-1"), Err(KeyProblem::WrongRegion));
        assert_eq!(arn.check_home("aws", "xx-nowhere-42"), Ok(()));
        assert_eq!(arn.check_home("aws-cn", "xx-nowhere-42"), Err(KeyProblem::WrongPartition));
    }
}
