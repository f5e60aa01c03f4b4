//! What every page inside the frame knows: who is signed in, whether data is locked now, and what time it is.

use crate::{
    api::session::read_frame,
    browser::{page, request, watch},
    model::{error::ApiError, identity::Frame, lock::LockFace},
};
use leptos::prelude::*;
use std::time::Duration;

/// How often the server is asked whether data is locked.
pub const ASK_EVERY: Duration = Duration::from_secs(3);

/// Shared by all pages inside the frame.
#[derive(Clone, Copy)]
pub struct Live {
    /// Read once, when the frame is first shown.
    pub frame: OnceResource<Result<Frame, ApiError>>,
    /// As the server last said. `None` while data can be read, and before the server was asked.
    pub lock: RwSignal<Option<LockFace>>,
    /// Changes only when data becomes locked or unlocked, not when the reason does.
    pub is_locked: Memo<bool>,
    /// The browser's clock, about every half minute; `None` until the page is interactive, so that both sides first render
    /// the same.
    pub now: RwSignal<Option<i64>>,
}

impl Live {
    /// Provides it to everything inside the frame, and begins to ask.
    pub fn provide() -> Self {
        let lock = RwSignal::new(None);
        let live = Self {
            frame: OnceResource::new(read_frame()),
            lock,
            is_locked: Memo::new(move |_| lock.with(Option::is_some)),
            now: RwSignal::new(None),
        };
        provide_context(live);
        Effect::new(move |_| {
            live.now.set(Some(page::now()));
            live.ask();
            watch::every(ASK_EVERY, move || live.ask());
        });
        live
    }

    /// The shared state of the frame this is called in.
    pub fn here() -> Self {
        expect_context::<Self>()
    }

    fn ask(self) {
        let now = page::now();
        if self.now.get_untracked().is_none_or(|told| now - told >= 30_000) {
            self.now.set(Some(now));
        }
        request::ask_state(move |answer| match answer {
            Ok(lock) => {
                if self.lock.try_with_untracked(|known| *known != lock).unwrap_or(false) {
                    self.lock.set(lock);
                }
            }
            Err(_) => page::leave_for_sign_in(),
        });
    }
}
