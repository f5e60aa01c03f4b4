//! Notes about paths in the object store: what is being written and what is to be removed.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "object_notes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub place: String,
    pub state: ObjectNoteState,
    /// The server that writes; `None` once nobody does.
    pub owner: Option<Uuid>,
    /// By the clock of the database; the owner renews it.
    pub expires_at: i64,
    /// The data key of the object being written, which so outlives the upload; `None` once nobody writes.
    pub scope: Option<Uuid>,
    pub data_key_id: Option<Uuid>,
    pub created_at: i64,
    /// By which the store keeps what has been sent so far, if it keeps it by an id; of use until the object is complete.
    pub upload_id: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What a note says about its path.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum ObjectNoteState {
    /// Somebody writes there; no row points at it yet.
    #[sea_orm(string_value = "writing")]
    Writing,
    /// A row has pointed at it, and none does any more.
    #[sea_orm(string_value = "garbage")]
    Garbage,
    /// The collector has taken it and may already have removed the object.
    #[sea_orm(string_value = "deleting")]
    Deleting,
}
