//! Workspaces: their names and descriptions, and the port through which pages reach everything in them.

use super::{
    access::{self, Editing, Owning, Reading, WorkspaceAccess},
    audit::{Action, Audit, Entry, Object},
    data_keys::DataKeys,
    failure::Failure,
    files::Files,
    ids::new_id,
    notes::Notes,
    workspace_members,
};
use crate::store::{
    Store,
    entities::{data_key, note, object, workspace},
    house,
};
use app::{
    model::{
        error::{ApiError, Invalid},
        workspace::{FileEntry, Note, Page, Saved, Workspace, WorkspaceRole, WorkspaceSummary, limits},
    },
    ports::{Principal, WorkspacesPort},
};
use async_trait::async_trait;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;
use vault::Scope;

const TABLE: &str = "workspaces";
const NAME: &str = "name_sealed";
const DESCRIPTION: &str = "description_sealed";

/// The workspaces of the organization.
pub struct Workspaces {
    pub(super) store: Store,
    pub(super) keys: Arc<DataKeys>,
    notes: Notes,
    pub(super) files: Arc<Files>,
}

/// What is inside a workspace, counted.
#[derive(FromQueryResult)]
struct Inside {
    scope: Uuid,
    items: i64,
    bytes: i64,
    newest: i64,
}

impl Workspaces {
    pub fn new(store: Store, keys: Arc<DataKeys>, files: Arc<Files>) -> Self {
        let notes = Notes::new(store.clone(), Arc::clone(&keys));
        Self { store, keys, notes, files }
    }

    /// Turns a failure into what people are told, with the reason if the data is locked.
    pub(super) fn tell(&self, failure: Failure) -> ApiError {
        failure.tell(self.keys.face())
    }

    async fn get_once(&self, who: &Principal, workspace: &str) -> Result<Workspace, Failure> {
        let workspace = access::workspace::<Reading>(self.store.read(), who, workspace).await?;
        self.opened(workspace.row(), workspace.role()).await
    }

    async fn list_page(&self, who: &Principal, after: Option<&str>) -> Result<Page<WorkspaceSummary>, Failure> {
        access::user_id(who)?;
        self.keys.must_be_open(Scope::Organization)?;
        let (mine, next) = access::newest(self.store.read(), who, after).await?;
        let ids: Vec<Uuid> = mine.iter().map(WorkspaceAccess::id).collect();
        let (notes, files) = tokio::try_join!(self.notes_inside(&ids), self.files_inside(&ids))?;
        let mut items = Vec::with_capacity(mine.len());
        for workspace in mine {
            let row = workspace.row();
            let (notes, files) = (notes.get(&row.id), files.get(&row.id));
            let newest = |inside: Option<&Inside>| inside.map_or(0, |inside| inside.newest);
            let opened = DataKeys::unless_damaged(TABLE, row.id, self.opened(row, workspace.role()).await)?;
            items.push(WorkspaceSummary {
                id: row.id.to_string(),
                damaged: opened.is_none(),
                locked: self.keys.is_locked_alone(row.id),
                name: opened.map(|opened| opened.name).unwrap_or_default(),
                role: workspace.role(),
                notes: notes.map_or(0, |inside| inside.items.unsigned_abs()),
                files: files.map_or(0, |inside| inside.items.unsigned_abs()),
                stored_bytes: files.map_or(0, |inside| inside.bytes.unsigned_abs()),
                updated_at: Ord::max(row.updated_at, Ord::max(newest(notes), newest(files))),
            });
        }
        Ok(Page { items, next })
    }

