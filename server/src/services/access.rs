//! Who may reach what. Every service asks here before it touches a row, and gets back the id only if the answer is yes.

use super::failure::Failure;
use crate::store::entities::workspace;
use app::{
    model::{error::ApiError, identity::Role},
    ports::Principal,
};
use sea_orm::{ConnectionTrait, EntityTrait};
use uuid::Uuid;
use vault::Scope;

/// Proof that a principal may work in a workspace. Only [`workspace`] makes one.
#[derive(Clone, Debug)]
pub struct WorkspaceAccess {
    row: workspace::Model,
}

impl WorkspaceAccess {
    pub fn id(&self) -> Uuid {
        self.row.id
    }

    /// The scope of everything inside the workspace.
    pub fn scope(&self) -> Scope {
        Scope::Workspace(self.row.id)
    }

    pub fn row(&self) -> &workspace::Model {
        &self.row
    }
}

/// Finds the workspace for `who`. What does not exist and what is somebody else's look the same.
///
/// # Errors
/// [`ApiError::NotFound`], also for an id that is none.
pub async fn workspace(on: &impl ConnectionTrait, who: &Principal, id: &str) -> Result<WorkspaceAccess, Failure> {
    user_id(who)?;
    let row = workspace::Entity::find_by_id(parse(id)?).one(on).await?;
    row.map(|row| WorkspaceAccess { row }).ok_or(Failure::Refused(ApiError::NotFound))
}

/// The id in an address.
///
/// # Errors
/// [`ApiError::NotFound`] for what is no id.
pub fn parse(id: &str) -> Result<Uuid, Failure> {
    Uuid::try_parse(id).map_err(|_| Failure::Refused(ApiError::NotFound))
}

/// The id of the user who acts.
///
/// # Errors
/// [`ApiError::SignedOut`] if the principal was not made by this server.
pub fn user_id(who: &Principal) -> Result<Uuid, Failure> {
    Uuid::try_parse(&who.user_id).map_err(|_| Failure::Refused(ApiError::SignedOut))
}

/// Lets only administrators through.
///
/// # Errors
/// [`ApiError::NotAllowed`] for everybody else.
pub fn administrator(who: &Principal) -> Result<Uuid, Failure> {
    match who.role {
        Role::Administrator => user_id(who),
        Role::Member => Err(Failure::Refused(ApiError::NotAllowed)),
    }
}

/// The outcome of adding something to a workspace: if the workspace has been deleted meanwhile, it does not exist.
pub fn insert_into_workspace<T>(outcome: Result<T, impl Into<Failure>>) -> Result<T, Failure> {
    outcome.map_err(|error| {
        let failure = error.into();
        if failure.is_missing_reference() { Failure::Refused(ApiError::NotFound) } else { failure }
    })
}
