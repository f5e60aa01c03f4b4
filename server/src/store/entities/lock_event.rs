//! Each lock of a server, and when it ended. Times are those of that server's clock, in Unix milliseconds.

use super::encryption::RootKind;
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lock_events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub server_id: Uuid,
    pub server_name: String,
    /// The workspace that was locked alone; `None` when everything was.
    pub scope: Option<Uuid>,
    pub root_key_arn: String,
    pub root_kind: RootKind,
    pub cause: String,
    pub code: Option<String>,
    pub request_id: Option<String>,
    /// When AWS will delete the key, if that is why.
    pub deletion_at: Option<i64>,
    /// When the first refusal arrived.
    pub refused_at: Option<i64>,
    /// When it was confirmed, or the lease ran out: nothing was opened from then on.
    pub locked_at: i64,
    /// When the last byte of opened data had been given to the kernel, or `locked_at` if none came later.
    pub ended_at: Option<i64>,
    /// When opened data was last given to the kernel before or at the lock, if ever.
    pub last_byte_at: Option<i64>,
    /// How many responses were cut.
    pub cut: i64,
    pub restored_at: Option<i64>,
    /// When the server stopped before that.
    pub gone_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
