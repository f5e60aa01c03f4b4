//! The job that changes the root key and re-encrypts everything, as people see it.

use serde::{Deserialize, Serialize};

/// Which way the root key changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// From the provider key to the customer managed key.
    Activate,
    /// From the customer managed key back to the provider key.
    Delete,
    /// The root key stays; what an earlier job has set aside is tried again.
    Retry,
}

/// Where a job stands. The card on Data Encryption shows [`JobState::label`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    Running,
    Paused,
    Complete,
    Failed,
}

impl JobState {
    /// The word people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Paused => "Paused",
            Self::Complete => "Complete",
            Self::Failed => "Failed",
        }
    }

    /// Whether there is still something to do.
    pub const fn is_unfinished(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }
}

/// What a job is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobStage {
    /// Wrapping every data key with the new root key, then the swap.
    Control,
    /// Rewriting records and objects under fresh data keys.
    Reencrypt,
    /// Destroying the old data keys.
    Finish,
    /// Nothing left to do.
    Done,
}

/// Why a job waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// The root key cannot be used now.
    Locked,
    /// AWS refuses the data key of at least one workspace; the rest is done.
    ScopeRefused,
    /// KMS did not answer.
    KmsUnreachable,
    /// The database did not answer.
    Database,
    /// The database has no room left.
    DatabaseFull,
    /// The object store did not answer.
    ObjectStore,
    /// The object store has no room left.
    ObjectStoreFull,
    /// Uploads that began under an old data key are still running.
    WaitingForUploads,
    /// A backup is being made, until whose end no old objects may be removed.
    Backup,
    /// An administrator has paused it, and it waits for one to resume it.
    Administrator,
}

/// Why a job failed. The old state is intact whenever a job fails, unless the data itself was destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobFailure {
    /// The old root key refused a data key.
    OldRootRefused,
    /// The new root key refused to wrap or unwrap a data key.
    NewRootRefused,
    /// A data key did not open to what it should.
    DamagedDataKey,
    /// KMS gave no answer for too long.
    Unreachable,
    /// Delete Key was pressed before the new root key had taken control.
    Cancelled,
    /// The operator destroyed all data, because its key was gone for ever.
    DataDestroyed,
}

/// A job as the card shows it. Times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobView {
    pub id: String,
    pub kind: JobKind,
    pub state: JobState,
    pub stage: JobStage,
    /// Why it is paused, while it is.
    pub waiting: Option<PauseReason>,
    /// Why it failed, if it did.
    pub failure: Option<JobFailure>,
    /// AWS's own word for what went wrong, if AWS said so, for example `AccessDeniedException`.
    pub code: Option<String>,
    /// The id of the workspace whose data key was refused or damaged, if one was.
    pub scope: Option<String>,
    pub from_arn: String,
    pub to_arn: String,
    pub requested_by: String,
    pub created_at: i64,
    /// When the new root key took control.
    pub control_at: Option<i64>,
    pub finished_at: Option<i64>,
    pub keys_total: u64,
    pub keys_done: u64,
    /// The administrator who has paused it, while they have.
    pub paused_by: Option<String>,
    /// How much of each kind of data there is to rewrite, and how much of it is done.
    pub items: Vec<JobItems>,
    /// How far it was at some moments, the oldest first, at most 120.
    pub marks: Vec<JobMark>,
    /// Rows with sealed columns, of all kinds.
    pub records_total: u64,
    pub records_done: u64,
    pub files_total: u64,
    pub files_done: u64,
    /// Bytes of file content before encryption.
    pub bytes_total: u64,
    pub bytes_done: u64,
    /// Items that would not open, grouped by reason.
    pub set_aside: Vec<SetAside>,
    /// Whether what this job or an earlier one has set aside can be tried again now.
    pub may_retry: bool,
}

/// One kind of data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobItems {
    /// For example "Notes".
    pub kind: String,
    pub total: u64,
    pub done: u64,
    /// Bytes before encryption. Of records they are known only once those are done, so their total is 0.
    pub bytes_total: u64,
    pub bytes_done: u64,
    pub set_aside: u64,
}

/// How far a job was at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobMark {
    /// Unix milliseconds.
    pub at: i64,
    /// Records and files.
    pub items: u64,
    /// Bytes of records and files before encryption.
    pub bytes: u64,
}

/// A job that has ended, as a line of a list. Times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSummary {
    pub id: String,
    pub kind: JobKind,
    pub state: JobState,
    pub failure: Option<JobFailure>,
    pub requested_by: String,
    pub created_at: i64,
    pub finished_at: i64,
    pub records: u64,
    pub files: u64,
    /// Bytes of records and files before encryption.
    pub bytes: u64,
    pub set_aside: u64,
}

/// Items that would not open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    pub reason: SetAsideReason,
    pub items: u64,
    /// Some of them, at most 20.
    pub listed: Vec<SetAsideItem>,
}

/// One item that would not open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAsideItem {
    /// For example "Notes".
    pub kind: String,
    /// The id of the item.
    pub id: String,
    /// The id of the workspace it is in or is.
    pub workspace: Option<String>,
}

/// Why an item would not open: the four errors of the format, and a missing object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetAsideReason {
    Malformed,
    UnknownKey,
    DoesNotBelongHere,
    Tampered,
    Missing,
}
