//! Who is told of every call to the service, for the figures that operators watch.

use super::KmsError;
use std::time::Duration;

/// Is told of each call when it has ended. It must not block.
pub trait KmsObserver: Send + Sync {
    /// `operation` is the service's own word, such as `Decrypt`; `failed` says why, if it did; `took` includes the
    /// repeats of the SDK.
    fn called(&self, operation: &'static str, failed: Option<&KmsError>, took: Duration);
}
