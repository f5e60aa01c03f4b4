//! Data keys, wrapped by the root key in force. At most one is current per scope; the others are retiring.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "data_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub scope: Uuid,
    pub state: DataKeyState,
    /// What `kms:Encrypt` gave; only the root key opens it.
    pub wrapped: Vec<u8>,
    /// HKDF-Expand of the data key under a label of its own; compared at every unwrap.
    pub check_value: Vec<u8>,
    /// The generation in which the key was made.
    pub generation: i64,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Whether a data key still seals.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum DataKeyState {
    /// Seals and opens; one per scope.
    #[sea_orm(string_value = "current")]
    Current,
    /// Only opens, until nothing names it any more.
    #[sea_orm(string_value = "retiring")]
    Retiring,
}
