//! An entry before it has its place in the log.

use super::{Action, Outcome};
use crate::{services::words, store::entities::audit_entry};
use app::ports::Principal;
use serde::Serialize;
use std::borrow::Cow;
use uuid::Uuid;

/// The longest text of an entry, in bytes; what is longer is cut. More than a key ARN, an e-mail address or a name has.
pub const TEXT_BYTES: usize = 512;

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A member, with name and e-mail as they are now.
    Member { id: String, name: String, email: String },
    /// The program by itself.
    System,
    /// Somebody with the operator's access, by a command.
    Operator,
    /// Somebody who is not signed in.
    Nobody,
}

/// To what it is done. Ids only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    User(Uuid),
    Workspace(Uuid),
    /// A member of a workspace: workspace, user.
    WorkspaceMember(Uuid, Uuid),
    Job(Uuid),
    KeyTest(Uuid),
    /// An id that says nothing by itself; never the one in the cookie.
    Session(String),
    Invitation(Uuid),
    Backup(Uuid),
    /// The name of a setting.
    Setting(&'static str),
}

/// What is to be appended. Begin with [`Entry::by`] and the like, and add what there is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    action: Action,
    outcome: Outcome,
    operation: Option<Uuid>,
    actor: Actor,
    address: Option<String>,
    object: Option<(Cow<'static, str>, String)>,
    detail: Option<String>,
    amount: Option<i64>,
    key_arn: Option<String>,
    request_id: Option<String>,
    server: Option<Uuid>,
}

impl Entry {
    /// What somebody who is signed in does, from where they are.
    pub fn by(who: &Principal, action: Action) -> Self {
        let actor = Actor::Member { id: who.user_id.clone(), name: who.name.clone(), email: who.email.clone() };
        Self::new(action, actor).from_address(who.address.clone())
    }

    /// What the program does by itself.
    pub fn by_system(action: Action) -> Self {
        Self::new(action, Actor::System)
    }

    /// What an operator does by a command.
    pub fn by_operator(action: Action) -> Self {
        Self::new(action, Actor::Operator)
    }

    /// What somebody does who is not signed in.
    pub fn by_nobody(action: Action, address: Option<String>) -> Self {
        Self::new(action, Actor::Nobody).from_address(address)
    }

    /// Something that has succeeded.
    pub fn new(action: Action, actor: Actor) -> Self {
        Self {
            action,
            outcome: Outcome::Succeeded,
            operation: None,
            actor,
            address: None,
            object: None,
            detail: None,
            amount: None,
            key_arn: None,
            request_id: None,
            server: None,
        }
    }

    pub fn action(&self) -> Action {
        self.action
    }

    #[must_use]
    pub fn from_address(mut self, address: Option<String>) -> Self {
        self.address = address;
        self
    }

    #[must_use]
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    #[must_use]
    pub fn on(mut self, object: &Object) -> Self {
        let (kind, id) = match object {
            Object::User(id) => ("user", id.to_string()),
            Object::Workspace(id) => ("workspace", id.to_string()),
            Object::WorkspaceMember(workspace, user) => ("workspace_member", format!("{workspace}/{user}")),
            Object::Job(id) => ("job", id.to_string()),
            Object::KeyTest(id) => ("key_test", id.to_string()),
            Object::Session(id) => ("session", id.clone()),
            Object::Invitation(id) => ("invitation", id.to_string()),
            Object::Backup(id) => ("backup", id.to_string()),
            Object::Setting(name) => ("setting", (*name).to_owned()),
        };
        self.object = Some((kind.into(), id));
        self
    }

    /// A word of a closed set that says more: an enum that is a snake-case word on the wire.
    #[must_use]
    pub fn detail(mut self, word: impl Serialize) -> Self {
        self.detail = Some(words::write(word)).filter(|word| !word.is_empty());
        self
    }

    #[must_use]
    pub fn amount(mut self, amount: u64) -> Self {
        self.amount = Some(i64::try_from(amount).unwrap_or(i64::MAX));
        self
    }

    /// The KMS key that it is about, and AWS's id of the request, if there is one that says more than others.
    #[must_use]
    pub fn key(mut self, arn: &str, request_id: Option<&str>) -> Self {
        self.key_arn = Some(arn.to_owned());
        self.request_id = request_id.map(str::to_owned);
        self
    }

