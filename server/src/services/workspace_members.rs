//! Who is a member of a workspace, and changing that.
//!
//! What must stay true: whoever changes it holds the workspace's row until the transaction ends, so two owners who go at the
//! same moment do not both find the other there. A workspace keeps an owner who can sign in; only when that one's account is
//! disabled or removed has it none, and then an administrator may name an owner, who may be themselves. That is an entry of
//! its own in the audit log: nobody reads a workspace in silence. None of this needs plaintext.

use super::{
    access::{self, Owning, Reading, WorkspaceAccess, role, stored_role},
    audit::{Action, Audit, Entry, Object},
    failure::Failure,
    paging::{self, Cursor},
    proof,
    workspaces::Workspaces,
};
use crate::store::entities::{
    user, workspace,
    workspace_member::{self, WorkspaceRole as StoredRole},
};
use app::{
    model::{
        error::{ApiError, Invalid},
        membership::{Candidate, OwnerlessWorkspace, WorkspaceMember, WorkspaceMembers},
        workspace::{Page, WorkspaceRole},
    },
    ports::{Principal, WorkspaceMembersPort},
};
use async_trait::async_trait;
use sea_orm::{
    ActiveEnum,
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select, SqlErr,
    sea_query::{Expr, LockType, OnConflict},
};
use uuid::Uuid;

/// How many people are offered for being added.
const CANDIDATES: u64 = 200;
/// How many ownerless workspaces are listed, and how many names beside each.
const OWNERLESS: u64 = 50;
const NAMES: u64 = 5;

/// What the audit log says when an administrator names the owner of a workspace that had none.
const NAMED_OWNER: &str = "owner_named_by_administrator";

fn entry(who: &Principal, action: Action, workspace: Uuid, user: Uuid) -> Entry {
    Entry::by(who, action).on(&Object::WorkspaceMember(workspace, user))
}

/// Whoever makes a workspace owns it.
pub async fn first_owner(transaction: &DatabaseTransaction, row: &workspace::Model, user: Uuid) -> Result<(), DbErr> {
    let member = member_row(row, user, StoredRole::Owner, row.created_at, user);
    workspace_member::Entity::insert(member).exec_without_returning(transaction).await?;
    Ok(())
}

fn member_row(
    row: &workspace::Model,
    user: Uuid,
    role: StoredRole,
    now: i64,
    by: Uuid,
) -> workspace_member::ActiveModel {
    workspace_member::ActiveModel {
        workspace_id: Set(row.id),
        user_id: Set(user),
        role: Set(role),
        workspace_created_at: Set(row.created_at),
        added_at: Set(now),
        added_by: Set(Some(by)),
    }
}

/// The owners of a workspace who can sign in, apart from `user`.
async fn other_owners(on: &impl ConnectionTrait, workspace: Uuid, user: Uuid) -> Result<u64, DbErr> {
    workspace_member::Entity::find()
        .inner_join(user::Entity)
        .filter(workspace_member::Column::WorkspaceId.eq(workspace))
        .filter(workspace_member::Column::Role.eq(StoredRole::Owner.to_value()))
        .filter(workspace_member::Column::UserId.ne(user))
        .filter(user::Column::DisabledAt.is_null())
        .count(on)
        .await
}

/// The person of the organization who has this e-mail and can sign in.
async fn person(on: &impl ConnectionTrait, email: &str) -> Result<Uuid, Failure> {
    // As accounts are stored.
    let email = email.trim().to_lowercase();
    if email.is_empty() {
        return Err(Failure::Refused(Invalid::EmailMissing.into()));
    }
    let found = user::Entity::find()
        .filter(user::Column::Email.eq(email.replace('\0', "\u{fffd}")))
        .filter(user::Column::DisabledAt.is_null())
        .one(on)
        .await?;
    found.map(|person| person.id).ok_or(Failure::Refused(Invalid::NoSuchPerson.into()))
}

/// The members of a workspace, asked for by those who decide who they are.
fn members_of(workspace: &WorkspaceAccess<Owning>) -> Select<workspace_member::Entity> {
    workspace_member::Entity::find().filter(workspace_member::Column::WorkspaceId.eq(workspace.id()))
}

/// One member of a workspace, for a change of it.
fn one(workspace: Uuid, user: Uuid) -> sea_orm::Condition {
    sea_orm::Condition::all()
        .add(workspace_member::Column::WorkspaceId.eq(workspace))
        .add(workspace_member::Column::UserId.eq(user))
}

