//! Server-sent events that say "changed": the page then asks again. What has changed is in the database, not in here.
//!
//! A stream that began while the data was open ends at the lock, after it has said so. It carries no data, so it may end as
//! streams do, and the browser comes back by itself.

use super::{HttpState, principal::Watching};
use axum::{
    extract::State,
    http::header::CACHE_CONTROL,
    response::{
        IntoResponse,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{StreamExt, stream};
use std::{convert::Infallible, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, Interval, MissedTickBehavior, interval_at},
};

const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long somebody who has been signed out elsewhere can go on listening. They are told nothing but "changed".
const ASK_AGAIN: Duration = Duration::from_secs(30);

struct Listening {
    state: HttpState,
    watching: Watching,
    changes: watch::Receiver<u64>,
    recheck: Interval,
    greeted: bool,
    /// The number of locks before it began, and whether the data was open then.
    locks: u64,
    began_open: bool,
    told_of_the_lock: bool,
}

/// Route: a stream of changes of the job and the lock.
pub async fn events(watching: Watching, State(state): State<HttpState>) -> impl IntoResponse {
    let changes = state.services.changes();
    let mut recheck = interval_at(Instant::now() + ASK_AGAIN, ASK_AGAIN);
    recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let vault = &state.services.vault;
    let (locks, began_open) = (vault.locks(), vault.is_open());
    let listening =
        Listening { state, watching, changes, recheck, greeted: false, locks, began_open, told_of_the_lock: false };
    let stream = stream::unfold(listening, |listening| async move {
        let listening = listening.changed().await?;
        Some((Event::default().data("changed"), listening))
    });
    let events = Sse::new(stream.map(Ok::<_, Infallible>)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    ([(CACHE_CONTROL, "no-store")], events)
}

impl Listening {
    /// Waits for the next change. `None` when the program stops or the person is signed out.
    async fn changed(mut self) -> Option<Self> {
        // The first event makes up for what happened while the browser connected.
        if !self.greeted {
            self.greeted = true;
            self.changes.mark_unchanged();
            return Some(self);
        }
        if self.told_of_the_lock {
            return None;
        }
        loop {
            let vault = std::sync::Arc::clone(&self.state.services.vault);
            tokio::select! {
                () = vault.locked(), if self.began_open => {
                    self.told_of_the_lock = true;
                    return Some(self);
                }
                () = self.state.closing.cancelled() => return None,
                changed = self.changes.changed() => {
                    self.told_of_the_lock = self.began_open && vault.locks() != self.locks;
                    return changed.ok().map(|()| self);
                }
                _ = self.recheck.tick() => {
                    if !matches!(self.watching.goes_on(&self.state).await, Ok(true)) {
                        return None;
                    }
                }
            }
        }
    }
}
