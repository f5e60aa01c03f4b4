//! Who is a member of a workspace.

use super::workspace::{Page, Workspace, WorkspaceRole};
use serde::{Deserialize, Serialize};

/// A member of a workspace, as its owners see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceMember {
    pub user: String,
    pub name: String,
    pub email: String,
    pub role: WorkspaceRole,
    /// Unix milliseconds.
    pub added_at: i64,
    /// Whether it is the person who asked.
    pub is_me: bool,
    /// Whether they may not sign in at present.
    pub is_disabled: bool,
}

/// Somebody who could be added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub name: String,
    pub email: String,
}

/// A workspace with a page of its members, newest first, as its owners see them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceMembers {
    pub workspace: Workspace,
    pub members: Page<WorkspaceMember>,
    /// People of the organization who are no members yet, by name; not all of them, if there are many.
    pub candidates: Vec<Candidate>,
}

/// A workspace that nobody owns (any more), as administrators see it: never its name, which is sealed, nor what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerlessWorkspace {
    pub id: String,
    /// Unix milliseconds.
    pub created_at: i64,
    /// The names of those who are still members, at most five, and how many there are.
    pub members: Vec<String>,
    pub member_count: u64,
}
