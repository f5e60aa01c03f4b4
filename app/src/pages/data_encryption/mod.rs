//! Data Encryption: whose key protects this deployment, and who can take it away.
//!
//! The page is brought up to date in place while it is open, so that nothing a person is typing is lost.

mod arn_field;
mod coverage;
mod delete;
mod job;
mod policy;
mod preflight;
mod protection;
mod setup;

use crate::{
    api::encryption::read_data_encryption,
    browser::{page, watch},
    components::opened::opened,
    model::{
        encryption::{DataEncryption, RootKind},
        error::ApiError,
        identity::{Deployment, Frame},
        job::{JobKind, JobState},
        lock::LockCause,
    },
};
use leptos::{prelude::*, task::spawn_local};
use std::time::Duration;

/// The server says here that something has changed; what has, is then asked for.
const EVENTS: &str = "/settings/data-encryption/events";
/// Asked for anyway when nothing has been heard for so long; in milliseconds.
const STALE_AFTER: i64 = 8_000;

/// What the cards of the page share.
#[derive(Clone, Copy)]
struct Board {
    state: RwSignal<DataEncryption>,
    deployment: StoredValue<Deployment>,
    /// When `state` arrived, and the time now, by the browser's clock. Both `None` until the page is interactive.
    read_at: RwSignal<Option<i64>>,
    clock: RwSignal<Option<i64>>,
    is_reading: StoredValue<bool>,
    /// Something changed while the state was being read, so it must be read once more.
    is_outdated: StoredValue<bool>,
}

impl Board {
    /// Reads the state again.
    fn refresh(self) {
        if self.is_reading.try_get_value().unwrap_or(true) {
            self.is_outdated.try_set_value(true);
            return;
        }
        self.is_reading.set_value(true);
        spawn_local(async move {
            loop {
                self.is_outdated.try_set_value(false);
                match read_data_encryption().await {
                    Ok(state) => {
                        self.read_at.try_set(Some(page::now()));
                        self.state.try_set(state);
                    }
                    Err(ApiError::SignedOut) => page::leave_for_sign_in(),
                    // What is shown stays; the next tick asks again.
                    Err(_) => break,
                }
                if !self.is_outdated.try_get_value().unwrap_or(false) {
                    break;
                }
            }
            self.is_reading.try_set_value(false);
        });
    }

    fn tick(self) {
        let now = page::now();
        self.clock.set(Some(now));
        match self.read_at.get_untracked() {
            None => self.read_at.set(Some(now)),
            Some(at) if now - at > STALE_AFTER => self.refresh(),
            Some(_) => {}
        }
    }

    /// A part of the state that is followed on its own.
    fn part<T: PartialEq + Send + Sync + 'static>(self, read: fn(&DataEncryption) -> T) -> Memo<T> {
        Memo::new(move |_| self.state.with(read))
    }
}

#[component]
pub fn DataEncryptionPage() -> impl IntoView {
    let data = Resource::new(|| (), |()| read_data_encryption());
    view! {
        {crate::pages::tab_title("Data Encryption")}
        <div>
            <h2>"Data Encryption"</h2>
            <p class="lede">"Whose key protects this deployment, and who can take it away."</p>
        </div>
        {opened(data, |data, frame| view! { <Cards data frame/> }.into_any())}
    }
}

#[component]
fn Cards(data: DataEncryption, frame: Frame) -> impl IntoView {
    let board = Board {
        state: RwSignal::new(data),
        deployment: StoredValue::new(frame.deployment),
        read_at: RwSignal::new(None),
        clock: RwSignal::new(None),
        is_reading: StoredValue::new(false),
        is_outdated: StoredValue::new(false),
    };
    Effect::new(move |_| {
        board.tick();
        watch::every(Duration::from_secs(1), move || board.tick());
        watch::listen(EVENTS, move || board.refresh());
    });
    let announcement = board.part(|state| {
        let job = state.job.as_ref().map_or("", |job| job.announcement());
        (state.lock.as_ref().map_or("", |lock| lock.cause.badge()), job)
    });
    let may_set_up = board.part(|state| {
        state.root.kind == RootKind::Provider && state.job.as_ref().is_none_or(|job| !job.state.is_unfinished())
    });
    let may_delete = board.part(|state| state.root.kind == RootKind::Customer);
    view! {
        <p class="visually-hidden" role="status">
            {move || announcement.get().0} " " {move || announcement.get().1}
        </p>
        <protection::Protection board/>
        <job::JobCard board/>
        {move || may_set_up.get().then(|| view! { <setup::Setup board/> }.into_any())}
        {move || may_delete.get().then(|| view! { <delete::DeleteCard board/> }.into_any())}
        <coverage::Coverage board/>
    }
}

/// Why the key cannot be changed now, by this person; `None` if it can.
fn hindrance(state: &DataEncryption) -> Option<&'static str> {
    if !state.may_change {
        return Some("Only an administrator of your organization can change the key.");
    }
    if let Some(lock) = &state.lock {
        return Some(match lock.cause {
            LockCause::Starting => "The key can be changed as soon as AWS has answered the first key check.",
            _ => {
                "The key in control cannot be used now, so no data can be moved away from it. Make it usable again first."
            }
        });
    }
    let is_leaving = state
        .job
        .as_ref()
        .is_some_and(|job| job.kind == JobKind::Delete && matches!(job.state, JobState::Running | JobState::Paused));
    is_leaving.then_some("The key is being deleted already.")
}