    async fn notes_inside(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, Inside>, Failure> {
        let query = note::Entity::find()
            .select_only()
            .column(note::Column::Scope)
            .column_as(note::Column::Id.count(), "items")
            .column_as(Expr::value(0_i64).cast_as("BIGINT"), "bytes")
            .column_as(note::Column::UpdatedAt.max(), "newest")
            .filter(note::Column::Scope.is_in(ids.iter().copied()))
            .group_by(note::Column::Scope);
        Ok(by_scope(query.into_model::<Inside>().all(self.store.read()).await?))
    }

    async fn files_inside(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, Inside>, Failure> {
        let query = object::Entity::find()
            .select_only()
            .column(object::Column::Scope)
            .column_as(object::Column::Id.count(), "items")
            .column_as(Expr::col(object::Column::Size).sum().cast_as("BIGINT"), "bytes")
            .column_as(object::Column::CreatedAt.max(), "newest")
            .filter(object::Column::Scope.is_in(ids.iter().copied()))
            .group_by(object::Column::Scope);
        Ok(by_scope(query.into_model::<Inside>().all(self.store.read()).await?))
    }

    pub(super) async fn opened(&self, row: &workspace::Model, role: WorkspaceRole) -> Result<Workspace, Failure> {
        let key = self.keys.key(row.data_key_id).await?;
        let open = |column, sealed| self.keys.open(&key, Scope::Organization, TABLE, row.id, column, sealed);
        Ok(shown(row, role, &open(NAME, &row.name_sealed)?, &open(DESCRIPTION, &row.description_sealed)?))
    }

    async fn create_workspace(&self, who: &Principal, name: &str, description: &str) -> Result<Workspace, Failure> {
        let user = access::user_id(who)?;
        let (name, description) = checked(name, description)?;
        loop {
            let root = house::root(self.store.read()).await?;
            let id = new_id(self.keys.vault())?;
            let scope = Scope::Workspace(id);
            let fresh = self.keys.while_open(self.keys.generate(scope, &root.root_key_arn)).await?;
            let (writing, root) = self.keys.begin_under_lock(Scope::Organization).await?;
            if root.root_key_arn != fresh.root_key_arn {
                // The root key has changed meanwhile, and would not open the fresh key.
                writing.transaction.rollback().await?;
                continue;
            }
            let generation = house::next_generation(&writing.transaction).await?;
            let now = self.keys.vault().clock().wall_ms();
            let row = workspace::Model {
                id,
                scope: Scope::Organization.as_uuid(),
                data_key_id: writing.key_id(),
                rev: 1,
                name_sealed: self.keys.seal(&writing, TABLE, id, NAME, name)?,
                description_sealed: self.keys.seal(&writing, TABLE, id, DESCRIPTION, description)?,
                created_by: Some(user),
                created_at: now,
                updated_at: now,
            };
            let first_key = fresh.row(scope, generation, now);
            data_key::Entity::insert(first_key).exec_without_returning(&writing.transaction).await?;
            let active = workspace::ActiveModel::from(row.clone());
            workspace::Entity::insert(active).exec_without_returning(&writing.transaction).await?;
            workspace_members::first_owner(&writing.transaction, &row, user).await?;
            let entry = Entry::by(who, Action::WorkspaceCreated).on(&Object::Workspace(id));
            Audit::commit(writing.transaction, entry).await?;
            return Ok(shown(&row, WorkspaceRole::Owner, name, description));
        }
    }

    /// Changes the description and, for owners, the name.
    async fn update_workspace(
        &self,
        who: &Principal,
        id: &str,
        rev: i64,
        name: Option<&str>,
        description: &str,
    ) -> Result<Saved<Workspace>, Failure> {
        let on = self.store.read();
        let workspace = match name {
            Some(_) => access::workspace::<Owning>(on, who, id).await?.editing(),
            None => access::workspace::<Editing>(on, who, id).await?,
        };
        let stored_name = if let Some(name) = name {
            name.to_owned()
        } else {
            // Sealed anew beside the description: a write seals every sealed column of its row under one key.
            let now = self.keys.reading(|| self.get_once(who, id)).await?;
            if now.rev != rev {
                return Ok(Saved::Conflict(now));
            }
            now.name
        };
        let (name, description) = checked(&stored_name, description)?;
        let writing = self.keys.begin(Scope::Organization).await?;
        let row = workspace.id();
        let update = workspace::ActiveModel {
            data_key_id: Set(writing.key_id()),
            rev: Set(rev.wrapping_add(1)),
            name_sealed: Set(self.keys.seal(&writing, TABLE, row, NAME, name)?),
            description_sealed: Set(self.keys.seal(&writing, TABLE, row, DESCRIPTION, description)?),
            updated_at: Set(self.keys.vault().clock().wall_ms()),
            ..Default::default()
        };
        let stored = workspace
            .update_workspace()
            .set(update)
            .filter(workspace::Column::Rev.eq(rev))
            .exec(&writing.transaction)
            .await?;
        if stored.rows_affected == 0 {
            writing.transaction.rollback().await?;
            return Ok(Saved::Conflict(self.keys.reading(|| self.get_once(who, id)).await?));
        }
        // Whoever may not any more, since the look before, is refused here.
        let now = workspace.again(&writing.transaction).await?;
        writing.transaction.commit().await?;
        Ok(Saved::Stored(shown(now.row(), now.role(), name, description)))
    }
}

fn shown(row: &workspace::Model, role: WorkspaceRole, name: &str, description: &str) -> Workspace {
    Workspace {
        id: row.id.to_string(),
        rev: row.rev,
        role,
        name: name.to_owned(),
        description: description.to_owned(),
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

fn by_scope(inside: Vec<Inside>) -> HashMap<Uuid, Inside> {
    inside.into_iter().map(|inside| (inside.scope, inside)).collect()
}

/// Name and description as they are stored.
fn checked<'a>(name: &'a str, description: &'a str) -> Result<(&'a str, &'a str), Failure> {
    let (name, description) = (name.trim(), description.trim());
    let wrong = if name.is_empty() {
        Some(Invalid::NameMissing)
    } else if name.chars().count() > limits::NAME_CHARS {
        Some(Invalid::NameTooLong)
    } else if description.chars().count() > limits::DESCRIPTION_CHARS {
        Some(Invalid::DescriptionTooLong)
    } else {
        None
    };
    wrong.map_or(Ok((name, description)), |wrong| Err(Failure::Refused(wrong.into())))
}

#[async_trait]
impl WorkspacesPort for Workspaces {
    async fn list(&self, who: &Principal, after: Option<&str>) -> Result<Page<WorkspaceSummary>, ApiError> {
        let listed = self.keys.reading(|| self.list_page(who, after)).await;
        listed.map_err(|failure| self.tell(failure))
    }

    async fn get(&self, who: &Principal, workspace: &str) -> Result<Workspace, ApiError> {
        let found = self.keys.reading(|| self.get_once(who, workspace)).await;
        found.map_err(|failure| self.tell(failure))
    }

    async fn create(&self, who: &Principal, name: &str, description: &str) -> Result<Workspace, ApiError> {
        self.create_workspace(who, name, description).await.map_err(|failure| self.tell(failure))
    }

    async fn update(
        &self,
        who: &Principal,
        workspace: &str,
        rev: i64,
        name: Option<&str>,
        description: &str,
    ) -> Result<Saved<Workspace>, ApiError> {
        let saved = self.update_workspace(who, workspace, rev, name, description).await;
        saved.map_err(|failure| self.tell(failure))
    }

    async fn delete(&self, who: &Principal, workspace: &str) -> Result<(), ApiError> {
        self.delete_workspace(who, workspace).await.map_err(|failure| self.tell(failure))
    }

    async fn notes(&self, who: &Principal, workspace: &str, after: Option<&str>) -> Result<Page<Note>, ApiError> {
        self.notes.list(who, workspace, after).await.map_err(|failure| self.tell(failure))
    }

    async fn create_note(&self, who: &Principal, workspace: &str, text: &str) -> Result<Note, ApiError> {
        self.notes.create(who, workspace, text).await.map_err(|failure| self.tell(failure))
    }

    async fn update_note(
        &self,
        who: &Principal,
        workspace: &str,
        note: &str,
        rev: i64,
        text: &str,
    ) -> Result<Saved<Note>, ApiError> {
        self.notes.update(who, workspace, note, rev, text).await.map_err(|failure| self.tell(failure))
    }

    async fn delete_note(&self, who: &Principal, workspace: &str, note: &str) -> Result<(), ApiError> {
        self.notes.delete(who, workspace, note).await.map_err(|failure| self.tell(failure))
    }

    async fn files(&self, who: &Principal, workspace: &str, after: Option<&str>) -> Result<Page<FileEntry>, ApiError> {
        self.files.list(who, workspace, after).await.map_err(|failure| self.tell(failure))
    }

    async fn rename_file(
        &self,
        who: &Principal,
        workspace: &str,
        file: &str,
        name: &str,
    ) -> Result<FileEntry, ApiError> {
        self.files.rename(who, workspace, file, name).await.map_err(|failure| self.tell(failure))
    }

    async fn delete_file(&self, who: &Principal, workspace: &str, file: &str) -> Result<(), ApiError> {
        self.files.delete(who, workspace, file).await.map_err(|failure| self.tell(failure))
    }
}
