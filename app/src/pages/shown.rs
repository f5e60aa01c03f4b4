//! Secrets that only this answer shows. The server puts them into the context of the one request that made them.

use crate::model::people::FreshInvitation;

/// An invitation that has just been made.
pub type Fresh = FreshInvitation;

/// The invitation that this answer shows, if it shows one.
pub fn invitation() -> Option<Fresh> {
    #[cfg(feature = "ssr")]
    if let Some(crate::ports::Shown::Invitation(fresh)) = leptos::prelude::use_context() {
        return Some(fresh);
    }
    None
}

/// The recovery codes that this answer shows, if it shows some.
pub fn recovery_codes() -> Option<Vec<String>> {
    #[cfg(feature = "ssr")]
    if let Some(crate::ports::Shown::RecoveryCodes(codes)) = leptos::prelude::use_context() {
        return Some(codes);
    }
    None
}