impl Workspaces {
    /// Begins a change of the members of a workspace, and waits for those that are under way.
    async fn begin_change(&self, id: &str) -> Result<DatabaseTransaction, Failure> {
        let id = access::parse(id)?;
        let transaction = self.store.begin().await?;
        // Not exclusive: rows that appear inside meanwhile only need the workspace to stay.
        let row = workspace::Entity::find_by_id(id).select_only().column(workspace::Column::Id);
        row.lock(LockType::NoKeyUpdate).into_tuple::<Uuid>().one(&transaction).await?;
        Ok(transaction)
    }

    async fn members_page(&self, who: &Principal, id: &str, after: Option<&str>) -> Result<WorkspaceMembers, Failure> {
        let on = self.store.read();
        let owned = access::workspace::<Owning>(on, who, id).await?;
        let workspace = self.opened(owned.row(), owned.role()).await?;
        let (added_at, user) = (workspace_member::Column::AddedAt, workspace_member::Column::UserId);
        let query = paging::newest_first(members_of(&owned), added_at, user, after)?;
        let mut rows = query.find_also_related(user::Entity).all(on).await?;
        let next = paging::cut(&mut rows, |(member, _)| Cursor { created_at: member.added_at, id: member.user_id });
        let shown = |(member, person): (workspace_member::Model, Option<user::Model>)| {
            let person = person?;
            Some(WorkspaceMember {
                user: member.user_id.to_string(),
                name: person.name,
                email: person.email,
                role: role(member.role),
                added_at: member.added_at,
                is_me: member.user_id == owned.user(),
                is_disabled: person.disabled_at.is_some(),
            })
        };
        let items = rows.into_iter().filter_map(shown).collect();
        let candidates = candidates(on, &owned).await?;
        Ok(WorkspaceMembers { workspace, members: Page { items, next }, candidates })
    }

    async fn add(&self, who: &Principal, id: &str, email: &str, role: WorkspaceRole) -> Result<(), Failure> {
        let transaction = self.begin_change(id).await?;
        let workspace = access::workspace::<Owning>(&transaction, who, id).await?;
        let user = person(&transaction, email).await?;
        let now = self.keys.vault().clock().wall_ms();
        let row = member_row(workspace.row(), user, stored_role(role), now, workspace.user());
        match workspace_member::Entity::insert(row).exec_without_returning(&transaction).await {
            Ok(_) => {}
            Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
                return Err(Failure::Refused(Invalid::MemberAlready.into()));
            }
            Err(error) => return Err(error.into()),
        }
        let entry = entry(who, Action::WorkspaceMemberAdded, workspace.id(), user).detail(role);
        Ok(Audit::commit(transaction, entry).await?)
    }

    async fn change(&self, who: &Principal, id: &str, user: &str, role: WorkspaceRole) -> Result<(), Failure> {
        let transaction = self.begin_change(id).await?;
        let workspace = access::workspace::<Owning>(&transaction, who, id).await?;
        let user = access::parse(user)?;
        if role != WorkspaceRole::Owner && other_owners(&transaction, workspace.id(), user).await? == 0 {
            return Err(Failure::Refused(Invalid::LastOwner.into()));
        }
        let changed = workspace_member::Entity::update_many()
            .col_expr(workspace_member::Column::Role, Expr::value(stored_role(role).to_value()))
            .filter(one(workspace.id(), user))
            .exec(&transaction)
            .await?;
        if changed.rows_affected == 0 {
            return Err(ApiError::NotFound.into());
        }
        let entry = entry(who, Action::WorkspaceMemberRoleChanged, workspace.id(), user).detail(role);
        Ok(Audit::commit(transaction, entry).await?)
    }

    async fn remove(&self, who: &Principal, id: &str, user: &str) -> Result<bool, Failure> {
        let transaction = self.begin_change(id).await?;
        let (me, user) = (access::user_id(who)?, access::parse(user)?);
        // Everybody may go. Who is let in here is a member, so there is a row to delete.
        let workspace = if me == user {
            access::workspace::<Reading>(&transaction, who, id).await?.id()
        } else {
            access::workspace::<Owning>(&transaction, who, id).await?.id()
        };
        let member = workspace_member::Entity::find_by_id((workspace, user)).one(&transaction).await?;
        let member = member.ok_or(Failure::Refused(ApiError::NotFound))?;
        if member.role == StoredRole::Owner && other_owners(&transaction, workspace, user).await? == 0 {
            return Err(Failure::Refused(Invalid::LastOwner.into()));
        }
        workspace_member::Entity::delete_many().filter(one(workspace, user)).exec(&transaction).await?;
        Audit::commit(transaction, entry(who, Action::WorkspaceMemberRemoved, workspace, user)).await?;
        Ok(me == user)
    }

    async fn list_ownerless(&self, who: &Principal) -> Result<Vec<OwnerlessWorkspace>, Failure> {
        let on = self.store.read();
        let oldest = access::ownerless(who)?
            .column(workspace::Column::CreatedAt)
            .order_by_asc(workspace::Column::CreatedAt)
            .order_by_asc(workspace::Column::Id)
            .limit(OWNERLESS);
        let mut listed = Vec::new();
        for (id, created_at) in oldest.into_tuple::<(Uuid, i64)>().all(on).await? {
            let members = workspace_member::Entity::find().filter(workspace_member::Column::WorkspaceId.eq(id));
            let names = members.clone().inner_join(user::Entity).select_only().column(user::Column::Name);
            listed.push(OwnerlessWorkspace {
                id: id.to_string(),
                created_at,
                members: names.order_by_asc(user::Column::Name).limit(NAMES).into_tuple().all(on).await?,
                member_count: members.count(on).await?,
            });
        }
        Ok(listed)
    }

    async fn adopt(&self, who: &Principal, id: &str, email: &str) -> Result<(), Failure> {
        let by = access::administrator(who)?;
        proof::fresh(who, self.keys.vault().clock().wall_ms())?;
        let transaction = self.begin_change(id).await?;
        let ownerless = access::ownerless_workspace(&transaction, who, id).await?;
        let user = person(&transaction, email).await?;
        let row = workspace::Entity::find_by_id(ownerless.id()).one(&transaction).await?;
        let row = row.ok_or(Failure::Refused(ApiError::NotFound))?;
        // Whoever is a reader or editor already becomes the owner.
        let member = member_row(&row, user, StoredRole::Owner, self.keys.vault().clock().wall_ms(), by);
        let known = OnConflict::columns([workspace_member::Column::WorkspaceId, workspace_member::Column::UserId])
            .update_columns([
                workspace_member::Column::Role,
                workspace_member::Column::AddedAt,
                workspace_member::Column::AddedBy,
            ])
            .to_owned();
        workspace_member::Entity::insert(member).on_conflict(known).exec_without_returning(&transaction).await?;
        let entry = entry(who, Action::WorkspaceMemberAdded, ownerless.id(), user).detail(NAMED_OWNER);
        Ok(Audit::commit(transaction, entry).await?)
    }
}

