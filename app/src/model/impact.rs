//! What a change of key would cost, and what it would not touch: known before anybody presses a button.

use serde::{Deserialize, Serialize};

/// How fast a change of key goes here; per second, at least 1 each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Speed {
    pub records: u64,
    pub files: u64,
    pub bytes: u64,
    /// The change of key that it was measured in; `None` if it is assumed.
    pub measured: Option<Measured>,
}

/// A change of key that took long enough to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// Unix milliseconds.
    pub ended_at: i64,
    pub records: u64,
    pub files: u64,
    /// Of file content, before encryption.
    pub bytes: u64,
    /// How long it was worked on, without pauses.
    pub seconds: u64,
}

/// One kind of data that is stored and not encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlainLine {
    /// For example "Sessions".
    pub data: String,
    /// How many rows there are of it; `None` if it stands in the rows of what is encrypted.
    pub rows: Option<u64>,
    pub reason: String,
}
