//! Each time the operator destroyed all data that was locked under a key that is gone.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "resets")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub at: i64,
    /// The root key that was gone.
    pub root_key_arn: String,
    /// How it was refused: a word of `lock_events.cause`.
    pub cause: String,
    pub code: Option<String>,
    pub request_id: Option<String>,
    pub workspaces: i64,
    pub notes: i64,
    pub files: i64,
    /// Bytes of file content before encryption.
    pub bytes: i64,
    /// On `SQLite`, when the files of the database were cleaned.
    pub files_cleaned_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
