//! Heads of the audit log that were signed: their hash, wrapped by the provider key. Only ever added to.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_heads")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    pub hash: Vec<u8>,
    /// What `kms:Encrypt` made of the hash.
    pub wrapped: Vec<u8>,
    pub key_arn: String,
    pub request_id: Option<String>,
    /// By the clock of the database.
    pub signed_at: i64,
    pub server: Uuid,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
