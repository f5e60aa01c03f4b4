//! What the service says about a key, in words of our own.
//!
//! What must stay true: a value we do not know stays visible as `Unknown`, so that the preflight can refuse it.

use aws_sdk_kms::{primitives::DateTime, types::KeyMetadata};

/// A key, as the service describes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyDescription {
    /// Its ARN; empty if the service gave none.
    pub arn: String,
    /// Whether it can be used now.
    pub state: KeyState,
    /// What kind of key it is.
    pub spec: KeySpec,
    /// What it is for.
    pub usage: KeyUsage,
    /// Whose it is.
    pub manager: KeyManager,
    /// Where its material comes from.
    pub origin: KeyOrigin,
    /// When it will be deleted, in milliseconds since 1970.
    pub deletion_date: Option<i64>,
    /// When its imported material expires, in milliseconds since 1970.
    pub valid_to: Option<i64>,
    /// The service's id of the request.
    pub request_id: Option<String>,
}

/// An enumeration of the service: each value under the name it has there, and `Unknown` for all others.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, Debug)]
        pub enum $name {
            $($(#[$value_doc])* $value,)*
            /// A value we do not know; empty if the service gave none.
            Unknown(String),
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$value,)*
                    other => Self::Unknown(other.to_owned()),
                }
            }
        }

        impl $name {
            /// The service's own word for it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$value => $word,)*
                    Self::Unknown(word) => word,
                }
            }
        }
    };
}

words! {
    /// Whether a key can be used.
    KeyState {
        /// It can.
        Enabled = "Enabled",
        /// Its owner switched it off.
        Disabled = "Disabled",
        /// It will be deleted.
        PendingDeletion = "PendingDeletion",
        /// It has no material yet, or not any more.
        PendingImport = "PendingImport",
        /// It will be deleted once its replicas are.
        PendingReplicaDeletion = "PendingReplicaDeletion",
        /// Its key store cannot be reached.
        Unavailable = "Unavailable",
        /// It is being made.
        Creating = "Creating",
        /// It is being changed.
        Updating = "Updating",
    }
}

words! {
    /// What kind of key it is.
    KeySpec {
        /// The symmetric kind, which alone will do.
        SymmetricDefault = "SYMMETRIC_DEFAULT",
    }
}

words! {
    /// What a key is for.
    KeyUsage {
        /// Encryption, which alone will do.
        EncryptDecrypt = "ENCRYPT_DECRYPT",
    }
}

words! {
    /// Whose a key is.
    KeyManager {
        /// The customer's, who can disable it.
        Customer = "CUSTOMER",
        /// AWS's own.
        Aws = "AWS",
    }
}

words! {
    /// Where the material of a key comes from.
    KeyOrigin {
        /// KMS made it.
        AwsKms = "AWS_KMS",
        /// It was imported, and may expire.
        External = "EXTERNAL",
        /// A `CloudHSM` cluster holds it.
        AwsCloudHsm = "AWS_CLOUDHSM",
        /// A store outside AWS holds it.
        ExternalKeyStore = "EXTERNAL_KEY_STORE",
    }
}

impl KeyDescription {
    pub(super) fn from_metadata(key: KeyMetadata, request_id: Option<String>) -> Self {
        let millis = |date: Option<DateTime>| date.and_then(|date| date.to_millis().ok());
        Self {
            arn: key.arn.unwrap_or_default(),
            state: key.key_state.as_ref().map_or("", |value| value.as_str()).into(),
            spec: key.key_spec.as_ref().map_or("", |value| value.as_str()).into(),
            usage: key.key_usage.as_ref().map_or("", |value| value.as_str()).into(),
            manager: key.key_manager.as_ref().map_or("", |value| value.as_str()).into(),
            origin: key.origin.as_ref().map_or("", |value| value.as_str()).into(),
            deletion_date: millis(key.deletion_date),
            valid_to: millis(key.valid_to),
            request_id,
        }
    }
}
