//! The audit log: what is noted, that it is chained and cannot be changed in silence, and how it is read, on both databases.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "../support/mod.rs"]
mod support;

mod chain;
mod command;
mod entries;
mod export;
mod heads;
mod operations;
mod pages;
mod scene;
