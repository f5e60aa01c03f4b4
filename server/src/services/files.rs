//! Files in a workspace: what they are called, and the way to their content.

use super::{
    access::{self, Capability, Editing, Reading, WorkspaceAccess},
    data_keys::{DataKeys, Writing},
    download::Download,
    failure::Failure,
    file_names::{checked_media_type, checked_name},
    ids::new_id,
    object_reader::ObjectReader,
    object_writer::{ObjectWriter, ObjectWriting, WrittenObject},
    paging::{self, Cursor},
    people,
    upload::Upload,
};
use crate::store::{
    Store,
    entities::{file, object},
    house,
};
use app::{
    model::{
        error::{ApiError, Invalid},
        workspace::{FileEntry, Page},
    },
    ports::Principal,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait},
};
use std::sync::Arc;
use tokio::sync::Notify;
use uuid::Uuid;
use vault::Scope;

const TABLE: &str = "files";
const NAME: &str = "name_sealed";
const MEDIA_TYPE: &str = "media_type_sealed";
/// How often a download looks for an object that is being rewritten at that moment.
const TURNS: usize = 4;

/// The files of every workspace.
pub struct Files {
    store: Store,
    keys: Arc<DataKeys>,
    writing: ObjectWriting,
    max_bytes: u64,
    /// Rung when there is something to remove from the object store.
    garbage: Arc<Notify>,
}

/// A file and where its content is.
pub struct FoundFile {
    pub file: file::Model,
    pub object: object::Model,
}

impl Files {
    pub fn new(
        store: Store,
        keys: Arc<DataKeys>,
        writing: ObjectWriting,
        max_bytes: u64,
        garbage: Arc<Notify>,
    ) -> Self {
        Self { store, keys, writing, max_bytes, garbage }
    }

    pub fn keys(&self) -> &Arc<DataKeys> {
        &self.keys
    }

    /// The largest file, in bytes.
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// Asks the collector to look now.
    pub fn collect_soon(&self) {
        self.garbage.notify_one();
    }

    /// One page, newest first.
    pub async fn list(
        &self,
        who: &Principal,
        workspace: &str,
        after: Option<&str>,
    ) -> Result<Page<FileEntry>, Failure> {
        self.keys.reading(|| self.list_once(who, workspace, after)).await
    }

    async fn list_once(
        &self,
        who: &Principal,
        workspace: &str,
        after: Option<&str>,
    ) -> Result<Page<FileEntry>, Failure> {
        let workspace = access::workspace::<Reading>(self.store.read(), who, workspace).await?;
        self.keys.must_be_open(workspace.scope())?;
        let query = paging::newest_first(workspace.files(), file::Column::CreatedAt, file::Column::Id, after)?;
        let mut rows = query.all(self.store.read()).await?;
        let next = paging::cut(&mut rows, |row| Cursor { created_at: row.created_at, id: row.id });
        let items = self.opened(&workspace, rows).await?;
        Ok(Page { items, next })
    }

    /// Gives a file another name. Its content is not touched.
    pub async fn rename(&self, who: &Principal, workspace: &str, file: &str, name: &str) -> Result<FileEntry, Failure> {
        let name = checked_name(name)?;
        let workspace = access::workspace::<Editing>(self.store.read(), who, workspace).await?;
        let found = self.find(&workspace, access::parse(file)?).await?;
        let media_type = self.open_column(&found.file, MEDIA_TYPE, &found.file.media_type_sealed).await?;
        let writing = workspace.begin(&self.keys).await?;
        let (name_sealed, media_type_sealed) = self.seal_both(&writing, found.file.id, name, &media_type)?;
        let update = file::ActiveModel {
            data_key_id: Set(writing.key_id()),
            name_sealed: Set(name_sealed),
            media_type_sealed: Set(media_type_sealed),
            updated_at: Set(self.keys.vault().clock().wall_ms()),
            ..Default::default()
        };
        let stored = workspace
            .update_files()
            .set(update)
            .col_expr(file::Column::Rev, Expr::col(file::Column::Rev).add(1))
            .filter(file::Column::Id.eq(found.file.id))
            .exec(&writing.transaction)
            .await?;
        writing.transaction.commit().await?;
        if stored.rows_affected == 0 {
            return Err(ApiError::NotFound.into());
        }
        self.one(&workspace, self.find(&workspace, found.file.id).await?.file).await
    }

