//! Why a job does not go on: for now, for this server, or for ever.

use super::collector::CollectError;
use crate::{
    services::{failure::Failure, object_storage::is_full},
    store::is_database_full,
};
use app::model::job::{JobFailure, PauseReason};
use sea_orm::DbErr;
use uuid::Uuid;
use vault::{KmsClass, KmsError};

/// What ends an attempt.
#[derive(Debug)]
pub enum Halt {
    /// The job is somebody else's now, or was turned round or cancelled.
    Lost,
    /// Something outside does not work now; the job tries again.
    Wait { reason: PauseReason, code: Option<String>, scope: Option<Uuid> },
    /// The job cannot be done. The old state is intact.
    Fail { failure: JobFailure, code: Option<String>, scope: Option<Uuid> },
}

impl Halt {
    pub fn wait(reason: PauseReason) -> Self {
        Self::Wait { reason, code: None, scope: None }
    }
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Locked => Self::wait(PauseReason::Locked),
            Failure::WorkspaceLocked(face) => {
                Self::Wait { reason: PauseReason::ScopeRefused, code: face.code, scope: None }
            }
            Failure::Kms(error) => Self::from(error),
            Failure::Objects(error) => {
                tracing::warn!(event = "job_object_store", %error, "the job waits for the object store");
                Self::wait(if is_full(&error) { PauseReason::ObjectStoreFull } else { PauseReason::ObjectStore })
            }
            Failure::Database(error) if is_database_full(&error) => {
                tracing::warn!(event = "job_database", %error, "the job waits for room in the database");
                Self::wait(PauseReason::DatabaseFull)
            }
            failure => {
                tracing::warn!(event = "job_database", error = %failure, "the job waits for the database");
                Self::wait(PauseReason::Database)
            }
        }
    }
}

impl From<KmsError> for Halt {
    fn from(error: KmsError) -> Self {
        let reason = match error.class {
            KmsClass::Refused(_) => PauseReason::Locked,
            _ => PauseReason::KmsUnreachable,
        };
        Self::Wait { reason, code: error.code, scope: None }
    }
}

impl From<CollectError> for Halt {
    fn from(error: CollectError) -> Self {
        match error {
            CollectError::Database(error) => Self::from(error),
            CollectError::Objects(error) => Self::from(Failure::Objects(error)),
        }
    }
}

impl From<DbErr> for Halt {
    fn from(error: DbErr) -> Self {
        Self::from(Failure::Database(error))
    }
}
