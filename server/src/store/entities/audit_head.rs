//! The one row that says where the audit log ends. Whoever appends takes it first, so entries are written one after the other.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_head")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// Of the last entry; 0 before the first.
    pub sequence: i64,
    /// Of the last entry; 32 zero bytes before the first.
    pub hash: Vec<u8>,
    /// The last entry that is to be signed at once.
    pub urgent: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
