//! Who may reach what: the one place that decides it.
//!
//! Every service asks here before it touches a row of a workspace, and gets back a proof of how far it may go: [`Reading`],
//! [`Editing`] or [`Owning`]. Only this file makes proofs, and what is inside a workspace is asked for through them, so a
//! query that forgets to ask who is asking, or where, cannot be written without leaving this road.
//!
//! What must stay true: what does not exist, what is no id, and what is somebody else's have the same answer, *not found*.
//! Roles are read from the database for each request, and for a write once more in its transaction, so a change of role
//! holds from the next request on; a download that has begun goes on to its end. Administrators read nothing they are not
//! members of: without membership they may only give an ownerless workspace an owner, and delete one that KMS refuses.

use super::{
    data_keys::{DataKeys, Writing},
    failure::Failure,
    paging::{self, Cursor},
    unwrapping::Unwrapping,
};
use crate::store::entities::{
    file, note, object, user, workspace,
    workspace_member::{self, WorkspaceRole as StoredRole},
};
use app::{
    model::{error::ApiError, identity::Role, workspace::WorkspaceRole},
    ports::Principal,
};
use sea_orm::{
    ActiveEnum, ColumnTrait, ConnectionTrait, DbErr, DeleteMany, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    Select, UpdateMany,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};
use std::{collections::HashSet, marker::PhantomData};
use uuid::Uuid;
use vault::Scope;

/// How far somebody may go in a workspace.
pub trait Capability {
    /// The least role that has it.
    const NEEDS: WorkspaceRole;
}

/// May see what is inside, and download files.
#[derive(Clone, Copy, Debug)]
pub struct Reading;
/// May also write notes and files, and describe the workspace.
#[derive(Clone, Copy, Debug)]
pub struct Editing;
/// May also rename and delete the workspace, and decide who its members are.
#[derive(Clone, Copy, Debug)]
pub struct Owning;

impl Capability for Reading {
    const NEEDS: WorkspaceRole = WorkspaceRole::Reader;
}

impl Capability for Editing {
    const NEEDS: WorkspaceRole = WorkspaceRole::Editor;
}

impl Capability for Owning {
    const NEEDS: WorkspaceRole = WorkspaceRole::Owner;
}

/// Proof that somebody may go so far in a workspace. Only [`workspace`] and [`newest`] make one.
#[derive(Clone, Debug)]
pub struct WorkspaceAccess<C> {
    row: workspace::Model,
    user: Uuid,
    role: WorkspaceRole,
    capability: PhantomData<C>,
}

impl<C: Capability> WorkspaceAccess<C> {
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

    /// Who was let in.
    pub fn user(&self) -> Uuid {
        self.user
    }

    /// What they are here.
    pub fn role(&self) -> WorkspaceRole {
        self.role
    }

    /// The same as it is now.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] or [`ApiError::NotAllowed`] if it is not so any more.
    pub async fn again(&self, on: &impl ConnectionTrait) -> Result<Self, Failure> {
        find(on, self.user, self.row.id).await
    }

    /// The notes inside.
    pub fn notes(&self) -> Select<note::Entity> {
        note::Entity::find().filter(note::Column::Scope.eq(self.row.id))
    }

    /// The files inside.
    pub fn files(&self) -> Select<file::Entity> {
        file::Entity::find().filter(file::Column::Scope.eq(self.row.id))
    }

    /// What the files inside hold.
    pub fn objects(&self) -> Select<object::Entity> {
        object::Entity::find().filter(object::Column::Scope.eq(self.row.id))
    }
}

impl WorkspaceAccess<Editing> {
    /// Begins to write inside. Whoever may not any more, for example because an upload has taken long, is refused here.
    ///
    /// # Errors
    /// As [`Self::again`] and [`DataKeys::begin`].
    pub async fn begin(&self, keys: &DataKeys) -> Result<Writing, Failure> {
        let writing = keys.begin(self.scope()).await?;
        match self.again(&writing.transaction).await {
            Ok(_) => Ok(writing),
            Err(failure) => {
                writing.transaction.rollback().await?;
                Err(failure)
            }
        }
    }

    pub fn update_notes(&self) -> UpdateMany<note::Entity> {
        note::Entity::update_many().filter(note::Column::Scope.eq(self.row.id))
    }

    pub fn delete_notes(&self) -> DeleteMany<note::Entity> {
        note::Entity::delete_many().filter(note::Column::Scope.eq(self.row.id))
    }

