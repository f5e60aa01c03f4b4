//! Re-encryption where it is hardest: several servers of which one dies or stands still, writers who come at the worst moment,
//! KMS, database and object store failing in the middle, and long random sequences of everything together.
//!
//! A test brings about a moment by a lock on a row, or by holding back a call: then the job stands exactly there. What is
//! asserted are outcomes; waiting is bounded, and nothing here measures how fast something is.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "../support/mod.rs"]
mod support;

#[path = "../torture/seed.rs"]
#[allow(dead_code, reason = "not everything random is needed here")]
mod seed;
#[path = "../data/steps.rs"]
#[allow(dead_code, reason = "not every step is taken here")]
mod steps;

mod backups;
mod changed_key;
mod connections;
mod control;
mod frozen;
mod last_moment;
mod levers;
mod model;
mod random;
mod refusals;
mod s3_proxy;
mod scene;
mod storage;
mod takeover;
mod turned;
mod writers;
