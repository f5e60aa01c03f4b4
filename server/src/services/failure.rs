//! What can go wrong inside a service, and what the person who asked is told about it.
//!
//! A failure is logged once, where it turns into an [`ApiError`], with its cause and without any content. What people are
//! told comes from a closed set, so nothing internal can leak.

use crate::store::is_reference_violation;
use app::model::{error::ApiError, lock::LockFace};
use sea_orm::DbErr;
use vault::{EntropyError, KmsError, OpenError, SealError};

/// What a service can fail with.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The answer people get is known already.
    #[error("refused: {0:?}")]
    Refused(ApiError),
    /// The data cannot be opened or sealed now.
    #[error("locked")]
    Locked,
    /// The data of one workspace cannot be opened or sealed now.
    #[error("the workspace is locked")]
    WorkspaceLocked(Box<LockFace>),
    #[error("the database failed: {0}")]
    Database(#[from] DbErr),
    #[error("the object store failed: {0}")]
    Objects(#[from] object_store::Error),
    #[error("KMS failed: {0}")]
    Kms(#[from] KmsError),
    /// A job has destroyed the data key since the row was read: the row now names another.
    #[error("the data key is gone: the data was sealed anew meanwhile")]
    Superseded,
    #[error("stored data does not open: {0}")]
    Damaged(OpenError),
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    #[error("the database holds what it must not: {0}")]
    Inconsistent(&'static str),
}

impl Failure {
    /// Whether the database refused because a row that is referred to does not exist (any more).
    pub fn is_missing_reference(&self) -> bool {
        matches!(self, Self::Database(error) if is_reference_violation(error))
    }

    /// Logs the failure and turns it into what people are told. `face` is why the data is locked, if it is.
    pub fn tell(self, face: Option<LockFace>) -> ApiError {
        match self {
            Self::Refused(error) => error,
            Self::Locked => face.map_or(ApiError::Unavailable, |face| ApiError::Locked(Box::new(face))),
            Self::WorkspaceLocked(own) => ApiError::Locked(face.map_or(own, Box::new)),
            Self::Kms(error) => {
                tracing::warn!(event = "kms_failed", %error, "a request could not be served");
                face.map_or(ApiError::Unavailable, |face| ApiError::Locked(Box::new(face)))
            }
            Self::Damaged(error) => {
                tracing::error!(event = "data_damaged", %error, "stored data does not open");
                ApiError::Damaged
            }
            Self::Database(error) => {
                let unreachable = matches!(error, DbErr::Conn(_) | DbErr::ConnectionAcquire(_));
                tracing::error!(event = "database_failed", %error, "a request could not be served");
                if unreachable { ApiError::Unavailable } else { ApiError::Internal }
            }
            Self::Objects(error) => {
                tracing::error!(event = "object_store_failed", %error, "a request could not be served");
                ApiError::Unavailable
            }
            Self::Superseded => ApiError::Unavailable,
            Self::Entropy(error) => {
                tracing::error!(event = "entropy_failed", %error, "a request could not be served");
                ApiError::Internal
            }
            Self::Inconsistent(what) => {
                tracing::error!(event = "database_inconsistent", what, "a request could not be served");
                ApiError::Internal
            }
        }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Locked => Self::Locked,
            other => Self::Damaged(other),
        }
    }
}

impl From<SealError> for Failure {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Locked => Self::Locked,
            SealError::Entropy(error) => Self::Entropy(error),
        }
    }
}

impl From<vault::Locked> for Failure {
    fn from(_: vault::Locked) -> Self {
        Self::Locked
    }
}
