//! Types that the browser and the server share.
//!
//! Everything here crosses the wire, so nothing here may hold a secret. Ids are opaque strings to the browser: the server
//! parses them and answers "not found" to what it cannot parse.

pub mod audit;
pub mod encryption;
pub mod error;
pub mod identity;
pub mod impact;
pub mod job;
pub mod key_arn;
pub mod key_test;
pub mod lock;
pub mod membership;
pub mod organization;
pub mod people;
pub mod preflight;
pub mod workspace;
