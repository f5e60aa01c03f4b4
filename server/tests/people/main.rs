//! The organization's members, own accounts, sessions, proof and throttling: the real program, on both databases.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "../support/mod.rs"]
mod support;

mod flood;
mod invitations;
mod mail;
mod members;
mod organization;
mod own_account;
mod proof;
mod second_factor;
mod steps;
mod throttle;
