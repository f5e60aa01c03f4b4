//! What the process does for its own protection before it touches a secret.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Turns core dumps off, and with them other processes' view of our memory. Where the system refuses, it has its own rules;
/// the program runs on.
pub fn protect() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let limited = setrlimit(Resource::Core, none);
    let hidden = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    if limited.is_err() || hidden.is_err() {
        tracing::warn!(event = "core_dumps", "core dumps could not be turned off");
    }
}
