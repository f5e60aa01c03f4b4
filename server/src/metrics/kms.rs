//! Calls to KMS as figures, and the alarm for an answer that nobody here knows.

use super::Metrics;
use std::time::Duration;
use vault::{KmsClass, KmsError, KmsObserver};

impl KmsObserver for Metrics {
    fn called(&self, operation: &'static str, failed: Option<&KmsError>, took: Duration) {
        self.kms_call(operation, class(failed), took);
        if let Some(KmsError { class: KmsClass::Unreachable { unlisted: true, .. }, code, request_id, .. }) = failed {
            let (code, request_id) = (code.as_deref(), request_id.as_deref());
            tracing::error!(
                event = "kms_answer_unlisted",
                operation,
                code,
                request_id,
                "KMS gave an answer unknown here"
            );
        }
    }
}

fn class(failed: Option<&KmsError>) -> &'static str {
    match failed.map(|error| error.class) {
        None => "passed",
        Some(KmsClass::Refused(_)) => "refused",
        Some(KmsClass::OwnCredentials) => "own_credentials",
        Some(KmsClass::Unreachable { throttled: true, .. }) => "throttled",
        Some(KmsClass::Unreachable { unlisted: true, .. }) => "unlisted",
        Some(KmsClass::Unreachable { .. }) => "unreachable",
        Some(KmsClass::Tampered) => "tampered",
    }
}
