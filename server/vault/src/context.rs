//! Where a piece of data lives, and which data key a wrapped blob holds.
//!
//! A [`Place`] goes into the key derivation of every seal, a [`WrapContext`] into every call of the key management
//! service. What must stay true: both are ids only, because the latter is logged in clear, and two different places
//! never encode to the same bytes.

use crate::error::InvalidDeploymentId;
use std::{collections::HashMap, fmt, sync::Arc};
use uuid::Uuid;

/// The id of a data key. It stands in the header of all that is sealed under it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct DataKeyId(pub Uuid);

impl fmt::Display for DataKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a data key seals: organization-level data, or all of one workspace.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Scope {
    /// Workspace names and descriptions.
    Organization,
    /// Everything inside the workspace with this id.
    Workspace(Uuid),
}

impl Scope {
    /// The scope a database column holds: the nil id is the organization.
    pub fn from_uuid(id: Uuid) -> Self {
        if id.is_nil() { Self::Organization } else { Self::Workspace(id) }
    }

    /// What a database column holds for this scope: the organization is the nil id.
    pub fn as_uuid(self) -> Uuid {
        match self {
            Self::Organization => Uuid::nil(),
            Self::Workspace(id) => id,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization => f.write_str("organization"),
            Self::Workspace(id) => id.fmt(f),
        }
    }
}

/// The name of a deployment: 1 to 64 characters of `a-z`, `0-9` and `-`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct DeploymentId(Arc<str>);

impl DeploymentId {
    /// Takes a name that keeps to the rule.
    pub fn new(id: &str) -> Result<Self, InvalidDeploymentId> {
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        if (1..=64).contains(&id.len()) && id.bytes().all(allowed) {
            Ok(Self(id.into()))
        } else {
            Err(InvalidDeploymentId)
        }
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeploymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where sealed data lives. What was sealed for one place opens in no other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place<'a> {
    /// The deployment that owns the data.
    pub deployment: &'a DeploymentId,
    /// The scope whose data key seals it.
    pub scope: Scope,
    /// The table, or `object` for the object store.
    pub table: &'a str,
    /// The id of the row or of the object.
    pub id: Uuid,
    /// The column, or `content` for an object.
    pub column: &'a str,
}

impl<'a> Place<'a> {
    /// The place of an object's content. An object id is new for every write.
    pub fn object(deployment: &'a DeploymentId, scope: Scope, object_id: Uuid) -> Self {
        Self { deployment, scope, table: "object", id: object_id, column: "content" }
    }

    /// Appends the five fields, each after its length in 2 bytes, big-endian. Ids are their 16 bytes.
    ///
    /// # Panics
    /// If the name of a table or column has more than 65,535 bytes. They are written in code, never by people.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let (scope, id) = (self.scope.as_uuid(), self.id);
        let fields: [&[u8]; 5] = [
            self.deployment.as_str().as_bytes(),
            scope.as_bytes(),
            self.table.as_bytes(),
            id.as_bytes(),
            self.column.as_bytes(),
        ];
        for field in fields {
            let Ok(length) = u16::try_from(field.len()) else { panic!("a name that goes beyond any name") };
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(field);
        }
    }
}

/// Which data key of which scope a wrapped blob holds: the encryption context of every call to the service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WrapContext<'a> {
    /// The deployment that owns the data key. Key policies condition on it.
    pub deployment: &'a DeploymentId,
    /// The scope the data key seals. The key's owner can deny a single one.
    pub scope: Scope,
    /// The data key itself.
    pub data_key: DataKeyId,
}

impl WrapContext<'_> {
    /// The encryption context as the service takes it.
    pub fn to_map(&self) -> HashMap<String, String> {
        HashMap::from([
            ("deployment".to_owned(), self.deployment.to_string()),
            ("scope".to_owned(), self.scope.to_string()),
            ("data_key".to_owned(), self.data_key.to_string()),
        ])
    }
}

/// Which head of the audit log a wrapped hash is: the encryption context under which it is signed. It belongs to no scope and
/// to no data key, so a blob of one kind is never taken for the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeadContext<'a> {
    /// The deployment whose log it is.
    pub deployment: &'a DeploymentId,
    /// How many entries the log had.
    pub sequence: u64,
}

impl HeadContext<'_> {
    /// The encryption context as the service takes it.
    pub fn to_map(&self) -> HashMap<String, String> {
        HashMap::from([
            ("deployment".to_owned(), self.deployment.to_string()),
            ("purpose".to_owned(), "audit".to_owned()),
            ("sequence".to_owned(), self.sequence.to_string()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_id_keeps_to_its_alphabet_and_length() {
        for good in ["a", "acme-7", &"x".repeat(64)] {
            assert_eq!(DeploymentId::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "Acme", "a b", "a_b", "ä", "a\n", &"x".repeat(65)] {
            assert_eq!(DeploymentId::new(bad), Err(InvalidDeploymentId), "{bad:?}");
        }
    }

    #[test]
    fn a_scope_goes_to_its_column_and_back() {
        let id = Uuid::from_u128(7);
        assert_eq!(Scope::from_uuid(Uuid::nil()), Scope::Organization);
        assert_eq!(Scope::from_uuid(id), Scope::Workspace(id));
        assert_eq!(Scope::Organization.as_uuid(), Uuid::nil());
        assert_eq!(Scope::Organization.to_string(), "organization");
        assert_eq!(Scope::Workspace(id).to_string(), "00000000-0000-0000-0000-000000000007");
    }

    #[test]
    fn characters_that_move_between_neighbouring_fields_change_the_encoding() {
        let deployment = DeploymentId::new("d").unwrap();
        let encoded = |table, column| {
            let mut out = Vec::new();
            Place { deployment: &deployment, scope: Scope::Organization, table, id: Uuid::nil(), column }
                .encode(&mut out);
            out
        };
        assert_ne!(encoded("ab", "c"), encoded("a", "bc"));
        assert_ne!(encoded("", "abc"), encoded("abc", ""));
    }

    #[test]
    fn the_encryption_context_is_ids_only() {
        let deployment = DeploymentId::new("acme").unwrap();
        let context = WrapContext {
            deployment: &deployment,
            scope: Scope::Workspace(Uuid::from_u128(1)),
            data_key: DataKeyId(Uuid::from_u128(2)),
        };
        let map = context.to_map();
        assert_eq!(map.len(), 3);
        assert_eq!(map["deployment"], "acme");
        assert_eq!(map["scope"], "00000000-0000-0000-0000-000000000001");
        assert_eq!(map["data_key"], "00000000-0000-0000-0000-000000000002");
    }

    #[test]
    fn a_head_is_never_taken_for_a_data_key() {
        let deployment = DeploymentId::new("acme").unwrap();
        let map = HeadContext { deployment: &deployment, sequence: 7 }.to_map();
        assert_eq!(map.len(), 3);
        assert_eq!(
            (map["deployment"].as_str(), map["purpose"].as_str(), map["sequence"].as_str()),
            ("acme", "audit", "7")
        );
        assert!(!map.contains_key("scope") && !map.contains_key("data_key"));
    }
}
