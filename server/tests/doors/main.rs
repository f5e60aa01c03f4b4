//! Who may come in where: every route, page and server function of the real program, asked for by everybody who could ask,
//! on both databases. A door that is not in the table fails these tests, so none can be added without saying whose it is.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "../support/mod.rs"]
mod support;

mod details;
mod headers;
mod ids;
mod limits;
mod lists;
mod members;
mod other_sites;
mod ownerless;
mod scene;
mod source;
mod table;
mod upgrade;
mod walk;
