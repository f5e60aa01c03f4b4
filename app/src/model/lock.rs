//! Why data is locked, as people see it.

use serde::{Deserialize, Serialize};

/// What keeps the root key from being used. Each has its own badge, text and remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockCause {
    /// The customer managed key is disabled in AWS.
    Disabled,
    /// The customer managed key is scheduled for deletion, or otherwise in a state that does not allow its use.
    InvalidState,
    /// The customer's key policy no longer lets this deployment use the key.
    AccessDenied,
    /// AWS no longer knows the customer managed key.
    NotFound,
    /// AWS refuses the provider key, whatever the reason.
    ProviderRefused,
    /// AWS could not be reached for longer than the lease.
    Unreachable,
    /// AWS did not accept this deployment's own credentials for longer than the lease.
    OwnCredentials,
    /// The wrapped data key in the database does not open to what it should.
    Damaged,
    /// The server has just started and no key check has been answered yet.
    Starting,
}

impl LockCause {
    /// The badge on Data Encryption.
    pub const fn badge(self) -> &'static str {
        match self {
            Self::Disabled | Self::InvalidState | Self::AccessDenied | Self::NotFound => "Locked by your key",
            Self::ProviderRefused => "Locked: provider key refused",
            Self::Unreachable | Self::OwnCredentials | Self::Starting => "Locked: AWS cannot be reached",
            Self::Damaged => "Locked: damaged key",
        }
    }
}

/// The locked face: who or what locked the data, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockFace {
    pub cause: LockCause,
    /// When access ended on this server; Unix milliseconds.
    pub since: i64,
    /// When AWS first refused; Unix milliseconds. `None` if AWS did not refuse.
    pub refused_at: Option<i64>,
    /// AWS's own word for it, for example `DisabledException`.
    pub code: Option<String>,
    /// The AWS request id of the deciding answer.
    pub request_id: Option<String>,
}
