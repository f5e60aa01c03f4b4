//! What KMS says of the signed heads, after the pass.

use super::{Finding, Pass, Report, Verifier, Vouched};
use crate::{
    services::audit::keeper,
    store::entities::{audit_entry, audit_signed},
};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use vault::{HeadContext, KmsClass, KmsError};

/// What KMS says of one head.
enum Said {
    /// It is the hash of the entry.
    Confirmed,
    /// It is another, or this is not its signature.
    Denied,
    /// The head is ours, and the entry is not what was signed. Or it is gone.
    Contradicted { is_gone: bool },
    /// Nothing: KMS did not answer, refused, or the head is under a key that nobody has named.
    Unknown(String),
}

impl Verifier {
    /// Has the newest head confirmed. If it is not, looks for the newest one that is.
    pub(super) async fn confirm(&self, mut pass: Pass) -> Result<Report, DbErr> {
        let newest = keeper::newest(self.store.read()).await?;
        let mut by_kms = None;
        let mut unconfirmed = None;
        match newest {
            None => unconfirmed = Some("no head was signed yet".to_owned()),
            Some(head) if head.sequence > pass.last => {
                pass.findings.add(Finding::CutOff { from: pass.last + 1, to: head.sequence });
                by_kms = self.newest_confirmed(head.sequence).await?;
            }
            Some(head) => match self.ask(&head).await? {
                Said::Confirmed => by_kms = Some(head.sequence),
                Said::Unknown(why) => unconfirmed = Some(why),
                said => {
                    if matches!(said, Said::Denied) {
                        pass.findings.add(Finding::Forged(head.sequence));
                    }
                    by_kms = self.newest_confirmed(head.sequence).await?;
                    if !matches!(said, Said::Contradicted { is_gone: true }) {
                        pass.findings.add(Finding::Rewritten { after: by_kms.unwrap_or(0), to: head.sequence });
                    }
                }
            },
        }
        let (by_outside, last, entries) = (pass.confirmed_outside, pass.last, pass.entries);
        let longest_unsigned = pass.longest_unsigned;
        let (findings, unlisted) = pass.findings.into_parts();
        let vouched = Vouched { by_kms, by_outside };
        Ok(Report { entries, last, findings, unlisted, vouched, unconfirmed, longest_unsigned })
    }

    /// The newest head before `before` that is confirmed. Up to there all are, if hashes were written anew from one entry on, so
    /// halving finds it.
    async fn newest_confirmed(&self, before: i64) -> Result<Option<i64>, DbErr> {
        let on = self.store.read();
        let heads = || {
            let before = audit_signed::Column::Sequence.lt(before);
            audit_signed::Entity::find().filter(before).order_by_asc(audit_signed::Column::Sequence)
        };
        let (mut low, mut high) = (0, heads().count(on).await?);
        let mut found = None;
        while low < high {
            let middle = low + (high - low) / 2;
            let Some(head) = heads().offset(middle).limit(1).one(on).await? else { break };
            if matches!(self.ask(&head).await?, Said::Confirmed) {
                found = Some(head.sequence);
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(found)
    }

    async fn ask(&self, head: &audit_signed::Model) -> Result<Said, DbErr> {
        if !self.keys.contains(&head.key_arn) {
            return Ok(Said::Unknown(format!(
                "the newest signed head is under {}, which is not the provider key; if it was once, name it with --key",
                head.key_arn
            )));
        }
        let entry = audit_entry::Entity::find_by_id(head.sequence).one(self.store.read()).await?;
        let sequence = u64::try_from(head.sequence).unwrap_or_default();
        let context = HeadContext { deployment: &self.deployment, sequence };
        let signed = self.kms.signed_head(&head.key_arn, &context, &head.wrapped).await;
        Ok(match signed {
            Ok(hash) if entry.as_ref().is_some_and(|entry| entry.hash == hash) => Said::Confirmed,
            Ok(hash) if head.hash == hash => Said::Contradicted { is_gone: entry.is_none() },
            Ok(_) | Err(KmsError { class: KmsClass::Tampered, .. }) => Said::Denied,
            Err(error) => Said::Unknown(format!("KMS did not confirm the newest signed head: {error}")),
        })
    }
}
