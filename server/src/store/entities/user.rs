//! People who can sign in. Not customer data: they must be able to sign in while data is locked.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Lower case, trimmed; unique.
    pub email: String,
    pub name: String,
    /// Argon2id, as a PHC string; empty for somebody who has no password and signs in by single sign-on.
    pub password_hash: String,
    pub role: Role,
    pub created_at: i64,
    pub last_sign_in_at: Option<i64>,
    /// Since when the user may not sign in.
    pub disabled_at: Option<i64>,
    /// Grows when all sessions of the user have to end. A session that was begun under another number is none.
    pub session_epoch: i64,
    pub password_changed_at: Option<i64>,
    /// What the authenticator app computes codes from, in base32; there is one if the second factor is on. It is stored as it
    /// is: people must be able to sign in while data is locked, and the server must compute the same codes.
    pub totp_secret: Option<String>,
    /// The same while it is being set up.
    pub totp_pending: Option<String>,
    pub totp_since: Option<i64>,
    /// The last step of time whose code was used. That code and older ones are worth nothing any more.
    pub totp_last_step: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The hash of the password, if there is one.
    pub fn password(&self) -> Option<&str> {
        Some(self.password_hash.as_str()).filter(|hash| !hash.is_empty())
    }
}

/// What a user may do in the organization.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum Role {
    #[sea_orm(string_value = "administrator")]
    Administrator,
    #[sea_orm(string_value = "member")]
    Member,
}
