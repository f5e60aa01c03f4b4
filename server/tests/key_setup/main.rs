//! Setting up a customer managed key, on real servers behind a KMS proxy of ours: what each answer of AWS shows, server by
//! server, and what is tried again; and what the key policy that is shown allows.
//!
//! What is asserted are outcomes. Waiting is bounded, but nothing here measures how fast something is.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod enforced;
mod policies;
mod servers;
