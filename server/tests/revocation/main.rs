//! Losing the key, on real servers behind a KMS proxy of ours: every answer KMS can give, outages of KMS and of the
//! database, several servers, single workspaces, and what is in flight.
//!
//! What is asserted are outcomes. Waiting is bounded, but nothing here measures how fast something is.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod calls;
mod database;
mod flapping;
mod in_flight;
mod outages;
mod pages;
mod renewal;
mod reset;
mod servers;
mod steps;
mod stopped;
mod workspaces;
