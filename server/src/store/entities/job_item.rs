//! How much of each kind of data a job rewrites, and how much it has.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job_items")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub job_id: Uuid,
    /// The table that the items are rows of.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    pub items_total: i64,
    pub items_done: i64,
    /// Before encryption; of records it is known only once they have been opened, so their total is 0.
    pub bytes_total: i64,
    pub bytes_done: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
