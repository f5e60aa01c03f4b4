//! The real program over HTTP, on both databases.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod files;
mod help;
mod key_policy;
mod locked;
mod metrics;
mod sign_in;
mod slow;
mod stop;