    /// AWS's id of a request that became known later.
    #[must_use]
    pub fn request(mut self, request_id: Option<&str>) -> Self {
        self.request_id = request_id.map(str::to_owned);
        self
    }

    #[must_use]
    pub fn by_server(mut self, server: Option<Uuid>) -> Self {
        self.server = self.server.or(server);
        self
    }

    pub(super) fn part_of(mut self, operation: Uuid) -> Self {
        self.operation = Some(operation);
        self
    }

    /// What the entry in this row said when it was appended; `None` if its action is one of a later version.
    pub(super) fn again(row: &audit_entry::Model) -> Option<Self> {
        let actor = actor_of(row)?;
        let object = row.object_kind.clone().zip(row.object_id.clone());
        Some(Self {
            action: words::read(&row.action)?,
            outcome: words::read(&row.outcome)?,
            operation: row.operation,
            actor,
            address: row.address.clone(),
            object: object.map(|(kind, id)| (kind.into(), id)),
            detail: row.detail.clone(),
            amount: row.amount,
            key_arn: row.key_arn.clone(),
            request_id: row.request_id.clone(),
            server: None,
        })
    }

    /// As a row, apart from its hash.
    pub(super) fn into_row(self, sequence: i64, at: i64) -> audit_entry::Model {
        let (actor, actor_name, actor_email) = match self.actor {
            Actor::Member { id, name, email } => (id, Some(name), Some(email)),
            Actor::System => ("system".to_owned(), None, None),
            Actor::Operator => ("operator".to_owned(), None, None),
            Actor::Nobody => ("nobody".to_owned(), None, None),
        };
        let (object_kind, object_id) = self.object.unzip();
        // `arn:partition:kms:region:…`
        let region = self.key_arn.as_deref().and_then(|arn| arn.split(':').nth(3)).map(str::to_owned);
        audit_entry::Model {
            sequence,
            at,
            action: words::write(self.action),
            outcome: words::write(self.outcome),
            operation: self.operation,
            actor,
            actor_name: actor_name.map(cut),
            actor_email: actor_email.map(cut),
            address: self.address.map(cut),
            object_kind: object_kind.map(Cow::into_owned),
            object_id: object_id.map(cut),
            detail: self.detail.map(cut),
            amount: self.amount,
            key_arn: self.key_arn.map(cut),
            region: region.map(cut),
            request_id: self.request_id.map(cut),
            server: self.server,
            hash: Vec::new(),
        }
    }
}

/// Who has acted in this row; `None` for a word of a later version.
pub(super) fn actor_of(row: &audit_entry::Model) -> Option<Actor> {
    match (row.actor.as_str(), &row.actor_name, &row.actor_email) {
        (_, Some(name), Some(email)) => {
            Some(Actor::Member { id: row.actor.clone(), name: name.clone(), email: email.clone() })
        }
        ("system", ..) => Some(Actor::System),
        ("operator", ..) => Some(Actor::Operator),
        ("nobody", ..) => Some(Actor::Nobody),
        _ => None,
    }
}

/// The text as both databases can hold it: they give back what is hashed.
fn cut(text: String) -> String {
    let mut text = if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text };
    text.truncate(text.floor_char_boundary(TEXT_BYTES));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters_and_hold_no_nul() {
        assert_eq!(cut("a\0b".to_owned()), "a\u{fffd}b");
        let long = "é".repeat(400);
        assert_eq!(cut(long).len(), TEXT_BYTES);
        assert_eq!(cut(format!("a{}", "é".repeat(400))).len(), TEXT_BYTES - 1);
    }

    #[test]
    fn the_region_is_that_of_the_key() {
        let arn = "arn:aws:kms:eu-central-1:111122223333:key/1";
        let row = Entry::by_system(Action::Locked).key(arn, Some("request")).detail(Outcome::Failed).into_row(1, 2);
        assert_eq!(row.region.as_deref(), Some("eu-central-1"));
        assert_eq!(
            (row.actor.as_str(), row.action.as_str(), row.detail.as_deref()),
            ("system", "locked", Some("failed"))
        );
        assert_eq!(Entry::by_system(Action::Locked).key("none", None).into_row(1, 2).region, None);
    }
}
