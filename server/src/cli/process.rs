//! What the process does for its own protection before it touches a secret.
//!
//! What must stay true: a released program never lets its memory be dumped, whatever its environment says. Only a build with
//! debug assertions, which the tests use, can be told to, so that they can look for keys in its memory.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use std::env;

/// Read only by a build with debug assertions: leaves core dumps as the system has them.
const ALLOW_DUMPS: &str = "KEYSTEAD_TEST_ALLOW_CORE_DUMPS";

/// Turns core dumps off, and with them other processes' view of our memory. Where the system refuses, it has its own rules;
/// the program runs on.
pub fn protect() {
    if cfg!(debug_assertions) && env::var_os(ALLOW_DUMPS).is_some() {
        return;
    }
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let limited = setrlimit(Resource::Core, none);
    let hidden = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    if limited.is_err() || hidden.is_err() {
        tracing::warn!(event = "core_dumps", "core dumps could not be turned off");
    }
}
