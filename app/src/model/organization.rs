//! What the General settings show.

use super::encryption::Servers;
use serde::{Deserialize, Serialize};

/// Everything beside what each page's frame says of the deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct General {
    pub servers: Servers,
    /// Each server that was heard within a day, for administrators; empty for others.
    pub lines: Vec<ServerLine>,
    /// Whether the person who asked may give the organization another name.
    pub may_change: bool,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerLine {
    /// What operators call it.
    pub name: String,
    pub version: String,
    /// Whether it has put together the page.
    pub is_this: bool,
    pub state: ServerState,
    /// Since when it stands so to the key, by its own clock; Unix milliseconds.
    pub since: i64,
    /// How long ago it was heard, by the clock of the database.
    pub heard_ms_ago: u64,
    /// Unix milliseconds.
    pub started_at: i64,
    /// When its last successful key check was sent, by its own clock.
    pub verified_at: Option<i64>,
}

/// How a server stands to the key in control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerState {
    Open,
    /// AWS has refused the key once.
    Suspect,
    Locked,
    /// It was not heard for a while.
    Silent,
}
