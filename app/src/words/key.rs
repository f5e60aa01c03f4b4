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
    /// What is wrong with the key, and what to do.
    pub const fn message(self) -> &'static str {
        match self {
            Self::WrongPartition => {
                "The key is in another AWS partition than this deployment. Use a key in the deployment's own partition and region."
            }
            Self::WrongRegion => {
                "The key is in another AWS region than this deployment. Create a key in the deployment's own region and enter its ARN."
            }
            Self::AccountNotAllowed => {
                "Keys of this AWS account are not allowed here. Use a key of another account, or ask your operator to allow this one."
            }
            Self::ProviderKey => "This is the provider key itself. Use a key of your own AWS account.",
            Self::NotFound => {
                "AWS does not know this key. Check the ARN: account, region and key id must be those of an existing key."
            }
            Self::DescribeDenied => {
                "AWS does not let this deployment see the key. Either it does not exist, or its key policy does not allow kms:DescribeKey. Add the statements below to the key policy."
            }
            Self::EncryptDenied => {
                "The key was found, but this deployment may not encrypt with it. Allow kms:Encrypt in the key policy, as in the statements below."
            }
            Self::DecryptDenied => {
                "The key was found, but this deployment may not decrypt with it. Allow kms:Decrypt in the key policy, as in the statements below."
            }
            Self::Disabled => "The key is disabled in AWS. Enable it in the AWS console, then try again.",
            Self::PendingDeletion => {
                "The key is scheduled for deletion in AWS. Cancel the deletion and enable the key, or use another one."
            }
            Self::PendingImport => "The key has no key material yet. Import it in AWS, then try again.",
            Self::NotReady => "The key is not ready in AWS yet. Wait a minute, then try again.",
            Self::WrongType => {
                "The key is of the wrong type. It must be a symmetric key for encryption and decryption (SYMMETRIC_DEFAULT)."
            }
            Self::AwsManaged => {
                "The key is managed by AWS, so you could not disable it. Use a customer managed key of your own account."
            }
            Self::UnexpectedAnswer => {
                "AWS gave an answer that cannot be right for this key. Nothing was changed. Try again; if it happens again, tell your operator."
            }
            Self::Throttled => "AWS is receiving too many requests for this account. Wait a minute, then try again.",
            Self::Unreachable => "AWS KMS did not answer. Wait a moment, then try again.",
            Self::OwnCredentials => {
                "AWS did not accept this deployment's own credentials. Your key is not the cause. Tell your operator."
            }
        }
    }
}

impl KeyWarning {
    /// What is worth knowing. It does not stop the activation.
    pub const fn message(self) -> &'static str {
        match self {
            Self::BroadPolicy => {
                "The key policy also lets this deployment use the key for other deployments. Add the condition on kms:EncryptionContext:deployment to close that."
            }
            Self::ImportedMaterial => {
                "The key material is imported and can expire. When it does, the data is locked until you import it again."
            }
            Self::CustomKeyStore => {
                "The key lives in a custom key store. When that store cannot be reached, the data is locked."
            }
        }
    }
}
