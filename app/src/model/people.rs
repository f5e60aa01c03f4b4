//! The members of the organization, and one's own account. Times are Unix milliseconds.

use super::{
    identity::{Me, Role},
    single_sign_on::SingleSignOn,
};
use serde::{Deserialize, Serialize};

/// Everybody, and who has been invited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberList {
    pub people: Vec<Person>,
    /// Only administrators are told.
    pub invitations: Vec<Invitation>,
    pub may_change: bool,
    /// Whether invitations go out by e-mail.
    pub sends_mail: bool,
}

/// A member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: String,
    pub name: String,
    pub email: String,
    pub role: Role,
    /// `None` before the first sign-in.
    pub last_sign_in_at: Option<i64>,
    /// Since when they may not sign in.
    pub disabled_at: Option<i64>,
    pub second_factor: bool,
    pub is_me: bool,
}

/// An invitation that has not been accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    pub id: String,
    pub email: String,
    pub role: Role,
    pub invited_by: String,
    pub expires_at: i64,
    /// It has run out.
    pub is_over: bool,
}

/// An invitation that has just been made. Its link is shown this once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreshInvitation {
    pub email: String,
    pub link: String,
    pub expires_at: i64,
    pub mail: Mail,
}

/// What became of the e-mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mail {
    Sent,
    Failed,
    NotSetUp,
}

/// What an invitation is, for the one who follows its link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitationView {
    pub organization: String,
    pub email: String,
}

/// One's own account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub me: Me,
    /// When the password was set; `None` if there is none.
    pub password_changed_at: Option<i64>,
    pub sessions: Vec<SessionEntry>,
    pub second_factor: SecondFactor,
    /// `None` if the operator has not set it up.
    pub single_sign_on: Option<SingleSignOn>,
}

/// Whether codes are asked for at sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactor {
    Off,
    On { since: i64, codes_left: u64 },
}

/// A session, as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionEntry {
    pub id: String,
    /// The browser and the system, in plain words.
    pub device: String,
    pub address: String,
    pub since: i64,
    pub last_seen_at: i64,
    pub is_this: bool,
}

/// What to give an authenticator app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetUp {
    /// In base32.
    pub secret: String,
    /// The dark squares of the picture, and how many squares it is wide.
    pub path: String,
    pub width: usize,
}
