//! Steps that many tests take.

use crate::support::TestApp;
use app::{
    model::{
        encryption::{DataEncryption, RootKind},
        job::{JobState, JobView},
        workspace::FileEntry,
    },
    ports::{EncryptionPort, Principal, WorkspacesPort},
};
use bytes::Bytes;
use futures::TryStreamExt;
use sea_orm::EntityTrait;
use sea_orm::{ConnectionTrait, QueryResult, Statement};
use server::store::{
    entities::{data_key, file, note, object, workspace},
    sealed_tables::SEALED_TABLES,
};
use std::{collections::HashSet, time::Duration};
use uuid::Uuid;

pub use crate::support::content;

/// Uploads in pieces of an odd size.
pub async fn upload(app: &TestApp, who: &Principal, workspace: &str, name: &str, content: &[u8]) -> FileEntry {
    let size = Some(content.len() as u64);
    let mut upload = app.services.files.begin_upload(who, workspace, name, "text/plain", size).await.unwrap();
    for piece in content.chunks(100_003) {
        upload.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    upload.finish().await.unwrap()
}

pub async fn download(app: &TestApp, who: &Principal, workspace: &str, file: &str) -> Vec<u8> {
    let download = app.services.files.open(who, workspace, file).await.unwrap();
    let range = 0..download.bytes;
    download.stream(range).try_collect::<Vec<Bytes>>().await.unwrap().concat()
}

pub async fn view(app: &TestApp, who: &Principal) -> DataEncryption {
    app.services.encryption.view(who, None).await.unwrap()
}

/// Waits for the end of the unfinished job.
pub async fn job_ended(app: &TestApp, who: &Principal) -> JobView {
    for _ in 0..3_000 {
        let job = view(app, who).await.job.unwrap();
        if !job.state.is_unfinished() {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the job did not end: {:?}", view(app, who).await.job);
}

/// Activates a new key and waits until everything is re-encrypted.
pub async fn activate(app: &TestApp, who: &Principal) -> String {
    let arn = app.keys.create().await;
    app.services.encryption.activate(who, &arn).await.unwrap();
    let job = job_ended(app, who).await;
    assert_eq!(job.state, JobState::Complete, "{job:?}");
    assert_eq!(view(app, who).await.root.kind, RootKind::Customer);
    arn
}

/// Rows of a query in the test's database.
pub async fn rows(app: &TestApp, sql: &str) -> Vec<QueryResult> {
    let on = app.services.store.read();
    on.query_all_raw(Statement::from_string(on.get_database_backend(), sql)).await.unwrap()
}

/// Changes the database behind the server's back.
pub async fn tamper(app: &TestApp, sql: &str) {
    app.services.store.write().execute_unprepared(sql).await.unwrap();
}

/// Checks every stored value: the key id in its header is the one its row names, and that key is its scope's current one.
/// Gives the ids of the data keys in use.
pub async fn headers_agree(app: &TestApp) -> HashSet<Uuid> {
    let on = app.services.store.read();
    let keys = data_key::Entity::find().all(on).await.unwrap();
    let current = |scope: Uuid| {
        let of_scope = |key: &&data_key::Model| key.scope == scope && key.state == data_key::DataKeyState::Current;
        keys.iter().find(of_scope).map(|key| key.id)
    };
    let mut used = HashSet::new();
    let mut agree = |scope: Uuid, named: Uuid, sealed: &[u8]| {
        assert_eq!(vault::key_id_of(sealed).unwrap().0, named);
        assert_eq!(current(scope), Some(named));
        used.insert(named);
    };
    for row in workspace::Entity::find().all(on).await.unwrap() {
        agree(row.scope, row.data_key_id, &row.name_sealed);
        agree(row.scope, row.data_key_id, &row.description_sealed);
    }
    for row in note::Entity::find().all(on).await.unwrap() {
        agree(row.scope, row.data_key_id, &row.text_sealed);
    }
    for row in file::Entity::find().all(on).await.unwrap() {
        agree(row.scope, row.data_key_id, &row.name_sealed);
        agree(row.scope, row.data_key_id, &row.media_type_sealed);
    }
    for row in object::Entity::find().all(on).await.unwrap() {
        let stored = std::fs::read(app.objects.join(&row.place)).unwrap();
        assert_eq!(stored.len() as u64, vault::sealed_len(row.size.unsigned_abs()));
        agree(row.scope, row.data_key_id, &stored);
    }
    assert_eq!(SEALED_TABLES.len(), 3, "a new table with sealed data must be checked here");
    used
}

/// What every note of a workspace says, newest first.
pub async fn texts(app: &TestApp, who: &Principal, workspace: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = app.services.workspaces.notes(who, workspace, after.as_deref()).await.unwrap();
        found.extend(page.items.into_iter().map(|note| note.text));
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

/// A workspace with notes and files of several sizes, and what was put into them.
pub struct Filled {
    pub workspace: String,
    pub notes: Vec<String>,
    pub files: Vec<(String, Vec<u8>)>,
}

impl Filled {
    pub async fn new(app: &TestApp, who: &Principal, name: &str, notes: usize, sizes: &[usize]) -> Self {
        let workspace = app.services.workspaces.create(who, name, "what it is for").await.unwrap().id;
        let mut filled = Self { workspace, notes: Vec::new(), files: Vec::new() };
        for n in 0..notes {
            let text = format!("note {n} of {name}");
            app.services.workspaces.create_note(who, &filled.workspace, &text).await.unwrap();
            filled.notes.push(text);
        }
        for size in sizes {
            let bytes = content(*size);
            let file = upload(app, who, &filled.workspace, &format!("{size}.bin"), &bytes).await;
            filled.files.push((file.id, bytes));
        }
        filled
    }

    /// Reads everything and compares it with what was put in.
    pub async fn is_intact(&self, app: &TestApp, who: &Principal) {
        let mut found = texts(app, who, &self.workspace).await;
        found.reverse();
        assert_eq!(found, self.notes);
        for (file, bytes) in &self.files {
            assert!(download(app, who, &self.workspace, file).await == *bytes, "a file has changed");
        }
    }
}