    pub fn update_files(&self) -> UpdateMany<file::Entity> {
        file::Entity::update_many().filter(file::Column::Scope.eq(self.row.id))
    }

    pub fn delete_files(&self) -> DeleteMany<file::Entity> {
        file::Entity::delete_many().filter(file::Column::Scope.eq(self.row.id))
    }

    pub fn delete_objects(&self) -> DeleteMany<object::Entity> {
        object::Entity::delete_many().filter(object::Column::Scope.eq(self.row.id))
    }

    /// Changes the workspace's own row.
    pub fn update_workspace(&self) -> UpdateMany<workspace::Entity> {
        workspace::Entity::update_many().filter(workspace::Column::Id.eq(self.row.id))
    }
}

impl WorkspaceAccess<Owning> {
    /// An owner may do what an editor may.
    pub fn editing(self) -> WorkspaceAccess<Editing> {
        let Self { row, user, role, .. } = self;
        WorkspaceAccess { row, user, role, capability: PhantomData }
    }

    /// An owner may delete the workspace.
    pub fn doomed(&self) -> Doomed {
        Doomed { id: self.row.id }
    }
}

/// Proof that a workspace may be deleted with everything in it.
#[derive(Clone, Copy, Debug)]
pub struct Doomed {
    id: Uuid,
}

impl Doomed {
    pub fn id(self) -> Uuid {
        self.id
    }

    pub fn scope(self) -> Scope {
        Scope::Workspace(self.id)
    }
}

/// Proof that nobody owns a workspace, and that somebody may give it an owner.
#[derive(Clone, Copy, Debug)]
pub struct Ownerless {
    id: Uuid,
}

impl Ownerless {
    pub fn id(self) -> Uuid {
        self.id
    }
}

/// Finds the workspace for `who`, who must be able to go as far as `C`.
///
/// # Errors
/// [`ApiError::NotFound`], also for an id that is none and for somebody who is no member; [`ApiError::NotAllowed`] for a
/// member with a lesser role.
pub async fn workspace<C: Capability>(
    on: &impl ConnectionTrait,
    who: &Principal,
    id: &str,
) -> Result<WorkspaceAccess<C>, Failure> {
    find(on, user_id(who)?, parse(id)?).await
}

/// Cost: one lookup by primary key in each of two tables.
async fn find<C: Capability>(on: &impl ConnectionTrait, user: Uuid, id: Uuid) -> Result<WorkspaceAccess<C>, Failure> {
    let membership = workspace_member::Entity::find_by_id((id, user)).find_also_related(workspace::Entity);
    let Some((member, Some(row))) = membership.one(on).await? else { return Err(ApiError::NotFound.into()) };
    let role = role(member.role);
    if role < C::NEEDS {
        return Err(ApiError::NotAllowed.into());
    }
    Ok(WorkspaceAccess { row, user, role, capability: PhantomData })
}

/// A page of the workspaces of which `who` is a member, newest first, and where the next page begins. Cost: one range of a
/// page's length in an index of memberships, and a lookup by primary key for each, however many workspaces there are.
///
/// # Errors
/// [`ApiError::NotFound`] for a position that is none.
pub async fn newest(
    on: &impl ConnectionTrait,
    who: &Principal,
    after: Option<&str>,
) -> Result<(Vec<WorkspaceAccess<Reading>>, Option<String>), Failure> {
    let user = user_id(who)?;
    let mine = workspace_member::Entity::find().filter(workspace_member::Column::UserId.eq(user));
    let (created_at, id) = (workspace_member::Column::WorkspaceCreatedAt, workspace_member::Column::WorkspaceId);
    let page = paging::newest_first(mine, created_at, id, after)?;
    let mut rows = page.find_also_related(workspace::Entity).all(on).await?;
    let next = paging::cut(&mut rows, |(member, _)| Cursor {
        created_at: member.workspace_created_at,
        id: member.workspace_id,
    });
    let access = |(member, row): (workspace_member::Model, Option<workspace::Model>)| {
        Some(WorkspaceAccess { row: row?, user, role: role(member.role), capability: PhantomData })
    };
    Ok((rows.into_iter().filter_map(access).collect(), next))
}

/// Those of the workspaces with these ids of which `who` is a member.
pub async fn among(on: &impl ConnectionTrait, who: &Principal, ids: &[Uuid]) -> Result<HashSet<Uuid>, Failure> {
    let user = user_id(who)?;
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let mine = workspace_member::Entity::find()
        .select_only()
        .column(workspace_member::Column::WorkspaceId)
        .filter(workspace_member::Column::UserId.eq(user))
        .filter(workspace_member::Column::WorkspaceId.is_in(ids.iter().copied()));
    Ok(mine.into_tuple::<Uuid>().all(on).await?.into_iter().collect())
}

