//! Sealed contents in the object store. Every write makes a new object with a new id; the row then points at it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "objects")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The workspace.
    pub scope: Uuid,
    pub data_key_id: Uuid,
    pub rev: i64,
    /// The id of the object that is in force now, bound into its sealing.
    pub object_id: Uuid,
    /// Where the object is in the store.
    pub place: String,
    /// Bytes before sealing.
    pub size: i64,
    pub created_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
