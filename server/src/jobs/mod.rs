//! Work that outlives a request: changing the root key, re-encrypting everything, and removing what nothing names.
//!
//! The job is a row in the database; any server may run it. The one that does holds a lease with a fencing token, and
//! every transaction of the job tests that token. No cursor is stored: the data itself says what is left, so a crash costs
//! at most one batch and a repeat is harmless.

pub mod account;
pub mod collector;
mod control;
pub mod cores;
pub mod database_file;
mod finish;
mod fresh_keys;
mod halt;
mod objects;
mod orphans;
pub mod queue;
pub mod records;
pub mod reencrypt;
mod set_aside;
mod sweeps;
pub mod worker;
