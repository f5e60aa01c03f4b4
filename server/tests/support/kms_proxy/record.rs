//! The record of a call: who asked for what, when, and what was answered. It never holds a plaintext.

use super::Operation;
use std::collections::BTreeMap;
use tokio::time::Instant;

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// When it had arrived.
    pub at: Instant,
    /// The same by the wall clock, in Unix milliseconds.
    pub at_ms: i64,
    pub operation: Operation,
    pub key_id: String,
    pub context: BTreeMap<String, String>,
    /// SHA-256 of the ciphertext, in hexadecimal digits.
    pub blob: Option<String>,
    /// `None` as long as there is no answer, which can be for ever.
    pub answer: Option<Answered>,
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Answered {
    /// When the answer was there, just before it went out.
    pub at: Instant,
    /// The same by the wall clock, in Unix milliseconds.
    pub at_ms: i64,
    pub status: u16,
    pub code: Option<String>,
    pub request_id: Option<String>,
    /// Whether it was a success of KMS: a real one, or one that was repeated.
    pub good: bool,
}

impl Call {
    pub fn scope(&self) -> Option<&str> {
        self.context.get("scope").map(String::as_str)
    }

    /// A check is an unwrap of the organization's data key; nothing else unwraps it once a check has passed.
    pub fn is_check(&self) -> bool {
        self.operation == Operation::Decrypt && self.scope() == Some("organization")
    }

    pub fn is_unwrap_of(&self, scope: &str) -> bool {
        self.operation == Operation::Decrypt && self.scope() == Some(scope)
    }

    pub fn code(&self) -> Option<&str> {
        self.answer.as_ref()?.code.as_deref()
    }

    /// Whether it was answered by a success.
    pub fn is_good(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.good)
    }

    /// Whether it was answered by one of the four codes that are about the key.
    pub fn is_refused(&self) -> bool {
        const REFUSALS: [&str; 4] =
            ["DisabledException", "KMSInvalidStateException", "NotFoundException", "AccessDeniedException"];
        // Nobody concludes anything from a signature that is refused.
        self.operation != Operation::Sign && self.code().is_some_and(|code| REFUSALS.contains(&code))
    }
}
