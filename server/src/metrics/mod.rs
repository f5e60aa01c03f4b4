//! The figures of a server, for the operator's monitoring.
//!
//! What is counted as it happens is kept here, in one registry per server; what lives elsewhere is read when somebody asks
//! (`scrape`); alarms are counted by their names in the log (`alarms`). What must stay true: counting never waits, and a
//! label is one of a closed set of words, never an id, an ARN or anything people have written.

pub mod alarms;
mod kms;
pub mod scrape;

use crate::services::words;
use app::model::lock::LockCause;
use prometheus_client::{
    encoding::{
        EncodeLabelSet,
        text::{encode_eof, encode_registry},
    },
    metrics::{counter::Counter, family::Family, histogram::Histogram, info::Info},
    registry::Registry,
};
use scrape::Seen;
use std::{fmt, sync::Arc, time::Duration};

/// What the names of all figures begin with.
const PREFIX: &str = "keystead";
/// What can become of a key check.
const CHECK_CLASSES: [&str; 6] = ["passed", "refused", "own_credentials", "unreachable", "tampered", "outdated"];
/// Why data can be locked. A server that has just started has locked nothing.
const LOCK_CAUSES: [LockCause; 10] = [
    LockCause::Disabled,
    LockCause::PendingDeletion,
    LockCause::PendingImport,
    LockCause::InvalidState,
    LockCause::AccessDenied,
    LockCause::NotFound,
    LockCause::ProviderRefused,
    LockCause::Unreachable,
    LockCause::OwnCredentials,
    LockCause::Damaged,
];
/// Seconds; closest around the 10 s that are promised.
const CUTOFF_BUCKETS: [f64; 10] = [0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 12.5, 15.0, 20.0];
/// Seconds. A key check is given up after 2, any other attempt after 5.
const KMS_BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Class {
    class: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Cause {
    /// The word of the lock history.
    cause: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    operation: &'static str,
    class: &'static str,
}

/// What a server counts. Clones share it.
#[derive(Clone)]
pub struct Metrics(Arc<Counted>);

struct Counted {
    registry: Registry,
    key_checks: Family<Class, Counter>,
    locks: Family<Cause, Counter>,
    unlocks: Counter,
    cutoff: Histogram,
    kms_calls: Family<Call, Counter>,
    kms_seconds: Family<Operation, Histogram>,
}

impl Default for Metrics {
    fn default() -> Self {
        let counted = Counted {
            registry: Registry::with_prefix(PREFIX),
            key_checks: Family::default(),
            locks: Family::default(),
            unlocks: Counter::default(),
            cutoff: Histogram::new(CUTOFF_BUCKETS),
            kms_calls: Family::default(),
            kms_seconds: Family::new_with_constructor(|| Histogram::new(KMS_BUCKETS)),
        };
        // What has not happened yet is 0, not absent: only then does the first time show as a change.
        for class in CHECK_CLASSES {
            drop(counted.key_checks.get_or_create(&Class { class }));
        }
        for cause in LOCK_CAUSES {
            drop(counted.locks.get_or_create(&Cause { cause: words::write(cause) }));
        }
        Self(Arc::new(counted.registered()))
    }
}

impl Counted {
    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register("build", "The version of the program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        registry.register("key_checks", "Key checks of this server, by what became of them", self.key_checks.clone());
        registry.register("locks", "How often all data was locked on this server, by cause", self.locks.clone());
        registry.register("unlocks", "How often data could be opened again on this server", self.unlocks.clone());
        registry.register(
            "cutoff_seconds",
            "From the first refusal by AWS to the last byte of opened data that this server gave to the kernel",
            self.cutoff.clone(),
        );
        registry.register(
            "kms_calls",
            "Calls to AWS KMS, by operation and by what became of them",
            self.kms_calls.clone(),
        );
        registry.register(
            "kms_call_seconds",
            "How long calls to AWS KMS took, repeats included",
            self.kms_seconds.clone(),
        );
        self
    }
}

impl Metrics {
    /// A key check has ended. `class` is one of `passed`, `refused`, `own_credentials`, `unreachable`, `tampered`, and
    /// `outdated` for an answer that did not count because the root key or the data keys changed meanwhile.
    pub fn key_check(&self, class: &'static str) {
        self.0.key_checks.get_or_create(&Class { class }).inc();
    }

    /// All data is locked.
    pub fn locked(&self, cause: LockCause) {
        self.0.locks.get_or_create(&Cause { cause: words::write(cause) }).inc();
    }

    /// The data can be opened again.
    pub fn unlocked(&self) {
        self.0.unlocks.inc();
    }

    /// A lock has ended all access, so long after AWS first refused.
    pub fn cutoff(&self, took: Duration) {
        self.0.cutoff.observe(took.as_secs_f64());
    }

    fn kms_call(&self, operation: &'static str, class: &'static str, took: Duration) {
        self.0.kms_calls.get_or_create(&Call { operation, class }).inc();
        self.0.kms_seconds.get_or_create(&Operation { operation }).observe(took.as_secs_f64());
    }

    /// Everything in the text format of `OpenMetrics`: what was counted, and what was `seen` just now.
    ///
    /// # Errors
    /// Never in practice: writing to a string does not fail.
    pub fn text(&self, seen: &Seen) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.0.registry)?;
        encode_registry(&mut text, &seen.registry())?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}
