//! What an open page does of its own accord: it loads itself anew, or leaves for the sign-in page. Neither happens in the first
//! seconds after a person has set out to leave the page, by a link or a form: it would take the place of what they asked for. And
//! a page on which somebody has written something that is not saved is not loaded anew.

use super::{page, request};
use crate::{model::error::ApiError, return_path};
use leptos::prelude::set_timeout;
use std::{cell::Cell, time::Duration};

/// For so long a page counts as being left, in milliseconds: a download, or an answer *stay here*, leaves it where it is.
const LEAVING_FOR: i64 = 5_000;
/// How soon it is looked whether they have stayed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long after an answer that nobody is signed in the question is put once more.
const ASK_AGAIN: Duration = Duration::from_secs(1);

thread_local! {
    /// When somebody, or the page itself, last set out to leave it, by the browser's clock.
    static LEFT_AT: Cell<i64> = const { Cell::new(0) };
    /// Whether the page is loaded again when it turns out that they stay.
    static IS_OWED: Cell<bool> = const { Cell::new(false) };
}

/// Somebody sets out to leave the page.
pub fn page_is_left() {
    LEFT_AT.set(page::now());
}

fn is_being_left() -> bool {
    // The clock may have been set back.
    (0..LEAVING_FOR).contains(&(page::now() - LEFT_AT.get()))
}

/// Loads the page again. If somebody is leaving it, then as soon as it turns out that they stay. Nothing is done if something is
/// not saved: whoever asks for this asks again.
pub fn reload() {
    if page::has_unsaved() {
        return;
    }
    if !is_being_left() {
        page::reload();
    } else if !IS_OWED.replace(true) {
        let owed = || {
            IS_OWED.set(false);
            reload();
        };
        set_timeout(owed, LOOK_AGAIN);
    }
}

/// An answer said that nobody is signed in. Where proof was given, or a password changed, while that question was on its way, the
/// session is another one now, and the person is not to be sent away. So it is asked once more.
pub fn session_may_have_ended() {
    set_timeout(
        || {
            request::ask_state(|answer| {
                if matches!(answer, Err(ApiError::SignedOut)) && !is_being_left() {
                    page::leave_for(&return_path::sign_in_for(&page::address()));
                }
            });
        },
        ASK_AGAIN,
    );
}
