//! What is about to happen to the key, said before it does.

use crate::model::lock::KeyNotice;

impl KeyNotice {
    /// What is about to happen.
    pub const fn title(self) -> &'static str {
        match self {
            Self::PendingDeletion { .. } => "Your key is scheduled for deletion in AWS",
            Self::MaterialExpires { .. } => "The imported material of your key is about to expire",
        }
    }

    /// When; Unix milliseconds.
    pub const fn at(self) -> i64 {
        match self {
            Self::PendingDeletion { at } | Self::MaterialExpires { at } => at,
        }
    }

    /// Stands before the date.
    pub const fn event(self) -> &'static str {
        match self {
            Self::PendingDeletion { .. } => "AWS deletes the key on",
            Self::MaterialExpires { .. } => "It expires on",
        }
    }

    /// What that means for the data.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::PendingDeletion { .. } => "After that, nothing that is stored here can ever be read again.",
            Self::MaterialExpires { .. } => "From then on all data here is locked.",
        }
    }

    /// How to prevent it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::PendingDeletion { .. } => {
                "To keep your data, cancel the deletion in the AWS console and enable the key."
            }
            Self::MaterialExpires { .. } => {
                "To keep your data open, import the same key material again in the AWS console before that, with a later date or with none."
            }
        }
    }
}
