//! A policy as a tree. Its members keep the order in which people expect them.

use super::PERMISSIONS;
use leptos::serde_json;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// Stands for the account id of the key's owner in JSON, until it is replaced.
pub const OWNER: &str = "OWNER-ACCOUNT";

/// A part of a policy.
#[derive(Clone, Debug)]
pub enum Node {
    Text(String),
    /// A text with the account id of the key's owner inside, which each format finds out in its own way.
    OfOwner {
        before: String,
        after: &'static str,
    },
    List(Vec<Node>),
    Map(Vec<(&'static str, Node)>),
}

impl Node {
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// One text as itself, several as a list: so people write it in policies.
    fn texts(texts: &[&str]) -> Self {
        match texts {
            [one] => Self::text(one),
            many => Self::List(many.iter().map(|text| Self::text(text)).collect()),
        }
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::OfOwner { before, after } => serializer.serialize_str(&format!("{before}{OWNER}{after}")),
            Self::List(nodes) => serializer.collect_seq(nodes),
            Self::Map(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, node) in members {
                    map.serialize_entry(name, node)?;
                }
                map.end()
            }
        }
    }
}

/// As JSON for people, with a line break at its end.
pub fn json(node: &Node) -> String {
    // A tree of texts cannot fail.
    serde_json::to_string_pretty(node).unwrap_or_default() + "\n"
}

pub fn policy(statements: Vec<Node>) -> Node {
    Node::Map(vec![("Version", Node::text("2012-10-17")), ("Statement", Node::List(statements))])
}

/// What a deployment needs. Without a `principal` it is for the policy of that principal itself.
pub fn statements(principal: Option<&str>, resources: &[&str], deployment: Option<&str>) -> Vec<Node> {
    let of = |is_tied: bool| -> Vec<&str> {
        PERMISSIONS
            .iter()
            .filter(|permission| permission.is_tied == is_tied)
            .map(|permission| permission.action)
            .collect()
    };
    let principal = || principal.map(Node::text);
    vec![
        statement("KeysteadUsesDataKeys", principal(), &of(true), resources, deployment),
        statement("KeysteadReadsKeyState", principal(), &of(false), resources, None),
    ]
}

pub fn statement(
    sid: &str,
    principal: Option<Node>,
    actions: &[&str],
    resources: &[&str],
    deployment: Option<&str>,
) -> Node {
    let mut members = vec![("Sid", Node::text(sid)), ("Effect", Node::text("Allow"))];
    if let Some(principal) = principal {
        members.push(("Principal", Node::Map(vec![("AWS", principal)])));
    }
    members.push(("Action", Node::texts(actions)));
    members.push(("Resource", Node::texts(resources)));
    if let Some(deployment) = deployment {
        let equals = Node::Map(vec![("kms:EncryptionContext:deployment", Node::text(deployment))]);
        members.push(("Condition", Node::Map(vec![("StringEquals", equals)])));
    }
    Node::Map(members)
}
