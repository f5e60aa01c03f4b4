//! Keeps the data keys of workspaces in use: each is unwrapped again before its term ends, so that a workspace which its
//! owner denies in the key policy ends by itself, and one that is allowed again comes back by itself.
//!
//! What must stay true: at most one call for each workspace in use and period, and none for those that nobody uses. A key
//! that is refused, or whose term has ended, takes its streams with it; one that a job destroys does not, because they go
//! on under the key that has replaced it.

use super::{
    unwrapping::{Unopened, Unwrapping},
    workspace_locks::WorkspaceLocks,
};
use futures::{StreamExt, stream};
use std::{collections::HashMap, sync::Arc, time::Duration};
use uuid::Uuid;
use vault::{DataKeyId, Held, Scope, TERM, Vault};

/// How often the ring is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many data keys are with KMS at once.
const AT_ONCE: usize = 8;

/// The renewal of one server.
#[derive(Clone)]
pub struct WorkspaceKeys {
    pub vault: Arc<Vault>,
    pub unwrapping: Arc<Unwrapping>,
    pub locks: Arc<WorkspaceLocks>,
}

/// When a key that was not answered for is tried again, on the boot clock; by the id of the key, or of a scope without one.
/// What is past is forgotten.
type Retries = HashMap<Uuid, Duration>;

impl WorkspaceKeys {
    /// Renews until it is dropped.
    pub async fn run(self) {
        let mut retries = Retries::new();
        let every = LOOK_EVERY.min(self.locks.times().confirm);
        loop {
            tokio::time::sleep(every).await;
            if self.vault.is_open() {
                let now = self.vault.clock().boot();
                retries.retain(|_, at| now < *at);
                self.renew_due(&mut retries).await;
                self.replace_destroyed(&mut retries).await;
                self.ask_about_locked().await;
            } else {
                retries.clear();
            }
        }
    }

    async fn renew_due(&self, retries: &mut Retries) {
        let due: Vec<Held> = self.vault.held().into_iter().filter(|held| self.is_due(held, retries)).collect();
        let renewals = due.into_iter().map(|held| async move { (held, self.renew(held).await) });
        let mut renewing = stream::iter(renewals).buffer_unordered(AT_ONCE);
        while let Some((held, unanswered)) = renewing.next().await {
            if unanswered {
                retries.insert(held.id.0, self.vault.clock().boot() + self.locks.times().retry);
            }
        }
    }

    /// Streams go on whose data key a job has destroyed: under the scope's new key, so that one is asked for.
    async fn replace_destroyed(&self, retries: &mut Retries) {
        for scope in self.vault.without_key() {
            let id = scope.as_uuid();
            if retries.contains_key(&id) {
                continue;
            }
            if let Err(unopened) = self.unwrapping.current(scope).await {
                tracing::warn!(event = "data_key_not_renewed", %scope, ?unopened, "a data key was not renewed");
                retries.insert(id, self.vault.clock().boot() + self.locks.times().retry);
            }
        }
    }

    /// The organization's current data key is renewed by each key check, so it is never due while KMS answers.
    fn is_due(&self, held: &Held, retries: &Retries) -> bool {
        let is_old = self.age(held) >= jittered(self.locks.times().renew, held.id);
        self.has_ended(held) || (is_old && !retries.contains_key(&held.id.0))
    }

    /// Renews one key, or lets it go if nobody uses it; `true` if KMS gave no answer.
    async fn renew(&self, held: Held) -> bool {
        if self.has_ended(&held) {
            // No use of it succeeds any more; those who wait beside it are told.
            tracing::warn!(event = "data_key_expired", scope = %held.scope, "KMS gave no answer for a data key for too long");
            self.vault.revoke(held.scope);
            return false;
        }
        if !held.in_use {
            self.vault.forget_unused(held.id);
            return false;
        }
        match self.unwrapping.renew(held.id).await {
            Ok(_) => false,
            Err(Unopened::Superseded) => {
                // A job has destroyed it.
                self.vault.forget(held.id);
                false
            }
            Err(unopened) => {
                tracing::warn!(event = "data_key_not_renewed", scope = %held.scope, ?unopened, "a data key was not renewed");
                true
            }
        }
    }

    /// Whether the term of its scope has ended. The organization has none beside the lease.
    fn has_ended(&self, held: &Held) -> bool {
        held.scope != Scope::Organization && self.age(held) >= TERM
    }

    /// How long ago the call was sent that last unwrapped it.
    fn age(&self, held: &Held) -> Duration {
        self.vault.clock().boot().saturating_sub(held.sent)
    }

    async fn ask_about_locked(&self) {
        let asking = self.locks.due().into_iter().map(|workspace| async move {
            if let Err(unopened) = self.unwrapping.ask_about(workspace).await {
                tracing::debug!(%workspace, ?unopened, "a locked workspace stays locked");
            }
        });
        stream::iter(asking).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    }
}

/// A tenth more or less, steady for one key, so that keys which came together drift apart.
fn jittered(period: Duration, id: DataKeyId) -> Duration {
    let byte = id.0.as_bytes()[15];
    period.mul_f64(0.9 + 0.2 * f64::from(byte) / 255.0)
}