/// Who could be added, by name.
async fn candidates(on: &impl ConnectionTrait, owned: &WorkspaceAccess<Owning>) -> Result<Vec<Candidate>, Failure> {
    let members = members_of(owned).select_only().column(workspace_member::Column::UserId);
    let others = user::Entity::find()
        .select_only()
        .column(user::Column::Name)
        .column(user::Column::Email)
        .filter(user::Column::DisabledAt.is_null())
        .filter(user::Column::Id.not_in_subquery(sea_orm::QuerySelect::query(&mut members.clone()).to_owned()))
        .order_by_asc(user::Column::Name)
        .order_by_asc(user::Column::Id)
        .limit(CANDIDATES);
    let others: Vec<(String, String)> = others.into_tuple().all(on).await?;
    Ok(others.into_iter().map(|(name, email)| Candidate { name, email }).collect())
}

#[async_trait]
impl WorkspaceMembersPort for Workspaces {
    async fn members(
        &self,
        who: &Principal,
        workspace: &str,
        after: Option<&str>,
    ) -> Result<WorkspaceMembers, ApiError> {
        let found = self.keys.reading(|| self.members_page(who, workspace, after)).await;
        found.map_err(|failure| self.tell(failure))
    }

    async fn add_member(
        &self,
        who: &Principal,
        workspace: &str,
        email: &str,
        role: WorkspaceRole,
    ) -> Result<(), ApiError> {
        self.add(who, workspace, email, role).await.map_err(|failure| self.tell(failure))
    }

    async fn change_role(
        &self,
        who: &Principal,
        workspace: &str,
        user: &str,
        role: WorkspaceRole,
    ) -> Result<(), ApiError> {
        self.change(who, workspace, user, role).await.map_err(|failure| self.tell(failure))
    }

    async fn remove_member(&self, who: &Principal, workspace: &str, user: &str) -> Result<bool, ApiError> {
        self.remove(who, workspace, user).await.map_err(|failure| self.tell(failure))
    }

    async fn ownerless(&self, who: &Principal) -> Result<Vec<OwnerlessWorkspace>, ApiError> {
        self.list_ownerless(who).await.map_err(|failure| self.tell(failure))
    }

    async fn give_owner(&self, who: &Principal, workspace: &str, email: &str) -> Result<(), ApiError> {
        self.adopt(who, workspace, email).await.map_err(|failure| self.tell(failure))
    }

    async fn delete_refused(&self, who: &Principal, workspace: &str) -> Result<(), ApiError> {
        self.delete_refused_workspace(who, workspace).await.map_err(|failure| self.tell(failure))
    }
}
