//! By which answers of KMS a job came by the data keys it put in force: the request ids, as the organization finds them in
//! `CloudTrail`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub job_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub data_key_id: Uuid,
    /// The workspace, or the organization.
    pub scope: Uuid,
    pub step: JobKeyStep,
    /// The unwrapping by the old root key; none of a fresh data key.
    pub opened_by: Option<String>,
    /// The wrapping by the new root key.
    pub wrapped_by: Option<String>,
    /// The unwrapping by the new root key, for comparison.
    pub checked_by: Option<String>,
    pub at: i64,
    /// When nothing named it any more, and the job destroyed it.
    pub destroyed_at: Option<i64>,
    /// When the job, at its end, found that it had gone with its workspace.
    pub gone_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What was done with the data key.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum JobKeyStep {
    /// One that was there was wrapped by the new root key.
    #[sea_orm(string_value = "rewrapped")]
    Rewrapped,
    /// It was made by this job.
    #[sea_orm(string_value = "made")]
    Made,
    /// It was retiring already when this job began.
    #[sea_orm(string_value = "found")]
    Found,
}
