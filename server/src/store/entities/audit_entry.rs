//! The entries of the audit log. Only ever added to: the database refuses everything else.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_entries")]
pub struct Model {
    /// 1, 2, 3 … without gaps.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    /// By the clock of the database.
    pub at: i64,
    pub action: String,
    pub outcome: String,
    /// What links an entry that was opened to the one that closes it.
    pub operation: Option<Uuid>,
    /// The id of a user, or `system`, `operator`, `nobody`.
    pub actor: String,
    /// Name and e-mail as they were then.
    pub actor_name: Option<String>,
    pub actor_email: Option<String>,
    pub address: Option<String>,
    pub object_kind: Option<String>,
    pub object_id: Option<String>,
    pub detail: Option<String>,
    pub amount: Option<i64>,
    pub key_arn: Option<String>,
    pub region: Option<String>,
    pub request_id: Option<String>,
    /// The server that wrote it, if one did.
    pub server: Option<Uuid>,
    /// Over all of this and the hash of the entry before.
    pub hash: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