/// The ids of all workspaces of which `who` is a member, as a part of another query.
///
/// # Errors
/// [`ApiError::SignedOut`] if the principal was not made by this server.
pub fn ids_of_mine(who: &Principal) -> Result<SelectStatement, Failure> {
    let mine = workspace_member::Entity::find()
        .select_only()
        .column(workspace_member::Column::WorkspaceId)
        .filter(workspace_member::Column::UserId.eq(user_id(who)?));
    Ok(mine.into_query())
}

/// Lets an administrator delete, unread, a workspace whose data key KMS refuses: while it is there the root key cannot be
/// changed, and its owners may be gone. KMS is asked, unless the workspace is locked alone already.
///
/// # Errors
/// [`ApiError::NotAllowed`] for everybody else; [`ApiError::NotFound`] if there is no such workspace, or its data key works.
pub async fn refused_workspace(who: &Principal, id: &str, unwrapping: &Unwrapping) -> Result<Doomed, Failure> {
    administrator(who)?;
    let id = parse(id)?;
    if unwrapping.is_refused(id).await? { Ok(Doomed { id }) } else { Err(ApiError::NotFound.into()) }
}

/// Lets an administrator give a workspace an owner that has none (any more).
///
/// # Errors
/// [`ApiError::NotAllowed`] for everybody else; [`ApiError::NotFound`] if there is no such workspace, or it has an owner.
pub async fn ownerless_workspace(on: &impl ConnectionTrait, who: &Principal, id: &str) -> Result<Ownerless, Failure> {
    let found = ownerless(who)?.filter(workspace::Column::Id.eq(parse(id)?)).into_tuple().one(on).await?;
    found.map(|id| Ownerless { id }).ok_or(Failure::Refused(ApiError::NotFound))
}

/// The ids of the workspaces without an owner who can sign in. Cost: one pass over the workspaces, with a lookup for each.
///
/// # Errors
/// [`ApiError::NotAllowed`] for everybody who is no administrator.
pub fn ownerless(who: &Principal) -> Result<Select<workspace::Entity>, Failure> {
    administrator(who)?;
    let owners = Query::select()
        .expr(Expr::value(1))
        .from(workspace_member::Entity)
        .inner_join(
            user::Entity,
            Expr::col((workspace_member::Entity, workspace_member::Column::UserId))
                .equals((user::Entity, user::Column::Id)),
        )
        .and_where(user::Column::DisabledAt.is_null())
        .and_where(
            Expr::col((workspace_member::Entity, workspace_member::Column::WorkspaceId))
                .equals((workspace::Entity, workspace::Column::Id)),
        )
        .and_where(workspace_member::Column::Role.eq(StoredRole::Owner.to_value()))
        .to_owned();
    Ok(workspace::Entity::find().select_only().column(workspace::Column::Id).filter(Expr::exists(owners).not()))
}

/// Whether a workspace is still there, for whoever was let in once.
pub async fn exists<C: Capability>(on: &impl ConnectionTrait, access: &WorkspaceAccess<C>) -> Result<bool, DbErr> {
    Ok(workspace::Entity::find_by_id(access.id()).one(on).await?.is_some())
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

/// A stored role, as everybody else knows it.
pub fn role(stored: StoredRole) -> WorkspaceRole {
    match stored {
        StoredRole::Reader => WorkspaceRole::Reader,
        StoredRole::Editor => WorkspaceRole::Editor,
        StoredRole::Owner => WorkspaceRole::Owner,
    }
}

/// A role as it is stored.
pub fn stored_role(role: WorkspaceRole) -> StoredRole {
    match role {
        WorkspaceRole::Reader => StoredRole::Reader,
        WorkspaceRole::Editor => StoredRole::Editor,
        WorkspaceRole::Owner => StoredRole::Owner,
    }
}

/// The outcome of adding something to a workspace: if the workspace has been deleted meanwhile, it does not exist.
pub fn insert_into_workspace<T>(outcome: Result<T, impl Into<Failure>>) -> Result<T, Failure> {
    outcome.map_err(|error| {
        let failure = error.into();
        if failure.is_missing_reference() { Failure::Refused(ApiError::NotFound) } else { failure }
    })
}
