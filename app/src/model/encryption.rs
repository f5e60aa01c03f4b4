//! Whose key protects the data: what the Data Encryption page shows.

use super::{
    impact::{PlainLine, Speed},
    job::{JobSummary, JobView},
    key_test::KeyTest,
    lock::{KeyNotice, LockFace, LockHistory},
};
use serde::{Deserialize, Serialize};

/// Whose key is the root key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RootKind {
    /// The operator's key, from configuration.
    Provider,
    /// The organization's own key.
    Customer,
}

/// The root key in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootKey {
    pub kind: RootKind,
    pub arn: String,
    /// The AWS account that owns the key: twelve digits.
    pub account: String,
    /// Since when it is in force; Unix milliseconds.
    pub since: i64,
    /// Who put it in force; `None` for the provider key of the first start.
    pub by: Option<String>,
    /// Grows with every change of root key or data keys.
    pub generation: i64,
}

/// How one key check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    Passed,
    /// Passed, but took longer than 500 ms.
    Slow,
    /// No answer, or one that does not count.
    Unanswered,
    Refused,
}

/// How much data there is, whatever key it is under.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Rows with sealed columns.
    pub records: u64,
    pub files: u64,
    /// Bytes of file content before encryption.
    pub bytes: u64,
}

/// One line of "What is encrypted".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoverageLine {
    /// For example "Notes".
    pub data: String,
    /// For example "Database".
    pub stored_in: String,
    pub items: u64,
    /// How many of them are under data keys that only the root key in force has ever wrapped.
    pub current: u64,
}

/// The servers of the deployment that are alive, and how they stand to the root key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Servers {
    pub live: u64,
    /// How many of them have ended access.
    pub locked: u64,
}

/// A workspace that is locked alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedWorkspace {
    pub id: String,
    /// Whether the person who asked is a member of it.
    pub is_member: bool,
    pub lock: LockFace,
}

/// Everything the Data Encryption page shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataEncryption {
    pub root: RootKey,
    pub lock: Option<LockFace>,
    /// What administrators should know about the key before it bites.
    pub notice: Option<KeyNotice>,
    pub servers: Servers,
    /// Workspaces whose data keys AWS refuses while the rest works, on this server. Administrators see all of them, by id;
    /// others see their own.
    pub locked_workspaces: Vec<LockedWorkspace>,
    /// Locks and what ended them, newest first, at most 20.
    pub history: Vec<LockHistory>,
    /// Milliseconds since the last successful key check of this server; `None` before the first.
    pub verified_ms_ago: Option<u64>,
    /// The last key checks of this server, oldest first, at most 60.
    pub checks: Vec<CheckResult>,
    /// The provider key that data returns to when the customer managed key is deleted.
    pub provider_arn: String,
    /// Data keys: one for the organization, one for each workspace, and those being retired.
    pub data_keys: u64,
    pub workspaces: u64,
    pub amount: Amount,
    pub coverage: Vec<CoverageLine>,
    pub not_sealed: Vec<PlainLine>,
    /// When all that was counted; Unix milliseconds.
    pub counted_at: i64,
    pub speed: Speed,
    /// The unfinished job, or else the last one.
    pub job: Option<JobView>,
    /// Jobs that have ended, newest first, at most 20, without `job`.
    pub past_jobs: Vec<JobSummary>,
    /// The test of a key that was asked for by its id, for administrators.
    pub test: Option<KeyTest>,
    /// How long access lasts when AWS cannot be reached, in seconds.
    pub outage_grace_seconds: u64,
    /// The AWS principal to name in the key policy; `None` if it is neither configured nor could be asked for.
    pub principal_arn: Option<String>,
    /// Whether that ARN was made from the one of a role's session, which lacks the path of the role.
    pub principal_is_of_session: bool,
    /// Whether the person who asked may change the key.
    pub may_change: bool,
    /// Whether the person who asked has a moment ago shown who they are because a form asked for it: then the form may hold what
    /// they had typed before that.
    pub has_just_confirmed: bool,
}