    /// Removes a file; its content becomes garbage in the same transaction. Needs no plaintext.
    pub async fn delete(&self, who: &Principal, workspace: &str, file: &str) -> Result<(), Failure> {
        let id = access::parse(file)?;
        let transaction = self.store.begin().await?;
        let workspace = access::workspace::<Editing>(&transaction, who, workspace).await?;
        let row = workspace.files().filter(file::Column::Id.eq(id)).one(&transaction).await?;
        let row = row.ok_or(Failure::Refused(ApiError::NotFound))?;
        let deleted = workspace.delete_files().filter(file::Column::Id.eq(id)).exec(&transaction).await?;
        if deleted.rows_affected == 0 {
            return Err(ApiError::NotFound.into());
        }
        // Read for update: a job may be pointing the row at another object.
        let object = workspace.objects().filter(object::Column::Id.eq(row.object_row));
        let object = sea_orm::QuerySelect::lock_exclusive(object).one(&transaction).await?;
        let object = object.ok_or(Failure::Inconsistent("a file has no object"))?;
        crate::store::objects::discard(&transaction, &object.place).await?;
        workspace.delete_objects().filter(object::Column::Id.eq(object.id)).exec(&transaction).await?;
        crate::crash::point("file.before_deleting");
        transaction.commit().await?;
        crate::crash::point("file.deleted");
        self.collect_soon();
        Ok(())
    }

    /// Begins to take a file in. `declared` is its size, if the client said one.
    ///
    /// # Errors
    /// What people are told: a wrong name, too large, no such workspace, locked.
    pub async fn begin_upload(
        self: &Arc<Self>,
        who: &Principal,
        workspace: &str,
        name: &str,
        media_type: &str,
        declared: Option<u64>,
    ) -> Result<Upload, ApiError> {
        let begun = async {
            let name = checked_name(name)?.to_owned();
            if declared.is_some_and(|bytes| bytes > self.max_bytes) {
                return Err(Failure::Refused(Invalid::FileTooLarge.into()));
            }
            let workspace = access::workspace::<Editing>(self.store.read(), who, workspace).await?;
            let writer = self.writer(&workspace, declared).await?;
            let media_type = checked_media_type(media_type);
            Ok(Upload::new(Arc::clone(self), workspace, name, media_type, writer))
        };
        begun.await.map_err(|failure| self.tell(failure))
    }

    /// A writer under the current data key. If a job has destroyed that key a moment later, there is a newer one.
    async fn writer(&self, workspace: &WorkspaceAccess<Editing>, size: Option<u64>) -> Result<ObjectWriter, Failure> {
        let mut last = Failure::Refused(ApiError::NotFound);
        for _ in 0..TURNS {
            let current = house::current_key(self.store.read(), workspace.scope()).await?;
            let key = self.keys.key(current.ok_or(Failure::Refused(ApiError::NotFound))?).await?;
            match ObjectWriter::begin(&self.writing, workspace.scope(), &key, size).await {
                Err(failure) if failure.is_missing_reference() => last = failure,
                other => return other,
            }
        }
        access::insert_into_workspace(Err(last))
    }

