//! What happens to the data: sealing, moving, re-encryption, locking and crashes, on `SQLite` and on `PostgreSQL`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "../support/mod.rs"]
mod support;

mod backup;
mod core_file;
mod coverage;
mod crash;
mod database_file;
mod job_control;
mod jobs;
mod key_changes;
mod locking;
mod many_keys;
mod memory;
mod moved;
mod notes;
mod plaintext_search;
mod reset;
mod schema;
mod set_aside;
mod statistics;
mod steps;
mod store_marks;
mod uploads;
