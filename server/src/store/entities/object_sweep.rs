//! The number of the object store's marker, and when the store was last gone through for what nothing names. One row, which the
//! schema makes.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "object_sweeps")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// Grows with each sweep, each minute and each backup; 0 before the store was first found in order.
    pub number: i64,
    /// When the last sweep began, or the marker was put down; this and the following by the clock of the database, in Unix
    /// milliseconds.
    pub at: i64,
    /// When the marker last got a new number.
    pub marked_at: i64,
    /// Before this nothing is swept: the store was found without a marker, and somebody may have been wrong about it.
    pub sweeps_from: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
