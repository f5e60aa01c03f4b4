//! How far a job was at some moments, from which its pace is told. The older a job is, the further apart they are.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job_marks")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub job_id: Uuid,
    /// By the clock of the database, in Unix milliseconds.
    #[sea_orm(primary_key, auto_increment = false)]
    pub at: i64,
    pub items_done: i64,
    pub bytes_done: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
