//! The key check: on every server, on a timer, an unwrap of the organization's real data key by the root key in force.
//!
//! What must stay true: an answer counts only if root key and wrapped data key are still those that were read before the
//! call, so that an answer about a root key that has just been replaced neither locks nor unlocks.

use super::{data_keys::check_value, key_state::KeyState, unwrapping::Unwrapping};
use crate::{
    metrics::Metrics,
    store::{
        Store,
        entities::encryption::RootKind,
        house::{self, WrappedKey},
    },
};
use app::model::{encryption::CheckResult, key_arn::KeyArn};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, time::timeout};
use vault::{DataKeyId, Epoch, Kms, Scope, Transition, Unwrapped, Vault, Verdict, WrapContext};

/// How long the database may take to say what to unwrap.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(2);
/// A check that takes longer than this is shown as slow.
const SLOW: Duration = Duration::from_millis(500);
/// Doubts that come in quick succession are one.
const REST: Duration = Duration::from_millis(200);

/// What a key check needs.
#[derive(Clone)]
pub struct KeyCheck {
    pub store: Store,
    pub kms: Kms,
    pub state: Arc<KeyState>,
    /// Who brings the other data keys into the ring.
    pub unwrapping: Arc<Unwrapping>,
    pub every: Duration,
    /// The accounts whose keys may be root; empty for any.
    pub customer_accounts: Vec<String>,
    /// Rung to check at once.
    pub doubt: Arc<Notify>,
    pub metrics: Metrics,
}

/// How one check went.
enum Outcome {
    Answered {
        sent_boot: Duration,
        sent_wall_ms: i64,
        epoch: Epoch,
        answer: Result<Box<Unwrapped>, Verdict>,
    },
    /// The root key or the data keys changed during the check.
    Outdated,
}

impl KeyCheck {
    /// Checks until it is dropped.
    pub async fn run(self) {
        loop {
            if !self.check().await {
                tokio::time::sleep(REST).await;
                continue;
            }
            let pause = self.vault().next_check_after(self.every, self.jitter());
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.doubt.notified() => tokio::time::sleep(REST).await,
            }
        }
    }

    fn vault(&self) -> &Vault {
        self.state.vault()
    }

    /// A number from 0 to 1. Servers that started together drift apart.
    fn jitter(&self) -> f64 {
        let mut byte = [128];
        // Without randomness the pause is the middle one; the check itself does not depend on it.
        let _ = self.vault().entropy().fill(&mut byte);
        f64::from(byte[0]) / 255.0
    }

    /// One check; `false` if its answer does not count.
    async fn check(&self) -> bool {
        let Outcome::Answered { sent_boot, sent_wall_ms, epoch, answer } = self.ask().await else {
            self.metrics.key_check("outdated");
            return false;
        };
        let verdict = answer.as_ref().map_or_else(Clone::clone, |_| Verdict::Passed);
        let result = self.result(sent_boot, &verdict);
        log_verdict(&verdict);
        self.metrics.key_check(class(&verdict));
        let transition = self.vault().record_check(sent_boot, sent_wall_ms, verdict);
        if let Ok(unwrapped) = answer {
            // The check has the key in hand; the first reader need not ask for it again. Refused if a lock intervened.
            let _ = self.vault().admit(epoch, unwrapped.key, Scope::Organization, sent_boot);
        }
        log_transition(&transition);
        self.state.saw_check(sent_boot, result);
        true
    }

    fn result(&self, sent: Duration, verdict: &Verdict) -> CheckResult {
        match verdict {
            Verdict::Passed if self.vault().clock().boot().saturating_sub(sent) > SLOW => CheckResult::Slow,
            Verdict::Passed => CheckResult::Passed,
            Verdict::Refused { .. } => CheckResult::Refused,
            _ => CheckResult::Unanswered,
        }
    }

    async fn ask(&self) -> Outcome {
        let clock = self.vault().clock();
        let epoch = self.vault().epoch();
        let read = timeout(DATABASE_TIMEOUT, house::organization_key(self.store.vital())).await;
        let (sent_boot, sent_wall_ms) = (clock.boot(), clock.wall_ms());
        let answered = |answer| Outcome::Answered { sent_boot, sent_wall_ms, epoch, answer };
        let row = match read {
            Ok(Ok(Some(row))) => row,
            Ok(Ok(None)) => return answered(Err(unreadable("the organization has no data key"))),
            Ok(Err(error)) => return answered(Err(unreadable(&error.to_string()))),
            Err(_) => return answered(Err(unreadable("the database did not answer in time"))),
        };
        self.state.saw_root(&row);
        if !account_allowed(&self.customer_accounts, &row) {
            tracing::error!(
                event = "root_account_not_allowed",
                "the root key is of an account that is not allowed here"
            );
            let code = Some("AccountNotAllowed".to_owned());
            return answered(Err(Verdict::Unreachable { code, request_id: None }));
        }
        if self.state.saw_generation(row.generation) {
            self.forget_destroyed().await;
        }
        let answer = self.unwrap(&row).await;
        // What was unwrapped is compared, not the generation alone: that grows with each workspace that is made or deleted,
        // and whoever does that all the time must not keep answers from counting.
        let again = timeout(DATABASE_TIMEOUT, house::organization_key(self.store.vital())).await;
        match again {
            Ok(Ok(Some(now))) if now.is_same(&row) => answered(answer),
            Ok(Ok(_)) => Outcome::Outdated,
            // Whether the answer still counts cannot be known.
            Ok(Err(error)) => answered(Err(unreadable(&error.to_string()))),
            Err(_) => answered(Err(unreadable("the database did not answer in time"))),
        }
    }

    /// Data keys have changed: those that were destroyed, perhaps by another server, must not live on in the ring, nor come into
    /// it by an answer that is late.
    async fn forget_destroyed(&self) {
        // The ring first, and before it what is on its way there: whatever begins later is not given a key that the database
        // does not have.
        let mut known = self.unwrapping.to_come();
        known.extend(self.vault().held().into_iter().map(|held| held.id));
        let Ok(Ok(keys)) = timeout(DATABASE_TIMEOUT, house::all_key_ids(self.store.vital())).await else {
            // The next check tries again.
            self.state.saw_generation(0);
            return;
        };
        for id in known {
            if !keys.contains(&id.0) {
                self.vault().forget(id);
            }
        }
    }

    async fn unwrap(&self, row: &WrappedKey) -> Result<Box<Unwrapped>, Verdict> {
        let id = DataKeyId(row.id);
        let context = WrapContext { deployment: self.vault().deployment(), scope: Scope::Organization, data_key: id };
        let Ok(expected) = check_value(&row.check_value) else {
            return Err(Verdict::Tampered { code: None, request_id: None });
        };
        let checked = self.kms.check(&row.root_key_arn, &context, id, &row.wrapped, &expected).await;
        checked.map(Box::new).map_err(Verdict::from)
    }
}

