//! The worker of a server: looks for the unfinished job, and runs it while it holds it.

use super::{
    account::{self, MARK_EVERY},
    cores::Cores,
    halt::Halt,
    queue::{self, Claim, RENEW_EVERY},
};
use crate::{
    services::{
        audit::{Audit, Outcome},
        data_keys::DataKeys,
        object_writer::ObjectWriting,
        words,
    },
    store::{
        Store,
        entities::job::{self, JobStage},
    },
};
use app::model::job::{JobFailure, PauseReason};
use sea_orm::EntityTrait;
use std::{sync::Arc, time::Duration};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use vault::{Kms, Vault};

/// How often a server looks for a job that another has left.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The pause after an attempt that came to nothing; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// Stage 1 has changed nothing yet, so it does not wait for KMS for ever.
const CONTROL_PATIENCE: Duration = Duration::from_mins(2);

/// How long to wait after an attempt that came to an end too early.
#[derive(Default)]
struct Pause {
    /// The last one; none after a success.
    last: Option<Duration>,
    /// What was done by then.
    done: account::Sum,
}

impl Pause {
    /// The next one, given what is done by now: an attempt that has done something did not come to nothing.
    fn after(&mut self, done: account::Sum) -> Duration {
        if done != self.done {
            (self.last, self.done) = (None, done);
        }
        self.longer()
    }

    /// The next one after an attempt that came to nothing.
    fn longer(&mut self) -> Duration {
        let next = self.last.map_or(FIRST_PAUSE, |last| (last * 2).min(LONGEST_PAUSE));
        self.last = Some(next);
        next
    }
}

/// What a job needs.
#[derive(Clone)]
pub struct Worker {
    pub store: Store,
    pub keys: Arc<DataKeys>,
    pub kms: Kms,
    pub objects: ObjectWriting,
    pub cores: Cores,
    /// The id of this server.
    pub server: Uuid,
    /// Rung when a job has been made.
    pub wake: Arc<Notify>,
    /// Rung when there is something to remove from the object store.
    pub garbage: Arc<Notify>,
    /// Bumped when the job has changed.
    pub changed: watch::Sender<u64>,
}

