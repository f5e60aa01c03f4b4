//! Who is signed in, and which deployment they are looking at.

use serde::{Deserialize, Serialize};

/// What a person may do in the organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May change members, settings and keys.
    Administrator,
    /// May work in workspaces and see the settings.
    Member,
}

impl Role {
    /// The word people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Administrator => "Administrator",
            Self::Member => "Member",
        }
    }
}

/// The signed-in person, as the page shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    pub name: String,
    pub email: String,
    pub role: Role,
}

/// What every page says about the deployment it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// The organization's name.
    pub organization: String,
    /// The id in every encryption context. Not a secret.
    pub id: String,
    /// The AWS partition of the provider key, for example `aws`.
    pub partition: String,
    /// The AWS region of the provider key, for example `us-west-1`.
    pub region: String,
    /// The program's version.
    pub version: String,
    /// The largest file that may be uploaded, in bytes.
    pub max_file_bytes: u64,
}

/// The frame around every page: who is signed in, where, and whether the data can be read now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    pub me: Me,
    pub deployment: Deployment,
    pub lock: Option<super::lock::LockFace>,
    /// What an administrator should know about the key before it bites; never for others.
    pub notice: Option<super::lock::KeyNotice>,
    /// For how many seconds the last proof of who it is still counts.
    pub proof_left: u32,
}
