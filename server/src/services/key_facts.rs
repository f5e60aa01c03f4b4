//! What AWS says about the root key beside whether it works: a date of deletion, imported material that expires.
//!
//! It is no key check: `DescribeKey` succeeds on a disabled key. It is asked when something has changed and not on a timer,
//! except while the key is refused, when its state explains why, and for imported material, whose expiry can be moved.

use super::key_state::KeyState;
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;
use vault::{KeyDescription, KeyOrigin, KeyState as AwsState, Kms, LockCause};

/// How often a refused key is asked about.
const WHILE_REFUSED: Duration = Duration::from_mins(1);
/// How often imported material is asked about.
const IMPORTED: Duration = Duration::from_hours(1);
/// Until then, something new is the only reason to ask.
const OTHERWISE: Duration = Duration::from_hours(24);

/// Keeps the description of the root key.
#[derive(Clone)]
pub struct KeyFacts {
    pub kms: Kms,
    pub state: Arc<KeyState>,
}

/// What the description depends on: with another one it is asked for anew.
type Situation = (Option<String>, Option<LockCause>);

impl KeyFacts {
    /// Asks until it is dropped.
    pub async fn run(self) {
        let mut news = self.state.watch();
        let mut described: Option<(Situation, Duration)> = None;
        let mut pause = OTHERWISE;
        loop {
            let situation = self.situation();
            let is_new = described.as_ref().is_none_or(|(then, at)| {
                *then != situation || self.state.vault().clock().boot().saturating_sub(*at) >= pause
            });
            if is_new
                && self.state.answered()
                && let Some(arn) = situation.0.clone()
            {
                let answer = self.describe(&arn).await;
                pause = self.pause(answer.as_ref());
                self.state.saw_description(&arn, answer);
                described = Some((situation, self.state.vault().clock().boot()));
                continue;
            }
            let _ = timeout(pause.min(WHILE_REFUSED), news.changed()).await;
        }
    }

    fn situation(&self) -> Situation {
        let cause = self.state.vault().lock_state().map(|lock| lock.cause);
        (self.state.root().map(|(_, arn)| arn), cause.filter(|cause| matches!(cause, LockCause::Refused(_))))
    }

    fn pause(&self, described: Option<&KeyDescription>) -> Duration {
        let is_refused = self.situation().1.is_some();
        let is_imported = described.is_some_and(|described| described.origin == KeyOrigin::External);
        match (is_refused, is_imported) {
            (true, _) => WHILE_REFUSED,
            (false, true) => IMPORTED,
            (false, false) => OTHERWISE,
        }
    }

    /// `None` where AWS does not say: the page then explains what the refusal itself says.
    async fn describe(&self, arn: &str) -> Option<KeyDescription> {
        match self.kms.describe(arn).await {
            Ok(described) => {
                match described.state {
                    AwsState::PendingDeletion => {
                        let (at, id) = (described.deletion_date, described.request_id.as_deref());
                        tracing::error!(
                            event = "key_pending_deletion",
                            deletion_at = at,
                            request_id = id,
                            "AWS will delete the root key"
                        );
                    }
                    _ if described.valid_to.is_some() => {
                        tracing::warn!(
                            event = "key_material_expires",
                            valid_to = described.valid_to,
                            "the imported material of the root key expires"
                        );
                    }
                    _ => {}
                }
                Some(described)
            }
            Err(error) => {
                tracing::info!(event = "key_not_described", %error, "AWS does not say how the root key is");
                None
            }
        }
    }
}
