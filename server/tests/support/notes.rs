//! Many notes at once, as they would be after so many people had each written one.

use super::TestApp;
use sea_orm::EntityTrait;
use server::{
    services::{Services, ids::new_id},
    store::{entities::note, house},
};
use std::sync::Arc;
use uuid::Uuid;
use vault::{DataKey, Place, Scope};

/// Bytes of a note.
pub const NOTE: usize = 512;
/// Rows in a statement, and statements in a transaction.
const ROWS: usize = 500;
const STATEMENTS: usize = 40;

/// A workspace and its current data key.
#[derive(Clone)]
pub struct Workspace {
    pub id: Uuid,
    pub key: Arc<DataKey>,
}

/// Makes one.
pub async fn workspace(app: &TestApp) -> Workspace {
    let id = app.workspace().await.parse().unwrap();
    let key = house::current_key(app.services.store.read(), Scope::Workspace(id)).await.unwrap().unwrap();
    Workspace { id, key: app.services.encryption.keys.key(key).await.unwrap() }
}

/// Adds so many notes.
pub async fn add_notes(services: &Services, workspace: &Workspace, count: usize) {
    let mut left = count;
    while left > 0 {
        let transaction = services.store.begin().await.unwrap();
        for _ in 0..STATEMENTS {
            let rows = left.min(ROWS);
            if rows > 0 {
                let notes = (0..rows).map(|_| note::ActiveModel::from(sealed_note(services, workspace)));
                note::Entity::insert_many(notes).exec_without_returning(&transaction).await.unwrap();
                left -= rows;
            }
        }
        transaction.commit().await.unwrap();
    }
}

fn sealed_note(services: &Services, workspace: &Workspace) -> note::Model {
    let vault = &services.vault;
    let (id, now) = (new_id(vault).unwrap(), vault.clock().wall_ms());
    let mut text = format!("Sounding {id}: ");
    text.extend("the harbour is deep enough here. ".chars().cycle().take(NOTE - text.len()));
    let scope = Scope::Workspace(workspace.id);
    let place = Place { deployment: vault.deployment(), scope, table: "notes", id, column: "text_sealed" };
    note::Model {
        id,
        scope: workspace.id,
        data_key_id: workspace.key.id().0,
        rev: 1,
        text_sealed: vault::seal(&workspace.key, &place, text.as_bytes(), vault.entropy()).unwrap(),
        author_id: None,
        created_at: now,
        updated_at: now,
    }
}
