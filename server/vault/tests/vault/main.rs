//! The vault from outside, as the server uses it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod corpus;
mod format;
mod kms;
mod known_answers;
mod lease;
mod lease_model;
mod places;
mod ring;
mod streams;
mod support;
