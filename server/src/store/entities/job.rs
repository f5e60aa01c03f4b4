//! Jobs that change the root key. At most one is unfinished, by a partial unique index.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Always 1; unique among the unfinished jobs.
    pub slot: i32,
    pub kind: JobKind,
    pub state: JobState,
    pub stage: JobStage,
    pub from_arn: String,
    pub to_arn: String,
    pub requested_by: Option<Uuid>,
    pub created_at: i64,
    /// When the new root key took control.
    pub control_at: Option<i64>,
    pub finished_at: Option<i64>,
    /// The server that runs it.
    pub owner: Option<Uuid>,
    /// By the clock of the database.
    pub lease_until: i64,
    /// Grows each time somebody takes the job or turns it round; every write of the job tests it.
    pub fence: i64,
    /// The generation that the swap made; data keys of this or a later generation are fresh.
    pub generation: i64,
    pub waiting: Option<String>,
    pub failure: Option<String>,
    pub code: Option<String>,
    pub problem_scope: Option<Uuid>,
    pub keys_total: i64,
    pub keys_done: i64,
    /// The administrator who has paused it, and when.
    pub paused_by: Option<Uuid>,
    pub paused_at: Option<i64>,
    /// The change of key that this one came out of: who asked for it, when, and when it took control. Of a deletion that is the
    /// activation it has turned round; of an activation, the deletion that could not take control.
    pub turned_by: Option<Uuid>,
    pub turned_at: Option<i64>,
    pub turned_control_at: Option<i64>,
    /// On `SQLite`, when the files of the database were cleaned.
    pub files_cleaned_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Which way the root key changes.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum JobKind {
    #[sea_orm(string_value = "activate")]
    Activate,
    #[sea_orm(string_value = "delete")]
    Delete,
    /// The root key stays: only what an earlier job has set aside is tried again.
    #[sea_orm(string_value = "retry")]
    Retry,
}

/// Where a job stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum JobState {
    #[sea_orm(string_value = "running")]
    Running,
    #[sea_orm(string_value = "paused")]
    Paused,
    #[sea_orm(string_value = "complete")]
    Complete,
    #[sea_orm(string_value = "failed")]
    Failed,
}

/// What a job is doing. Only ever moves forward, except when the job is turned round.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum JobStage {
    /// Wrapping the data keys with the new root key, then the swap.
    #[sea_orm(string_value = "control")]
    Control,
    /// Making fresh data keys, then rewriting what names a retiring one.
    #[sea_orm(string_value = "reencrypt")]
    Reencrypt,
    /// Destroying the retiring data keys.
    #[sea_orm(string_value = "finish")]
    Finish,
    #[sea_orm(string_value = "done")]
    Done,
}
