//! Who is who at the identity provider. Not customer data: people must be able to sign in while data is locked.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identities")]
pub struct Model {
    /// The provider, exactly as its tokens name it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub issuer: String,
    /// What it calls the person: an id that it never gives to anybody else.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    pub user_id: Uuid,
    pub connected_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
