//! The shared enums as words in the database: the same snake-case words that they have on the wire.

use app::model::job::SetAsideReason;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use vault::OpenError;

/// The word for a value of an enum without fields.
pub fn write(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The value that [`write`] wrote the word for.
pub fn read<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(Value::String(word.to_owned())).ok()
}

/// Why an item that does not open is set aside.
pub fn set_aside_reason(error: OpenError) -> SetAsideReason {
    match error {
        OpenError::UnknownKey => SetAsideReason::UnknownKey,
        OpenError::DoesNotBelongHere => SetAsideReason::DoesNotBelongHere,
        OpenError::Tampered => SetAsideReason::Tampered,
        // A lock is handled before it gets here.
        OpenError::Malformed | OpenError::Locked => SetAsideReason::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use app::model::job::{JobFailure, PauseReason};

    #[test]
    fn words_are_read_as_they_were_written() {
        assert_eq!(write(PauseReason::WaitingForUploads), "waiting_for_uploads");
        assert_eq!(read(&write(PauseReason::ScopeRefused)), Some(PauseReason::ScopeRefused));
        assert_eq!(read(&write(JobFailure::NewRootRefused)), Some(JobFailure::NewRootRefused));
        assert_eq!(read::<JobFailure>("something else"), None);
    }
}
