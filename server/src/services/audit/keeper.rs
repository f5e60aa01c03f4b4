//! What a server does for the audit log in the background: signs its head, and closes what others have left open.
//!
//! **Signed heads.** The hash of the last entry is wrapped with the provider key (`kms:Encrypt`; the context names deployment,
//! purpose `audit` and sequence), kept in `audit_heads`, and written to the log of the server, which whoever can change the
//! database cannot reach. That happens within a minute after the last entry, and within seconds after one about keys. Any
//! server does it: each looks by itself, at a moment of its own, and those that come later find it done. What must stay true:
//! nothing waits for a signature; while KMS or the database does not answer, the next attempt comes later and later, up to a
//! minute, and after ten minutes the operator hears of it.

use super::Audit;
use crate::store::{
    Store, database_now,
    entities::{audit_head, audit_signed},
};
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait, QueryOrder, QuerySelect};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use uuid::Uuid;
use vault::{DeploymentId, HeadContext, Kms, KmsError};

/// How often the head is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How old a signature may become while entries follow; milliseconds.
const SIGN_EVERY: i64 = 60_000;
const CLOSE_EVERY: Duration = Duration::from_secs(5);
/// Servers look one after the other within so many milliseconds.
const SPREAD: u128 = 1_500;
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
const ALARM_AFTER: Duration = Duration::from_mins(10);
const PATIENCE: Duration = Duration::from_secs(30);

/// Why the head was not signed.
#[derive(Debug, thiserror::Error)]
enum Unsigned {
    #[error("the database failed: {0}")]
    Database(#[from] DbErr),
    #[error("KMS failed: {0}")]
    Kms(#[from] KmsError),
    #[error("the head of the audit log is damaged")]
    Damaged,
    #[error("no answer in time")]
    Late,
}

/// Keeps the audit log, on one server.
#[derive(Clone)]
pub struct Keeper {
    pub audit: Audit,
    pub store: Store,
    pub kms: Kms,
    pub deployment: DeploymentId,
    /// The ARN of the provider key.
    pub provider_key: String,
    pub server: Uuid,
}

/// How signing goes.
#[derive(Default)]
struct Trouble {
    since: Option<Instant>,
    pause: Duration,
    next: Option<Instant>,
    told: Option<Instant>,
}

impl Keeper {
    /// Runs until it is dropped.
    pub async fn run(self) {
        let mut trouble = Trouble::default();
        let mut closed = Instant::now();
        loop {
            let now = Instant::now();
            if trouble.next.is_none_or(|next| now >= next) {
                let signed = timeout(PATIENCE, self.sign_if_due()).await.unwrap_or(Err(Unsigned::Late));
                trouble.note(signed, Instant::now());
            }
            if now.duration_since(closed) >= CLOSE_EVERY {
                closed = now;
                // An outage of the database is the business of those who need it.
                match timeout(PATIENCE, self.audit.close_abandoned()).await {
                    Ok(Ok(0)) | Err(_) => {}
                    Ok(Ok(count)) => {
                        tracing::info!(event = "audit_abandoned", count, "closed what a server had left open");
                    }
                    Ok(Err(error)) => tracing::debug!(%error, "what is left open in the audit log was not looked at"),
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn sign_if_due(&self) -> Result<(), Unsigned> {
        if self.due().await?.is_none() {
            return Ok(());
        }
        // Not all servers at once.
        let turn = u64::try_from(self.server.as_u128() % SPREAD).unwrap_or_default();
        tokio::time::sleep(Duration::from_millis(turn)).await;
        match self.due().await? {
            Some(head) => self.sign(head).await,
            None => Ok(()),
        }
    }

    /// The head, if it is to be signed now.
    async fn due(&self) -> Result<Option<audit_head::Model>, DbErr> {
        let on = self.store.read();
        let head = audit_head::Entity::find_by_id(1).one(on).await?;
        let Some(head) = head.filter(|head| head.sequence > 0) else { return Ok(None) };
        let Some(signed) = newest(on).await? else { return Ok(Some(head)) };
        let is_due = head.sequence > signed.sequence
            && (head.urgent > signed.sequence || database_now(on).await? - signed.signed_at >= SIGN_EVERY);
        Ok(is_due.then_some(head))
    }

    async fn sign(&self, head: audit_head::Model) -> Result<(), Unsigned> {
        let hash: [u8; 32] = head.hash.as_slice().try_into().map_err(|_| Unsigned::Damaged)?;
        let sequence = u64::try_from(head.sequence).map_err(|_| Unsigned::Damaged)?;
        let context = HeadContext { deployment: &self.deployment, sequence };
        let wrapped = self.kms.sign_head(&self.provider_key, &context, &hash).await?;
        let on = self.store.write();
        let row = audit_signed::ActiveModel {
            sequence: Set(head.sequence),
            hash: Set(head.hash),
            wrapped: Set(wrapped.blob.clone()),
            key_arn: Set(self.provider_key.clone()),
            request_id: Set(wrapped.request_id.clone()),
            signed_at: Set(database_now(on).await?),
            server: Set(self.server),
        };
        if let Err(error) = audit_signed::Entity::insert(row).exec_without_returning(on).await {
            // Another server may have been first.
            return match audit_signed::Entity::find_by_id(head.sequence).one(on).await? {
                Some(_) => Ok(()),
                None => Err(error.into()),
            };
        }
        tracing::info!(
            event = "audit_head_signed",
            sequence,
            hash = hex::encode(hash),
            signature = hex::encode(&wrapped.blob),
            key = self.provider_key,
            request_id = wrapped.request_id,
            "signed the head of the audit log"
        );
        Ok(())
    }
}

impl Trouble {
    fn note(&mut self, signed: Result<(), Unsigned>, now: Instant) {
        let Err(error) = signed else {
            *self = Self::default();
            return;
        };
        let since = *self.since.get_or_insert(now);
        self.pause = (self.pause * 2).clamp(LOOK_EVERY, LONGEST_PAUSE);
        self.next = Some(now + self.pause);
        if now.duration_since(since) < ALARM_AFTER {
            tracing::info!(event = "audit_head_waits", %error, "the head of the audit log is signed later");
        } else if self.told.is_none_or(|told| now.duration_since(told) >= ALARM_AFTER) {
            self.told = Some(now);
            tracing::error!(event = "audit_head_unsigned", %error, "the head of the audit log could not be signed for long");
        }
    }
}

/// The newest head that was signed.
pub async fn newest(on: &impl sea_orm::ConnectionTrait) -> Result<Option<audit_signed::Model>, DbErr> {
    audit_signed::Entity::find().order_by_desc(audit_signed::Column::Sequence).limit(1).one(on).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_tried_again_later_and_later_and_told_once_in_ten_minutes() {
        let (mut trouble, begin) = (Trouble::default(), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..8 {
            trouble.note(Err(Unsigned::Late), begin);
            pauses.push(trouble.pause.as_secs());
            assert!(trouble.told.is_none());
        }
        assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60, 60]);
        trouble.note(Err(Unsigned::Late), begin + ALARM_AFTER);
        let told = trouble.told;
        assert!(told.is_some());
        trouble.note(Err(Unsigned::Late), begin + ALARM_AFTER + LONGEST_PAUSE);
        assert_eq!(trouble.told, told);
        trouble.note(Ok(()), begin + ALARM_AFTER);
        assert!(trouble.next.is_none() && trouble.since.is_none());
    }
}
