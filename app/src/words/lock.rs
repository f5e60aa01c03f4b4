//! Who or what has locked the data, and how access returns.

use crate::model::lock::LockCause;

impl LockCause {
    /// The heading of a locked page: who locked what.
    pub const fn headline(self) -> &'static str {
        match self {
            Self::Disabled
            | Self::PendingDeletion
            | Self::PendingImport
            | Self::InvalidState
            | Self::AccessDenied
            | Self::NotFound => "Your organization has locked this data",
            Self::ProviderRefused => "This data is locked: AWS refuses the provider key",
            Self::Unreachable => "This data is locked: AWS cannot be reached",
            Self::OwnCredentials => "This data is locked: AWS does not accept this deployment",
            Self::Damaged => "This data is locked: its data key is damaged",
            Self::Starting => "This data is not open yet",
        }
    }

    /// Why nothing can be decrypted, for somebody who wanted to read data.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Disabled => {
                "The customer managed key is disabled in AWS, so Keystead can no longer decrypt anything stored here."
            }
            Self::PendingDeletion => {
                "The customer managed key is scheduled for deletion in AWS, so Keystead can no longer decrypt anything stored here."
            }
            Self::PendingImport => {
                "The customer managed key has no key material in AWS any more, so Keystead can no longer decrypt anything stored here."
            }
            Self::InvalidState => {
                "The customer managed key is in a state in AWS that does not allow its use, so Keystead can no longer decrypt anything stored here."
            }
            Self::AccessDenied => {
                "The customer managed key's policy no longer lets this deployment use it, so Keystead can no longer decrypt what is stored here."
            }
            Self::NotFound => {
                "AWS no longer knows the customer managed key, so Keystead can no longer decrypt anything stored here."
            }
            Self::ProviderRefused => "AWS refuses the provider key, so Keystead cannot decrypt anything stored here.",
            Self::Unreachable => {
                "AWS could not be reached for too long, so Keystead cannot know whether it may still use the key. It has stopped using it."
            }
            Self::OwnCredentials => {
                "AWS did not accept this deployment's own credentials for too long, so Keystead has stopped using the key."
            }
            Self::Damaged => "The stored data key does not open to what it should, so Keystead does not use it.",
            Self::Starting => "The server has just started and is waiting for the first answer from AWS.",
        }
    }

    /// How access returns.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Disabled => {
                "To restore access, enable the key in the AWS console. Everything comes back within 10 seconds after AWS accepts the key again."
            }
            Self::PendingDeletion => {
                "To restore access, cancel the key's deletion in the AWS console and enable the key. Everything comes back within 10 seconds after AWS accepts the key again."
            }
            Self::PendingImport => {
                "To restore access, import the same key material again in the AWS console. Everything comes back within 10 seconds after AWS accepts the key again."
            }
            Self::InvalidState => {
                "To restore access, repair what the key's state in the AWS console names, and enable it. Everything comes back within 10 seconds after AWS accepts the key again."
            }
            Self::AccessDenied => {
                "To restore access, allow kms:Encrypt, kms:Decrypt and kms:DescribeKey for this deployment in the key policy again. Everything comes back within 10 seconds after AWS accepts the key again."
            }
            Self::NotFound => {
                "Check in the AWS console that the key still exists. A key that AWS has deleted cannot be brought back, and nor can data encrypted under it."
            }
            Self::ProviderRefused => {
                "Your operator must make the provider key usable again. Then everything comes back by itself."
            }
            Self::Unreachable => "Everything comes back by itself as soon as AWS answers again.",
            Self::OwnCredentials => {
                "Your operator must renew this deployment's AWS credentials. Your key is not the cause. Then everything comes back by itself."
            }
            Self::Damaged => "Your operator must restore the data key from a backup of the database.",
            Self::Starting => "This takes a few seconds. The page opens by itself.",
        }
    }

    /// The word on the broken link between the key and the data keys.
    pub const fn link_word(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::PendingDeletion => "pending deletion",
            Self::PendingImport => "no material",
            Self::InvalidState => "not usable",
            Self::AccessDenied => "denied",
            Self::NotFound => "not found",
            Self::ProviderRefused => "refused",
            Self::Unreachable | Self::OwnCredentials => "no answer",
            Self::Damaged => "damaged",
            Self::Starting => "starting",
        }
    }

    /// The heading of the notice on Data Encryption.
    pub const fn notice(self) -> &'static str {
        match self {
            Self::Disabled => "Your key is disabled in AWS",
            Self::PendingDeletion => "Your key is scheduled for deletion in AWS",
            Self::PendingImport => "Your key has no key material in AWS any more",
            Self::InvalidState => "Your key is in a state in AWS that does not allow its use",
            Self::AccessDenied => "Your key's policy no longer lets this deployment use it",
            Self::NotFound => "AWS no longer knows your key",
            Self::ProviderRefused => "AWS refuses the provider key",
            Self::Unreachable => "AWS cannot be reached",
            Self::OwnCredentials => "AWS does not accept this deployment's own credentials",
            Self::Damaged => "The stored data key is damaged",
            Self::Starting => "Waiting for the first answer from AWS",
        }
    }

    /// Whether nothing has been lost for certain.
    pub const fn keeps_everything(self) -> bool {
        !matches!(self, Self::NotFound | Self::Damaged)
    }
}
