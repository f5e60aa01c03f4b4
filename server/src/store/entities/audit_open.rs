//! Operations that were opened in the audit log and not closed yet. A list of work, not a part of the log.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_open")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub operation: Uuid,
    /// Of the entry that opened it.
    pub sequence: i64,
    /// The server that does it; `None` for a command.
    pub server: Option<Uuid>,
    /// The job that goes on with it, whichever server runs that.
    pub job_id: Option<Uuid>,
    /// When it counts as abandoned, unless a job goes on with it; by the clock of the database.
    pub expires_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
