//! What became of a key check: the five classes of answers that the lease tells apart.

/// How the service refused the key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refusal {
    /// The key is disabled.
    Disabled,
    /// The key's state does not allow use: pending deletion or import, unavailable.
    InvalidState,
    /// There is no such key (any more).
    NotFound,
    /// The policy does not allow it.
    AccessDenied,
}

/// What became of a key check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The organization's data key was unwrapped and is the right one.
    Passed,
    /// The service refuses the key.
    Refused {
        /// How.
        reason: Refusal,
        /// The error code, as the service gave it.
        code: String,
        /// The service's id of the request.
        request_id: Option<String>,
    },
    /// The service does not know who asks, or we had nothing to say who we are.
    OwnCredentials {
        /// The error code, if the service gave one.
        code: Option<String>,
        /// The service's id of the request.
        request_id: Option<String>,
    },
    /// No answer about the key.
    Unreachable {
        /// The error code, if the service gave one.
        code: Option<String>,
        /// The service's id of the request.
        request_id: Option<String>,
    },
    /// An answer that cannot be that of the right key for what we stored.
    Tampered {
        /// The error code, if the service gave one.
        code: Option<String>,
        /// The service's id of the request.
        request_id: Option<String>,
    },
}

impl Verdict {
    /// No answer, without an error code: a time-out, or a database that could not be read.
    pub fn unreachable() -> Self {
        Self::Unreachable { code: None, request_id: None }
    }
}
