//! What happens to the data: sealing, moving, re-encryption, locking and crashes, on SQLite and on PostgreSQL.

#[path = "../support/mod.rs"]
mod support;

mod crash;
mod jobs;
mod key_changes;
mod locking;
mod moved;
mod notes;
mod plaintext_search;
mod program;
mod schema;
mod steps;
mod uploads;
