//! What the preflight found about a key.

use crate::model::preflight::{KeyProblem, KeyWarning, PreflightStep};

impl PreflightStep {
    /// What the step does.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Arn => "The ARN names a key that this deployment may use",
            Self::Describe => "The key can be seen and is fit for this",
            Self::Wrap => "This deployment can encrypt with the key",
            Self::Unwrap => "This deployment can decrypt with the key",
            Self::OtherDeployment => "The key policy is no broader than needed",
        }
    }

    /// What is asked of AWS, if anything is.
    pub const fn action(self) -> Option<&'static str> {
        match self {
            Self::Arn => None,
            Self::Describe => Some("kms:DescribeKey"),
            Self::Wrap | Self::OtherDeployment => Some("kms:Encrypt"),
            Self::Unwrap => Some("kms:Decrypt"),
        }
    }
}

impl KeyProblem {
    /// What is wrong with the key. How to mend it is in `remedy`.
    pub const fn message(self) -> &'static str {
        match self {
            Self::WrongPartition => "The key is in another AWS partition than this deployment.",
            Self::WrongRegion => "The key is in another AWS region than this deployment.",
            Self::AccountNotAllowed => "Your operator does not allow keys of this AWS account here.",
            Self::ProviderKey => "This is the provider key itself. With it, you could not take access away.",
            Self::NotFound => {
                "AWS does not know this key. It was deleted, or the account, region or key id in the ARN is another."
            }
            Self::DescribeDenied => {
                "AWS does not let this deployment see the key. Either it does not exist, or kms:DescribeKey is not allowed."
            }
            Self::EncryptDenied => "The key was found, but this deployment may not encrypt with it.",
            Self::DecryptDenied => "The key was found, but this deployment may not decrypt with it.",
            Self::Disabled => "The key is disabled in AWS.",
            Self::PendingDeletion => "The key is scheduled for deletion in AWS.",
            Self::PendingImport => "The key has no key material yet.",
            Self::NotReady => "The key is not ready in AWS yet.",
            Self::WrongType => {
                "The key is of the wrong type. It must be symmetric, for encryption and decryption (SYMMETRIC_DEFAULT)."
            }
            Self::AwsManaged => "The key is managed by AWS, so you could not disable it.",
            Self::UnexpectedAnswer => "AWS gave an answer that cannot be right for this key.",
            Self::Throttled => "AWS is receiving too many requests.",
            Self::Unreachable => "AWS KMS did not answer.",
            Self::OwnCredentials => {
                "AWS did not accept this deployment's own credentials: they are missing, wrong or expired. Your key is not the cause."
            }
        }
    }
}

impl KeyWarning {
    /// What is worth knowing. It does not stop the activation.
    pub const fn message(self) -> &'static str {
        match self {
            Self::BroadPolicy => "The key policy also lets this deployment use the key for other deployments.",
            Self::ImportedMaterial => {
                "The key material is imported and can expire. When it does, the data is locked until you import it again."
            }
            Self::CustomKeyStore => {
                "The key lives in a custom key store. When that store cannot be reached, the data is locked."
            }
        }
    }
}
