//! Files in a workspace: what they are called. Their content is an object with a row of its own.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "files")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The workspace.
    pub scope: Uuid,
    pub data_key_id: Uuid,
    pub rev: i64,
    pub name_sealed: Vec<u8>,
    pub media_type_sealed: Vec<u8>,
    /// The row in `objects`.
    pub object_row: Uuid,
    pub uploaded_by: Option<Uuid>,
    pub created_at: i64,
    pub updated_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