impl Worker {
    /// Works until `stop`, then hands back what it holds.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            // A server that cannot use the root key leaves the job to one that can.
            let claimed = if self.vault().is_open() { queue::claim(&self.store, self.server).await } else { Ok(None) };
            match claimed {
                Ok(Some(claim)) => {
                    Box::pin(self.hold(claim, &stop)).await;
                    // It may have been turned round: then it is there to be claimed again.
                    continue;
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(event = "job_not_claimed", %error, "the queue could not be read"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    pub(super) fn vault(&self) -> &Arc<Vault> {
        self.keys.vault()
    }

    pub(super) fn changed(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    /// Runs the job for as long as the lease can be renewed. A transaction that is cut off here is rolled back.
    async fn hold(&self, claim: Claim, stop: &CancellationToken) {
        tracing::info!(event = "job_claimed", job = %claim.job.id, fence = claim.job.fence, "running the job");
        tokio::select! {
            () = self.attempts(claim.clone()) => {}
            () = self.mark_all(&claim) => {}
            () = self.keep(&claim) => {
                crate::crash::point("lost.noticed");
                tracing::warn!(event = "job_lost", job = %claim.job.id, "the job is somebody else's now");
            }
            () = stop.cancelled() => {
                crate::crash::point("release.before");
                if let Err(halt) = claim.release(&self.store).await {
                    tracing::warn!(event = "job_not_released", ?halt, "the job waits for the end of its lease");
                }
                crate::crash::point("release.after");
            }
        }
        self.changed();
    }

    /// Renews the lease; returns when the job is lost. While the database does not answer the job cannot write either.
    async fn keep(&self, claim: &Claim) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(RENEW_EVERY) => {}
                // Perhaps it has just been turned round.
                () = self.wake.notified() => {}
            }
            if matches!(claim.renew(&self.store).await, Err(Halt::Lost)) {
                return;
            }
        }
    }

    /// Notes how far the job is, for as long as it is polled.
    async fn mark_all(&self, claim: &Claim) {
        loop {
            // A mark that is missing is a gap in a chart.
            if let Err(error) = claim.mark(&self.store).await {
                tracing::debug!(?error, "how far the job is was not noted");
            }
            tokio::time::sleep(Duration::from_millis(MARK_EVERY.into())).await;
        }
    }

    async fn attempts(&self, mut claim: Claim) {
        let began = self.vault().clock().boot();
        let mut pause = Pause::default();
        loop {
            let stage = claim.job.stage;
            match self.step(&claim).await.err() {
                None => pause = Pause::default(),
                Some(Halt::Lost) => return,
                Some(Halt::Fail { failure, code, scope }) => return self.fail(&claim, failure, code, scope).await,
                Some(Halt::Wait { reason: PauseReason::Locked, code, scope }) => {
                    return self.leave(&claim, code, scope).await;
                }
                Some(Halt::Wait { reason, code, scope }) => {
                    let waited = self.vault().clock().boot().saturating_sub(began);
                    let gives_up = stage == JobStage::Control
                        && reason == PauseReason::KmsUnreachable
                        && waited > CONTROL_PATIENCE;
                    if gives_up {
                        return self.fail(&claim, JobFailure::Unreachable, code, scope).await;
                    }
                    let word = words::write(reason);
                    tracing::warn!(event = "job_waits", job = %claim.job.id, reason = word, code, "the job waits");
                    if matches!(claim.pause(self.store.write(), &word, code, scope).await, Err(Halt::Lost)) {
                        return;
                    }
                    self.changed();
                    // In a long sweep something fails now and then, each time after much was done.
                    let length = match account::sum_of(self.store.read(), claim.job.id).await {
                        Ok(done) => pause.after(done),
                        Err(_) => pause.longer(),
                    };
                    let is_short = reason == PauseReason::WaitingForUploads;
                    tokio::time::sleep(if is_short { FIRST_PAUSE } else { length }).await;
                }
            }
            match self.reload(&claim).await {
                Some(again) => claim = again,
                None => return,
            }
        }
    }

    /// One step of the stage that the job is in.
    async fn step(&self, claim: &Claim) -> Result<(), Halt> {
        // Stage 1 has no use for the ring, and turns away from a key that is refused; but it cannot begin while locked.
        if !self.vault().is_open() {
            return Err(Halt::wait(PauseReason::Locked));
        }
        match claim.job.stage {
            JobStage::Control => {
                self.take_control(claim).await?;
                tracing::info!(event = "root_key_changed", job = %claim.job.id, "the new root key is in control");
            }
            JobStage::Reencrypt => self.reencrypt(claim).await?,
            JobStage::Finish => {
                if self.finish(claim).await? {
                    tracing::info!(event = "job_complete", job = %claim.job.id, "everything is re-encrypted");
                }
            }
            JobStage::Done => return Err(Halt::Lost),
        }
        self.changed();
        Ok(())
    }

    /// The row as it is now; `None` if the job is over or not ours any more.
    async fn reload(&self, claim: &Claim) -> Option<Claim> {
        loop {
            match job::Entity::find_by_id(claim.job.id).one(self.store.read()).await {
                Ok(Some(job)) if job.fence == claim.job.fence && job.finished_at.is_none() => {
                    return Some(Claim { job });
                }
                Ok(_) => return None,
                Err(error) => {
                    tracing::warn!(event = "job_not_read", %error, "the job cannot be read now");
                    tokio::time::sleep(FIRST_PAUSE).await;
                }
            }
        }
    }

    /// Leaves the job to whoever can use the root key first: perhaps another server, perhaps this one a moment later.
    async fn leave(&self, claim: &Claim, code: Option<String>, scope: Option<Uuid>) {
        tracing::warn!(event = "job_waits", job = %claim.job.id, reason = "locked", code, "the job waits for the root key");
        let word = words::write(PauseReason::Locked);
        let left = match claim.pause(self.store.write(), &word, code, scope).await {
            Ok(()) => claim.release(&self.store).await,
            Err(halt) => Err(halt),
        };
        if let Err(halt) = left {
            tracing::warn!(event = "job_not_released", ?halt, "the job waits for the end of its lease");
        }
        self.changed();
        // KMS may refuse a moment before the key check finds out.
        tokio::time::sleep(FIRST_PAUSE).await;
    }

    async fn fail(&self, claim: &Claim, failure: JobFailure, code: Option<String>, scope: Option<Uuid>) {
        let word = words::write(failure);
        tracing::error!(event = "job_failed", job = %claim.job.id, reason = word, code, "the job failed; nothing has changed");
        // A job that was turned round has data under retiring keys: it turns back and finishes what it had begun.
        let failing = async {
            let transaction = self.store.begin().await?;
            if claim.job.generation > 0 {
                claim.turn_back(&transaction, &word, code, scope).await?;
                Audit::close_for_job(&transaction, claim.job.id, Outcome::Failed, |entry| entry.detail(failure))
                    .await?;
            } else {
                claim.fail(&transaction, &word, code, scope).await?;
                claim.ended(&transaction, Outcome::Failed, Some(failure)).await?;
            }
            Ok::<_, Halt>(transaction.commit().await?)
        };
        if let Err(halt) = failing.await {
            tracing::warn!(event = "job_not_failed", ?halt, "the failure could not be noted");
        }
        self.changed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_only_while_nothing_is_done() {
        let sum = |items| account::Sum { items, bytes: 0 };
        let mut pause = Pause::default();
        let seconds: Vec<_> = [0, 0, 0, 0, 0, 0, 7, 7, 8, 8].map(|done| pause.after(sum(done)).as_secs()).into();
        assert_eq!(seconds, [1, 2, 4, 8, 15, 15, 1, 2, 1, 2]);
        assert_eq!(pause.longer().as_secs(), 4, "what is done is not known");
    }
}