    /// Writes the rows of a file whose content is complete.
    pub(super) async fn add(
        &self,
        workspace: &WorkspaceAccess<Editing>,
        name: &str,
        media_type: &str,
        written: WrittenObject,
    ) -> Result<FileEntry, Failure> {
        let writing = workspace.begin(&self.keys).await?;
        let now = self.keys.vault().clock().wall_ms();
        let size = written.size;
        let object_row = new_id(self.keys.vault())?;
        let object = object::Model {
            id: object_row,
            scope: workspace.id(),
            data_key_id: written.data_key_id(),
            rev: 1,
            object_id: written.id(),
            place: written.place().to_owned(),
            size: i64::try_from(written.size).map_err(|_| Failure::Refused(Invalid::FileTooLarge.into()))?,
            created_at: now,
        };
        let id = new_id(self.keys.vault())?;
        let (name_sealed, media_type_sealed) = self.seal_both(&writing, id, name, media_type)?;
        let row = file::Model {
            id,
            scope: workspace.id(),
            data_key_id: writing.key_id(),
            rev: 1,
            name_sealed,
            media_type_sealed,
            object_row,
            uploaded_by: Some(workspace.user()),
            created_at: now,
            updated_at: now,
        };
        // Held before the note goes: a job that is about to destroy this key waits, and then finds the object.
        if !house::hold_key(&writing.transaction, written.data_key_id()).await? {
            return Err(Failure::Inconsistent("a data key was destroyed under an upload"));
        }
        if let Err(failure) = written.redeem(&writing.transaction).await {
            writing.transaction.rollback().await?;
            if matches!(failure, Failure::Refused(_)) {
                written.remove_unnoted().await?;
            }
            return Err(failure);
        }
        let insert = object::Entity::insert(object::ActiveModel::from(object));
        access::insert_into_workspace(insert.exec_without_returning(&writing.transaction).await)?;
        let insert = file::Entity::insert(file::ActiveModel::from(row.clone()));
        access::insert_into_workspace(insert.exec_without_returning(&writing.transaction).await)?;
        crate::crash::point("file.before_commit");
        writing.transaction.commit().await?;
        crate::crash::point("file.after_commit");
        written.keep();
        let names = people::names(self.store.read(), [workspace.user()].into_iter()).await.unwrap_or_default();
        Ok(FileEntry {
            id: id.to_string(),
            name: name.to_owned(),
            damaged: false,
            media_type: media_type.to_owned(),
            bytes: size,
            uploaded_by: people::name(&names, Some(workspace.user())),
            created_at: now,
        })
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    /// What people are told: no such file, locked, damaged.
    pub async fn open(self: &Arc<Self>, who: &Principal, workspace: &str, file: &str) -> Result<Download, ApiError> {
        let opened = self.keys.reading(|| self.open_once(who, workspace, file)).await;
        opened.map_err(|failure| self.tell(failure))
    }

    async fn open_once(self: &Arc<Self>, who: &Principal, workspace: &str, file: &str) -> Result<Download, Failure> {
        let workspace = access::workspace::<Reading>(self.store.read(), who, workspace).await?;
        let found = self.find(&workspace, access::parse(file)?).await?;
        let name = self.open_column(&found.file, NAME, &found.file.name_sealed).await?;
        let media_type = self.open_column(&found.file, MEDIA_TYPE, &found.file.media_type_sealed).await?;
        let reader = self.reader(&workspace, found.object.id).await?;
        if reader.size() == 0 {
            // Nothing will be streamed, so its one chunk, which proves that nothing was cut off, is opened here.
            reader.read(0..0).await?;
        }
        Ok(Download::new(Arc::clone(self), workspace, &found, name, media_type, reader))
    }

    /// A reader for the object that the row names now. While a job rewrites it, the row may name another a moment later.
    pub(super) async fn reader(
        &self,
        workspace: &WorkspaceAccess<Reading>,
        object_row: Uuid,
    ) -> Result<ObjectReader, Failure> {
        let mut last = Failure::Refused(ApiError::NotFound);
        for _ in 0..TURNS {
            let row = workspace.objects().filter(object::Column::Id.eq(object_row));
            let row = row.one(self.store.read()).await?.ok_or(Failure::Refused(ApiError::NotFound))?;
            let opened = match self.keys.key(row.data_key_id).await {
                Ok(key) => ObjectReader::open(&self.writing.storage, self.keys.vault(), &key, &row).await,
                Err(failure) => Err(failure),
            };
            match opened {
                Ok(reader) => return Ok(reader),
                Err(failure) if is_gone(&failure) => last = failure,
                Err(failure) => return Err(failure),
            }
        }
        Err(last)
    }

    pub(super) fn tell(&self, failure: Failure) -> ApiError {
        failure.tell(self.keys.face())
    }

    /// The same for what was being done in a workspace, which may have been locked alone or deleted meanwhile.
    pub(super) async fn tell_in(&self, workspace: &WorkspaceAccess<Editing>, failure: Failure) -> ApiError {
        let face = self.keys.face_in(workspace.id());
        if face.is_none() && matches!(failure, Failure::Locked) {
            let is_there = access::exists(self.store.read(), workspace).await;
            if matches!(is_there, Ok(false)) {
                return ApiError::NotFound;
            }
        }
        failure.tell(face)
    }

    async fn find(&self, workspace: &WorkspaceAccess<impl Capability>, id: Uuid) -> Result<FoundFile, Failure> {
        let not_found = || Failure::Refused(ApiError::NotFound);
        let file = workspace.files().filter(file::Column::Id.eq(id)).one(self.store.read());
        let file = file.await?.ok_or_else(not_found)?;
        let object = workspace.objects().filter(object::Column::Id.eq(file.object_row)).one(self.store.read()).await?;
        Ok(FoundFile { object: object.ok_or_else(not_found)?, file })
    }

    fn seal_both(
        &self,
        writing: &Writing,
        id: Uuid,
        name: &str,
        media_type: &str,
    ) -> Result<(Vec<u8>, Vec<u8>), Failure> {
        let name = self.keys.seal(writing, TABLE, id, NAME, name)?;
        Ok((name, self.keys.seal(writing, TABLE, id, MEDIA_TYPE, media_type)?))
    }

    async fn open_column(&self, row: &file::Model, column: &str, sealed: &[u8]) -> Result<String, Failure> {
        let key = self.keys.key(row.data_key_id).await?;
        let opened = self.keys.open(&key, Scope::Workspace(row.scope), TABLE, row.id, column, sealed)?;
        Ok(opened.to_string())
    }

    async fn open_both(&self, row: &file::Model) -> Result<(String, String), Failure> {
        let name = self.open_column(row, NAME, &row.name_sealed).await?;
        Ok((name, self.open_column(row, MEDIA_TYPE, &row.media_type_sealed).await?))
    }

    async fn one(&self, workspace: &WorkspaceAccess<impl Capability>, row: file::Model) -> Result<FileEntry, Failure> {
        self.opened(workspace, vec![row]).await?.pop().ok_or(Failure::Refused(ApiError::NotFound))
    }

    async fn opened(
        &self,
        workspace: &WorkspaceAccess<impl Capability>,
        rows: Vec<file::Model>,
    ) -> Result<Vec<FileEntry>, Failure> {
        let people = people::names(self.store.read(), rows.iter().filter_map(|row| row.uploaded_by)).await?;
        let objects = workspace.objects().filter(object::Column::Id.is_in(rows.iter().map(|row| row.object_row)));
        let objects = objects.all(self.store.read()).await?;
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows {
            // A file that was deleted between the two queries is left out.
            let Some(object) = objects.iter().find(|object| object.id == row.object_row) else { continue };
            let opened = DataKeys::unless_damaged(TABLE, row.id, self.open_both(&row).await)?;
            let damaged = opened.is_none();
            let (name, media_type) = opened.unwrap_or_default();
            entries.push(FileEntry {
                id: row.id.to_string(),
                name,
                damaged,
                media_type,
                bytes: object.size.unsigned_abs(),
                uploaded_by: people::name(&people, row.uploaded_by),
                created_at: row.created_at,
            });
        }
        Ok(entries)
    }
}

/// Whether the object, or the data key that its row named, may just have been replaced by a job.
pub(super) fn is_gone(failure: &Failure) -> bool {
    matches!(failure, Failure::Objects(object_store::Error::NotFound { .. }) | Failure::Superseded)
}
