//! The numbers that the product promises, in one place: the guide reads them, and the words on other pages are held against
//! them by a test.

/// Access ends so soon after AWS has refused the key.
pub const ENDS_WITHIN_SECONDS: u64 = 10;
/// Access returns so soon after AWS accepts the key again.
pub const RETURNS_WITHIN_SECONDS: u64 = 10;
/// The limit that the service description gives. The product stays far below it.
pub const PUBLISHED_LIMIT_MINUTES: u64 = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::lock::{LockCause, LockFace, LockedPart};

    #[test]
    fn the_words_on_a_locked_page_promise_the_same() {
        let said = format!("comes back within {RETURNS_WITHIN_SECONDS} seconds after AWS accepts the key again");
        for cause in
            [LockCause::Disabled, LockCause::PendingDeletion, LockCause::PendingImport, LockCause::AccessDenied]
        {
            let face = LockFace {
                part: LockedPart::Everything,
                cause,
                since: 1,
                refused_at: None,
                code: None,
                request_id: None,
                deletion_at: None,
            };
            assert!(face.remedy().contains(&said), "{cause:?}: {}", face.remedy());
        }
    }
}
