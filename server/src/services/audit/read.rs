//! Reading the audit log: which entries are asked for, and one page of them.
//!
//! Newest first by the time of the database and then by sequence, which is the order in which they were written unless that
//! clock was set back. Cost: one index range of a page's length, however long the log is, for any one or two of actor, action
//! and outcome, with or without times; all three together filter within the range of two. What must stay true: only
//! administrators read, because entries hold addresses and e-mails of others.

use super::{Actor, Audit, keeper};
use crate::{
    services::{access, failure::Failure, words},
    store::{Store, entities::audit_entry},
};
use app::{
    model::{
        audit::{self as model, AuditEntry, AuditFilter, AuditPage, SignedHead},
        error::ApiError,
    },
    ports::{AuditPort, Principal},
};
use async_trait::async_trait;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select,
};
use std::sync::Arc;
use time::{OffsetDateTime, PrimitiveDateTime, macros::format_description};
use uuid::Uuid;
use vault::Vault;

/// How many entries a page has at most.
pub const PAGE: usize = 50;
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// The audit log as it is read and exported.
pub struct AuditLog {
    pub store: Store,
    pub audit: Audit,
    pub vault: Arc<Vault>,
}

/// A filter that was understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Unix milliseconds; the second one is the first moment that is not asked for any more.
    pub from: Option<i64>,
    pub before: Option<i64>,
    /// What the column `actor` may hold.
    pub actors: Option<Vec<String>>,
    pub action: Option<model::Action>,
    pub outcome: Option<model::Outcome>,
}

/// A position in the list: that of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub at: i64,
    pub sequence: i64,
}

impl Place {
    pub fn of(row: &audit_entry::Model) -> Self {
        Self { at: row.at, sequence: row.sequence }
    }

    /// What [`Self::write`] wrote; anything else is an address that does not exist.
    pub fn read(text: &str) -> Result<Self, Failure> {
        let parsed = text
            .split_once('.')
            .and_then(|(at, sequence)| Some(Self { at: at.parse().ok()?, sequence: sequence.parse().ok()? }));
        parsed.ok_or(Failure::Refused(ApiError::NotFound))
    }

    pub fn write(self) -> String {
        format!("{}.{}", self.at, self.sequence)
    }
}

impl Chosen {
    /// Understands a filter. The names of the fields that could not be read come with it: they filter nothing.
    ///
    /// # Errors
    /// When the database fails: an e-mail address is looked up there.
    pub async fn read(on: &impl ConnectionTrait, filter: &AuditFilter) -> Result<(Self, Vec<String>), DbErr> {
        let mut unreadable = Vec::new();
        let mut given = |name: &str, text: &str, is_read: bool| {
            if !text.trim().is_empty() && !is_read {
                unreadable.push(name.to_owned());
            }
        };
        let (from, to) = (moment(&filter.from), moment(&filter.to));
        let (action, outcome) = (words::read(&filter.action), words::read(&filter.outcome));
        given("from", &filter.from, from.is_some());
        given("to", &filter.to, to.is_some());
        given("action", &filter.action, action.is_some());
        given("outcome", &filter.outcome, outcome.is_some());
        let actor = filter.actor.trim().to_lowercase();
        let actors = match actor.as_str() {
            "" => None,
            _ if actor.contains('@') => Some(who_had(on, &actor).await?),
            _ => Some(vec![Uuid::try_parse(&actor).map_or(actor, |id| id.to_string())]),
        };
        let from = from.map(|(at, _)| at);
        let before = to.map(|(at, length)| at.saturating_add(length));
        Ok((Self { from, before, actors, action, outcome }, unreadable))
    }

    fn apply(&self, mut query: Select<audit_entry::Entity>) -> Select<audit_entry::Entity> {
        use audit_entry::Column;
        if let Some(from) = self.from {
            query = query.filter(Column::At.gte(from));
        }
        if let Some(before) = self.before {
            query = query.filter(Column::At.lt(before));
        }
        match self.actors.as_deref() {
            None => {}
            Some([one]) => query = query.filter(Column::Actor.eq(one.as_str())),
            Some(several) => query = query.filter(Column::Actor.is_in(several.iter().map(String::as_str))),
        }
        if let Some(action) = self.action {
            query = query.filter(Column::Action.eq(words::write(action)));
        }
        if let Some(outcome) = self.outcome {
            query = query.filter(Column::Outcome.eq(words::write(outcome)));
        }
        query
    }

    /// At most `limit` entries that lie after `place` in the given order.
    pub async fn after(
        &self,
        on: &impl ConnectionTrait,
        order: &Order,
        place: Option<Place>,
        limit: usize,
    ) -> Result<Vec<audit_entry::Model>, DbErr> {
        use audit_entry::Column;
        let mut query = self.apply(audit_entry::Entity::find());
        if let Some(Place { at, sequence }) = place {
            // The first condition is the one that an index range begins with.
            query = if *order == Order::Desc {
                query.filter(Column::At.lte(at)).filter(either(Column::At.lt(at), Column::Sequence.lt(sequence)))
            } else {
                query.filter(Column::At.gte(at)).filter(either(Column::At.gt(at), Column::Sequence.gt(sequence)))
            };
        }
        let query = query.order_by(Column::At, order.clone()).order_by(Column::Sequence, order.clone());
        query.limit(u64::try_from(limit).unwrap_or(u64::MAX)).all(on).await
    }
}

