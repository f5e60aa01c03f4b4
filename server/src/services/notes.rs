//! Notes in a workspace: Markdown, sealed whole.

use super::{
    access::{self, Capability, Editing, Reading, WorkspaceAccess},
    data_keys::DataKeys,
    failure::Failure,
    ids::new_id,
    markdown,
    paging::{self, Cursor},
    people,
};
use crate::store::{Store, entities::note};
use app::{
    model::{
        error::{ApiError, Invalid},
        workspace::{Note, Page, Saved, limits},
    },
    ports::Principal,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use std::sync::Arc;
use uuid::Uuid;

const TABLE: &str = "notes";
const TEXT: &str = "text_sealed";

/// The notes of every workspace.
pub struct Notes {
    store: Store,
    keys: Arc<DataKeys>,
}

impl Notes {
    pub fn new(store: Store, keys: Arc<DataKeys>) -> Self {
        Self { store, keys }
    }

    /// One page, newest first.
    pub async fn list(&self, who: &Principal, workspace: &str, after: Option<&str>) -> Result<Page<Note>, Failure> {
        self.keys.reading(|| self.list_once(who, workspace, after)).await
    }

    async fn list_once(&self, who: &Principal, workspace: &str, after: Option<&str>) -> Result<Page<Note>, Failure> {
        let workspace = access::workspace::<Reading>(self.store.read(), who, workspace).await?;
        self.keys.must_be_open(workspace.scope())?;
        let query = paging::newest_first(workspace.notes(), note::Column::CreatedAt, note::Column::Id, after)?;
        let mut rows = query.all(self.store.read()).await?;
        let next = paging::cut(&mut rows, |row| Cursor { created_at: row.created_at, id: row.id });
        let items = self.opened(rows).await?;
        Ok(Page { items, next })
    }

    /// Adds a note.
    pub async fn create(&self, who: &Principal, workspace: &str, text: &str) -> Result<Note, Failure> {
        let text = checked(text)?;
        let workspace = access::workspace::<Editing>(self.store.read(), who, workspace).await?;
        let writing = workspace.begin(&self.keys).await?;
        let id = new_id(self.keys.vault())?;
        let now = self.keys.vault().clock().wall_ms();
        let row = note::Model {
            id,
            scope: workspace.id(),
            data_key_id: writing.key_id(),
            rev: 1,
            text_sealed: self.keys.seal(&writing, TABLE, id, TEXT, text)?,
            author_id: Some(workspace.user()),
            created_at: now,
            updated_at: now,
        };
        let insert = note::Entity::insert(note::ActiveModel::from(row.clone()));
        access::insert_into_workspace(insert.exec_without_returning(&writing.transaction).await)?;
        writing.transaction.commit().await?;
        // From what is at hand: what is stored must not be called a failure because it cannot be read back.
        Ok(shown(&row, text, who.name.clone()))
    }

    /// Saves `text` if the note is still at `rev`; otherwise says how it looks now.
    pub async fn update(
        &self,
        who: &Principal,
        workspace: &str,
        note: &str,
        rev: i64,
        text: &str,
    ) -> Result<Saved<Note>, Failure> {
        let text = checked(text)?;
        let workspace = access::workspace::<Editing>(self.store.read(), who, workspace).await?;
        let id = access::parse(note)?;
        let writing = workspace.begin(&self.keys).await?;
        let update = note::ActiveModel {
            data_key_id: Set(writing.key_id()),
            rev: Set(rev.wrapping_add(1)),
            text_sealed: Set(self.keys.seal(&writing, TABLE, id, TEXT, text)?),
            updated_at: Set(self.keys.vault().clock().wall_ms()),
            ..Default::default()
        };
        let stored = workspace
            .update_notes()
            .set(update)
            .filter(note::Column::Id.eq(id))
            .filter(note::Column::Rev.eq(rev))
            .exec(&writing.transaction)
            .await?;
        if stored.rows_affected == 0 {
            writing.transaction.rollback().await?;
            return Ok(Saved::Conflict(self.keys.reading(|| self.read(&workspace, id)).await?));
        }
        let row = workspace.notes().filter(note::Column::Id.eq(id)).one(&writing.transaction).await?;
        let row = row.ok_or(Failure::Refused(ApiError::NotFound))?;
        let authors = people::names(&writing.transaction, row.author_id.into_iter()).await?;
        writing.transaction.commit().await?;
        let author = people::name(&authors, row.author_id);
        Ok(Saved::Stored(shown(&row, text, author)))
    }

    /// Removes a note. Needs no plaintext.
    pub async fn delete(&self, who: &Principal, workspace: &str, note: &str) -> Result<(), Failure> {
        let workspace = access::workspace::<Editing>(self.store.read(), who, workspace).await?;
        let one = note::Column::Id.eq(access::parse(note)?);
        let deleted = workspace.delete_notes().filter(one).exec(self.store.write()).await?;
        if deleted.rows_affected == 0 { Err(ApiError::NotFound.into()) } else { Ok(()) }
    }

    async fn read(&self, workspace: &WorkspaceAccess<impl Capability>, id: Uuid) -> Result<Note, Failure> {
        let found = workspace.notes().filter(note::Column::Id.eq(id)).one(self.store.read());
        let row = found.await?.ok_or(Failure::Refused(ApiError::NotFound))?;
        self.opened(vec![row]).await?.pop().ok_or(Failure::Refused(ApiError::NotFound))
    }

    async fn opened(&self, rows: Vec<note::Model>) -> Result<Vec<Note>, Failure> {
        let authors = people::names(self.store.read(), rows.iter().filter_map(|row| row.author_id)).await?;
        let mut notes = Vec::with_capacity(rows.len());
        for row in rows {
            let key = self.keys.key(row.data_key_id).await?;
            let scope = vault::Scope::Workspace(row.scope);
            let opened = self.keys.open(&key, scope, TABLE, row.id, TEXT, &row.text_sealed);
            let opened = DataKeys::unless_damaged(TABLE, row.id, opened)?;
            let author = people::name(&authors, row.author_id);
            let damaged = opened.is_none();
            notes.push(Note { damaged, ..shown(&row, &opened.unwrap_or_default(), author) });
        }
        Ok(notes)
    }
}

fn shown(row: &note::Model, text: &str, author: String) -> Note {
    Note {
        id: row.id.to_string(),
        rev: row.rev,
        damaged: false,
        html: markdown::to_safe_html(text),
        text: text.to_owned(),
        author,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

fn checked(text: &str) -> Result<&str, Failure> {
    if text.trim().is_empty() {
        Err(Failure::Refused(Invalid::NoteMissing.into()))
    } else if text.len() > limits::NOTE_BYTES {
        Err(Failure::Refused(Invalid::NoteTooLong.into()))
    } else {
        Ok(text)
    }
}
