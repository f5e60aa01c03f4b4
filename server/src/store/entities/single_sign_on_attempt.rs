//! Somebody who has been sent to the identity provider and has not come back. All servers share them. Only hashes are stored of
//! what has to be brought back, so whoever reads the table cannot come back in their place.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "single_sign_on_attempts")]
pub struct Model {
    /// SHA-256 of what the provider gives back, in hexadecimal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub state_hash: String,
    /// The same of what the browser keeps.
    pub browser_hash: String,
    pub purpose: Purpose,
    /// Who is signed in and connects or proves something.
    pub user_id: Option<Uuid>,
    /// The page to go to afterwards.
    pub next: String,
    /// From where: so many at once are allowed.
    pub network: String,
    pub created_at: i64,
    pub expires_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What for.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum Purpose {
    #[sea_orm(string_value = "sign_in")]
    SignIn,
    /// To connect an account that somebody is signed in to.
    #[sea_orm(string_value = "connect")]
    Connect,
    /// To prove again who one is.
    #[sea_orm(string_value = "proof")]
    Proof,
}
