//! Workspaces: their names and descriptions, and the port through which pages reach everything in them.

use super::{
    access,
    data_keys::DataKeys,
    failure::Failure,
    files::Files,
    ids::new_id,
    notes::Notes,
    paging::{self, Cursor},
};
use crate::store::{
    Store,
    entities::{data_key, file, note, object, object_note, workspace},
    house,
};
use app::{
    model::{
        error::{ApiError, Invalid},
        workspace::{FileEntry, Note, Page, Saved, Workspace, WorkspaceSummary, limits},
    },
    ports::{Principal, WorkspacesPort},
};
use async_trait::async_trait;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, DatabaseTransaction, EntityTrait, FromQueryResult, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;
use vault::{DataKey, Scope};

const TABLE: &str = "workspaces";
const NAME: &str = "name_sealed";
const DESCRIPTION: &str = "description_sealed";

/// The workspaces of the organization.
pub struct Workspaces {
    store: Store,
    keys: Arc<DataKeys>,
    notes: Notes,
    files: Arc<Files>,
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
    fn tell(&self, failure: Failure) -> ApiError {
        failure.tell(self.keys.face())
    }

    async fn get_once(&self, who: &Principal, workspace: &str) -> Result<Workspace, Failure> {
        let workspace = access::workspace(self.store.read(), who, workspace).await?;
        self.opened(workspace.row()).await
    }

    async fn list_page(&self, who: &Principal, after: Option<&str>) -> Result<Page<WorkspaceSummary>, Failure> {
        access::user_id(who)?;
        self.keys.must_be_open(Scope::Organization)?;
        let query = workspace::Entity::find();
        let query = paging::newest_first(query, workspace::Column::CreatedAt, workspace::Column::Id, after)?;
        let mut rows = query.all(self.store.read()).await?;
        let next = paging::cut(&mut rows, |row| Cursor { created_at: row.created_at, id: row.id });
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let (notes, files) = tokio::try_join!(self.notes_inside(&ids), self.files_inside(&ids))?;
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            let (notes, files) = (notes.get(&row.id), files.get(&row.id));
            let newest = |inside: Option<&Inside>| inside.map_or(0, |inside| inside.newest);
            let opened = DataKeys::unless_damaged(TABLE, row.id, self.opened(&row).await)?;
            items.push(WorkspaceSummary {
                id: row.id.to_string(),
                damaged: opened.is_none(),
                locked: self.keys.is_locked_alone(row.id),
                name: opened.map(|opened| opened.name).unwrap_or_default(),
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

    async fn opened(&self, row: &workspace::Model) -> Result<Workspace, Failure> {
        let key = self.keys.key(row.data_key_id).await?;
        self.open_with(&key, row)
    }

    fn open_with(&self, key: &DataKey, row: &workspace::Model) -> Result<Workspace, Failure> {
        let open = |column, sealed| self.keys.open(key, Scope::Organization, TABLE, row.id, column, sealed);
        Ok(shown(row, &open(NAME, &row.name_sealed)?, &open(DESCRIPTION, &row.description_sealed)?))
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
            writing.transaction.commit().await?;
            return Ok(shown(&row, name, description));
        }
    }

    async fn update_workspace(
        &self,
        who: &Principal,
        id: &str,
        rev: i64,
        name: &str,
        description: &str,
    ) -> Result<Saved<Workspace>, Failure> {
        let (name, description) = checked(name, description)?;
        let workspace = access::workspace(self.store.read(), who, id).await?;
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
        let stored = workspace::Entity::update_many()
            .set(update)
            .filter(workspace::Column::Id.eq(row))
            .filter(workspace::Column::Rev.eq(rev))
            .exec(&writing.transaction)
            .await?;
        if stored.rows_affected == 0 {
            writing.transaction.rollback().await?;
            return Ok(Saved::Conflict(self.keys.reading(|| self.get_once(who, id)).await?));
        }
        let now = access::workspace(&writing.transaction, who, id).await?;
        writing.transaction.commit().await?;
        Ok(Saved::Stored(shown(now.row(), name, description)))
    }

    /// Deletes the workspace and all in it. Needs no plaintext, so it also works while the data is locked.
    async fn delete_workspace(&self, who: &Principal, id: &str) -> Result<(), Failure> {
        let transaction = self.store.begin().await?;
        house::lock(&transaction).await?;
        let workspace = access::workspace(&transaction, who, id).await?;
        let id = workspace.id();
        // Whoever writes in the workspace holds one of its data keys first. Taking them all waits for those writers, and
        // those who come later find no key and so no workspace.
        house::take_keys(&transaction, workspace.scope()).await?;
        self.delete_rows(&transaction, id).await?;
        house::next_generation(&transaction).await?;
        transaction.commit().await?;
        self.keys.vault().revoke(Scope::Workspace(id));
        self.files.collect_soon();
        Ok(())
    }

    async fn delete_rows(&self, transaction: &DatabaseTransaction, id: Uuid) -> Result<(), Failure> {
        let now = crate::store::database_now(transaction).await?;
        file::Entity::delete_many().filter(file::Column::Scope.eq(id)).exec(transaction).await?;
        crate::store::objects::discard_all(transaction, Some(id), now).await?;
        // Uploads into the workspace lose their note, and with it the right to finish.
        object_note::Entity::update_many()
            .set(crate::store::objects::discarded())
            .filter(object_note::Column::Scope.eq(id))
            .exec(transaction)
            .await?;
        note::Entity::delete_many().filter(note::Column::Scope.eq(id)).exec(transaction).await?;
        workspace::Entity::delete_by_id(id).exec(transaction).await?;
        data_key::Entity::delete_many().filter(data_key::Column::Scope.eq(id)).exec(transaction).await?;
        Ok(())
    }
}

fn shown(row: &workspace::Model, name: &str, description: &str) -> Workspace {
    Workspace {
        id: row.id.to_string(),
        rev: row.rev,
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
        name: &str,
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
