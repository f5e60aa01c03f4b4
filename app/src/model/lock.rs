//! Why data is locked, as people see it.

use serde::{Deserialize, Serialize};

/// What keeps the root key from being used. Each has its own badge, text and remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockCause {
    /// The customer managed key is disabled in AWS.
    Disabled,
    /// The customer managed key is scheduled for deletion in AWS.
    PendingDeletion,
    /// The customer managed key's imported material is gone: expired or deleted.
    PendingImport,
    /// The customer managed key is in another state that does not allow its use.
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
            Self::Disabled
            | Self::PendingDeletion
            | Self::PendingImport
            | Self::InvalidState
            | Self::AccessDenied
            | Self::NotFound => "Locked by your key",
            Self::ProviderRefused => "Locked: provider key refused",
            Self::Unreachable | Self::OwnCredentials | Self::Starting => "Locked: AWS cannot be reached",
            Self::Damaged => "Locked: damaged key",
        }
    }
}

/// How much is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockedPart {
    /// All data of the deployment.
    Everything,
    /// What is inside one workspace; its name, and all other workspaces, are open.
    Workspace,
}

/// The locked face: who or what locked the data, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockFace {
    pub part: LockedPart,
    pub cause: LockCause,
    /// When access ended on this server; Unix milliseconds.
    pub since: i64,
    /// When AWS first refused; Unix milliseconds. `None` if AWS did not refuse.
    pub refused_at: Option<i64>,
    /// AWS's own word for it, for example `DisabledException`.
    pub code: Option<String>,
    /// The AWS request id of the deciding answer.
    pub request_id: Option<String>,
    /// When AWS will delete the key for good; Unix milliseconds. Only for a key that is scheduled for deletion.
    pub deletion_at: Option<i64>,
}

/// Something about the root key that administrators should know before it bites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyNotice {
    /// AWS will delete the key at this time (Unix milliseconds). Nothing under it can ever be read afterwards.
    PendingDeletion { at: i64 },
    /// The key's imported material expires at this time (Unix milliseconds). The data is locked from then on.
    MaterialExpires { at: i64 },
}

/// A lock in the history: one event, which each server felt for itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockIncident {
    pub cause: LockCause,
    /// The workspace that was locked alone; `None` when everything was.
    pub workspace: Option<String>,
    /// The key that was refused or did not answer.
    pub root_key_arn: String,
    pub code: Option<String>,
    pub request_id: Option<String>,
    /// Each server that felt it, in the order in which they locked.
    pub servers: Vec<ServerLock>,
}

/// How one server felt a lock. All times are Unix milliseconds by that server's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerLock {
    /// The server's name.
    pub server: String,
    /// When AWS's first refusal arrived; `None` if AWS did not refuse.
    pub refused_at: Option<i64>,
    /// When the refusal was confirmed, or the lease ran out: no data was opened from then on.
    pub confirmed_at: i64,
    /// When the last byte of opened data was given to the kernel; `None` while transfers are still being cut.
    pub ended_at: Option<i64>,
    /// When data could be opened again; `None` while it is locked.
    pub restored_at: Option<i64>,
    /// When the server stopped before that.
    pub gone_at: Option<i64>,
}

/// A line of the history, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockHistory {
    Lock(LockIncident),
    /// The operator destroyed all data that was locked under a key that is gone.
    Reset(Reset),
}

/// The account of data that was destroyed because its key is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reset {
    /// Unix milliseconds.
    pub at: i64,
    /// The key that was gone.
    pub root_key_arn: String,
    pub workspaces: u64,
    pub notes: u64,
    pub files: u64,
    /// Bytes of file content before encryption.
    pub bytes: u64,
}