fn either(one: impl sea_orm::sea_query::IntoCondition, other: impl sea_orm::sea_query::IntoCondition) -> Condition {
    Condition::any().add(one.into_condition()).add(other.into_condition())
}

/// A day or a minute: when it begins, and how long it is.
fn moment(text: &str) -> Option<(i64, i64)> {
    let text = text.trim();
    let (text, length) = if text.contains('T') { (text.to_owned(), MINUTE) } else { (format!("{text}T00:00"), DAY) };
    let minute =
        text.get(..16).filter(|minute| text.len() == minute.len() || text.as_bytes().get(16) == Some(&b':'))?;
    let parsed = PrimitiveDateTime::parse(minute, format_description!("[year]-[month]-[day]T[hour]:[minute]")).ok()?;
    let at: OffsetDateTime = parsed.assume_utc();
    Some((at.unix_timestamp().checked_mul(1_000)?, length))
}

/// The users who ever had this e-mail address: one step of an index for each of them.
async fn who_had(on: &impl ConnectionTrait, email: &str) -> Result<Vec<String>, DbErr> {
    use audit_entry::Column;
    let mut found: Vec<String> = Vec::new();
    loop {
        let next: Option<String> = audit_entry::Entity::find()
            .select_only()
            .column(Column::Actor)
            .filter(Column::ActorEmail.eq(email))
            .filter(Column::Actor.gt(found.last().map_or("", String::as_str)))
            .order_by_asc(Column::Actor)
            .limit(1)
            .into_tuple()
            .one(on)
            .await?;
        match next {
            Some(actor) => found.push(actor),
            None => return Ok(found),
        }
    }
}

impl AuditLog {
    async fn look(
        &self,
        who: &Principal,
        filter: &AuditFilter,
        older: Option<&str>,
        newer: Option<&str>,
    ) -> Result<AuditPage, Failure> {
        access::administrator(who)?;
        let on = self.store.read();
        let (chosen, unreadable) = Chosen::read(on, filter).await?;
        let (direction, from) = match (older, newer) {
            (Some(older), _) => (Order::Desc, Some(Place::read(older)?)),
            (None, Some(newer)) => (Order::Asc, Some(Place::read(newer)?)),
            (None, None) => (Order::Desc, None),
        };
        let mut rows = chosen.after(on, &direction, from, PAGE + 1).await?;
        let is_cut = rows.len() > PAGE;
        rows.truncate(PAGE);
        if direction == Order::Asc {
            rows.reverse();
        }
        // Where one has come from there is something.
        let (has_older, has_newer) = match direction {
            Order::Asc => (true, is_cut),
            _ => (is_cut, from.is_some()),
        };
        let write = |row: Option<&audit_entry::Model>| row.map(|row| Place::of(row).write());
        let signed = keeper::newest(on).await?;
        Ok(AuditPage {
            older: write(rows.last().filter(|_| has_older)),
            newer: write(rows.first().filter(|_| has_newer)),
            entries: rows.into_iter().map(shown).collect(),
            signed: signed.map(|head| SignedHead {
                sequence: head.sequence,
                hash: hex::encode(head.hash),
                at: head.signed_at,
            }),
            unreadable,
        })
    }
}

#[async_trait]
impl AuditPort for AuditLog {
    async fn page(
        &self,
        who: &Principal,
        filter: &AuditFilter,
        older: Option<&str>,
        newer: Option<&str>,
    ) -> Result<AuditPage, ApiError> {
        self.look(who, filter, older, newer).await.map_err(|failure| failure.tell(None))
    }
}

/// An entry as people read it.
pub fn shown(row: audit_entry::Model) -> AuditEntry {
    let actor = match super::entry::actor_of(&row) {
        Some(Actor::Member { id, name, email }) => model::Actor::Member { id, name, email },
        Some(Actor::System) => model::Actor::System,
        Some(Actor::Operator) => model::Actor::Operator,
        Some(Actor::Nobody) => model::Actor::Nobody,
        None => model::Actor::Other(row.actor),
    };
    AuditEntry {
        sequence: row.sequence,
        at: row.at,
        action: words::read(&row.action),
        action_word: row.action,
        outcome: words::read(&row.outcome),
        outcome_word: row.outcome,
        operation: row.operation.map(|id| id.to_string()),
        actor,
        address: row.address,
        object: row.object_kind.zip(row.object_id),
        detail: row.detail,
        amount: row.amount,
        key_arn: row.key_arn,
        region: row.region,
        request_id: row.request_id,
        server: row.server.map(|id| id.to_string()),
        hash: hex::encode(row.hash),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_minutes_are_read_and_nothing_else() {
        assert_eq!(moment("2026-11-23"), Some((1_795_392_000_000, DAY)));
        assert_eq!(moment(" 2026-11-23T13:41 "), Some((1_795_441_260_000, MINUTE)));
        assert_eq!(moment("2026-11-23T13:41:07"), Some((1_795_441_260_000, MINUTE)));
        for wrong in ["", "yesterday", "2026-13-01", "2026-11-23T25:00", "2026-11-23T13:41Z", "2026-11-23T13", "ä"] {
            assert_eq!(moment(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_place_reads_what_it_wrote_and_nothing_else() {
        let place = Place { at: 1_795_441_267_999, sequence: 7 };
        assert_eq!(Place::read(&place.write()).ok(), Some(place));
        for wrong in ["", ".", "1", "1.", "x.7", "1.2.3"] {
            assert!(Place::read(wrong).is_err(), "{wrong}");
        }
    }
}