/// Logs what only a check can know; locking and unlocking are the journal's.
fn log_transition(transition: &Transition) {
    match transition {
        Transition::Suspected => {
            tracing::warn!(event = "key_suspect", "KMS has refused the root key once");
        }
        Transition::Cleared => {
            tracing::info!(event = "key_cleared", "KMS accepts the root key again; access was not interrupted");
        }
        Transition::Unchanged | Transition::CauseChanged(_) | Transition::Locked(_) | Transition::Unlocked => {}
    }
}

/// Whether the operator lets keys of this account be the root key.
pub fn account_allowed(allowed: &[String], row: &WrappedKey) -> bool {
    row.root_kind == RootKind::Provider
        || allowed.is_empty()
        || KeyArn::parse(&row.root_key_arn).is_ok_and(|arn| allowed.iter().any(|account| account == arn.account()))
}

fn unreadable(reason: &str) -> Verdict {
    tracing::warn!(event = "key_check_without_database", reason, "the key check could not read what to unwrap");
    Verdict::unreachable()
}

/// What a verdict is called among the figures.
fn class(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Refused { .. } => "refused",
        Verdict::OwnCredentials { .. } => "own_credentials",
        Verdict::Unreachable { .. } => "unreachable",
        Verdict::Tampered { .. } => "tampered",
    }
}

/// One line for each check that did not pass; the alarms have names that stay.
fn log_verdict(verdict: &Verdict) {
    match verdict {
        Verdict::Passed => {}
        Verdict::Refused { code, request_id, .. } => {
            tracing::warn!(event = "key_refused", code, request_id = request_id.as_deref(), "KMS refused the root key");
        }
        Verdict::OwnCredentials { code, request_id } => {
            let (code, request_id) = (code.as_deref(), request_id.as_deref());
            tracing::error!(event = "own_credentials_refused", code, request_id, "AWS did not accept our credentials");
        }
        Verdict::Unreachable { code, request_id } => {
            let (code, request_id) = (code.as_deref(), request_id.as_deref());
            tracing::warn!(event = "kms_unreachable", code, request_id, "KMS gave no answer about the root key");
        }
        Verdict::Tampered { code, request_id } => {
            let (code, request_id) = (code.as_deref(), request_id.as_deref());
            tracing::error!(event = "data_key_tampered", code, request_id, "the stored data key is not what it was");
        }
    }
}
