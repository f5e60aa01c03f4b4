//! What a server does for the audit log in the background: signs its head, and closes what others have left open.
//!
//! **Signed heads.** The hash of the last entry is wrapped with the provider key (`kms:Encrypt`; the context names deployment,
//! purpose `audit` and sequence), kept in `audit_heads`, and written to the log of the server, which whoever can change the
//! database cannot reach. That happens within a minute after the last entry, and within seconds after one about keys. Any
//! server does it: each looks by itself, at a moment of its own, and those that come later find it done. What must stay true:
//! nothing is signed but what goes on from what this server knew before ([`Known`]), and what does not is told at once; nothing
//! waits for a signature; while KMS or the database does not answer, the next attempt comes later and later, up to a minute, and
//! after ten minutes the operator hears of it.

use super::{
    Audit,
    witness::{Followed, Known},
};
use crate::store::{
    Store, database_now,
    entities::{audit_head, audit_signed},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use uuid::Uuid;
use vault::{DeploymentId, HeadContext, Kms, KmsClass, KmsError};

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
    /// What is stored does not go on from what was known, from this entry on.
    #[error("entry {0} does not go on from what this server knew")]
    Altered(i64),
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
    /// When an alteration was told, which waits for nothing else.
    told_altered: Option<Instant>,
}

impl Keeper {
    /// Runs until it is dropped.
    pub async fn run(self) {
        let mut trouble = Trouble::default();
        let mut known = None;
        let mut closed = Instant::now();
        loop {
            let now = Instant::now();
            if trouble.next.is_none_or(|next| now >= next) {
                let signed = timeout(PATIENCE, self.sign_if_due(&mut known)).await.unwrap_or(Err(Unsigned::Late));
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

    /// Follows the log from what is `known`, and signs its head if it is time.
    async fn sign_if_due(&self, known: &mut Option<Known>) -> Result<(), Unsigned> {
        let mut to = match *known {
            Some(known) => known,
            None => *known.insert(self.newest_confirmed().await?),
        };
        // Read afterwards: it may have gone on meanwhile, and never gone back.
        let head = self.head().await?;
        loop {
            to = match to.follow(self.store.read(), &head).await? {
                // Kept at once: what was read is not read again, however long all of it takes.
                Followed::To(to) => *known.insert(to),
                Followed::Altered(at) => return Err(Unsigned::Altered(at)),
            };
            if to.sequence == head.sequence {
                break;
            }
        }
        if !self.is_due(to, &head).await? {
            return Ok(());
        }
        // Not all servers at once.
        let turn = u64::try_from(self.server.as_u128() % SPREAD).unwrap_or_default();
        tokio::time::sleep(Duration::from_millis(turn)).await;
        if self.is_due(to, &self.head().await?).await? { self.sign(to).await } else { Ok(()) }
    }

    async fn head(&self) -> Result<audit_head::Model, Unsigned> {
        let head = audit_head::Entity::find_by_id(1).one(self.store.read()).await?;
        head.ok_or(Unsigned::Altered(0))
    }

    /// The newest head that was signed with the provider key, which KMS has to confirm. If there is none, the log is followed
    /// from its beginning. What somebody has put there that KMS never signed is told, and passed over: it must not end signing.
    async fn newest_confirmed(&self) -> Result<Known, Unsigned> {
        let mut below = i64::MAX;
        loop {
            let newest = audit_signed::Entity::find()
                .filter(audit_signed::Column::KeyArn.eq(&self.provider_key))
                .filter(audit_signed::Column::Sequence.lt(below))
                .filter(audit_signed::Column::Sequence.gt(0))
                .order_by_desc(audit_signed::Column::Sequence);
            let Some(head) = newest.limit(1).one(self.store.read()).await? else { return Ok(Known::NOTHING) };
            let context = HeadContext { deployment: &self.deployment, sequence: head.sequence.unsigned_abs() };
            match self.kms.signed_head(&self.provider_key, &context, &head.wrapped).await {
                Ok(hash) => return Ok(Known { sequence: head.sequence, hash }),
                Err(KmsError { class: KmsClass::Tampered, .. }) => {
                    tell_altered(&Unsigned::Altered(head.sequence));
                    below = head.sequence;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether `known`, which was the head a moment ago, is to be signed now that it is `head`.
    async fn is_due(&self, known: Known, head: &audit_head::Model) -> Result<bool, Unsigned> {
        let on = self.store.read();
        // One that claims to be of an entry that is not there yet is not ours, and must not keep us from signing.
        let newest = audit_signed::Entity::find()
            .filter(audit_signed::Column::Sequence.lte(head.sequence))
            .order_by_desc(audit_signed::Column::Sequence);
        let Some(signed) = newest.limit(1).one(on).await? else { return Ok(known.sequence > 0) };
        if signed.sequence == known.sequence && signed.hash != known.hash {
            return Err(Unsigned::Altered(known.sequence));
        }
        let age = database_now(on).await? - signed.signed_at;
        // Nor must one from the future.
        let is_time = head.urgent > signed.sequence || !(-SIGN_EVERY..SIGN_EVERY).contains(&age);
        Ok(known.sequence > signed.sequence && is_time)
    }

    async fn sign(&self, known: Known) -> Result<(), Unsigned> {
        let Known { sequence: at, hash } = known;
        let sequence = u64::try_from(at).map_err(|_| Unsigned::Altered(at))?;
        let context = HeadContext { deployment: &self.deployment, sequence };
        let wrapped = self.kms.sign_head(&self.provider_key, &context, &hash).await?;
        let on = self.store.write();
        let row = audit_signed::ActiveModel {
            sequence: Set(at),
            hash: Set(hash.to_vec()),
            wrapped: Set(wrapped.blob.clone()),
            key_arn: Set(self.provider_key.clone()),
            request_id: Set(wrapped.request_id.clone()),
            signed_at: Set(database_now(on).await?),
            server: Set(self.server),
        };
        if let Err(error) = audit_signed::Entity::insert(row).exec_without_returning(on).await {
            return match audit_signed::Entity::find_by_id(at).one(on).await? {
                // Another server was first.
                Some(signed) if signed.hash == hash => Ok(()),
                Some(_) => Err(Unsigned::Altered(at)),
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
        let lately = |told: Option<Instant>| told.is_some_and(|told| now.duration_since(told) < ALARM_AFTER);
        if matches!(error, Unsigned::Altered(_)) {
            if !lately(self.told_altered) {
                self.told_altered = Some(now);
                tell_altered(&error);
            }
        } else if now.duration_since(since) < ALARM_AFTER {
            tracing::info!(event = "audit_head_waits", %error, "the head of the audit log is signed later");
        } else if !lately(self.told) {
            self.told = Some(now);
            tracing::error!(event = "audit_head_unsigned", %error, "the head of the audit log could not be signed for long");
        }
    }
}

fn tell_altered(error: &Unsigned) {
    tracing::error!(event = "audit_log_altered", %error, "the audit log was changed by somebody else");
}

/// The newest head that was signed.
pub async fn newest(on: &impl ConnectionTrait) -> Result<Option<audit_signed::Model>, DbErr> {
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
        trouble.note(Err(Unsigned::Altered(7)), begin);
        assert_eq!(trouble.told_altered, Some(begin), "that is told at once");
    }
}
