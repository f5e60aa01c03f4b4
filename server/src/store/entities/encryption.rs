//! The one row that says which root key is in force. Updating it is the lock of the house.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "encryption")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    pub deployment_id: String,
    pub root_key_arn: String,
    pub root_kind: RootKind,
    /// Grows with every change of root key or data keys.
    pub generation: i64,
    pub since: i64,
    pub set_by: Option<Uuid>,
    /// Counts the times the lock of the house was taken.
    pub turn: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Whose key the root key is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum RootKind {
    #[sea_orm(string_value = "provider")]
    Provider,
    #[sea_orm(string_value = "customer")]
    Customer,
}
