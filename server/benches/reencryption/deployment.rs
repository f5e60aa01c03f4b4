//! What is measured on: a workspace full of notes, and jobs that are waited for.

use crate::support::{Browser, PASSWORD, TestApp};
use sea_orm::{ConnectionTrait, EntityTrait};
use server::{
    jobs::queue,
    services::{Services, ids::new_id},
    store::{
        Store,
        entities::{
            job::{self, JobStage, JobState},
            note,
        },
        house,
    },
};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;
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

/// Adds so many notes, as they would be after so many people had each written one.
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
    settle(&services.store).await;
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

/// Lets the database put in order what was written, so that each run begins in the same state.
pub async fn settle(store: &Store) {
    let settle = match store.backend() {
        sea_orm::DbBackend::Postgres => &["VACUUM ANALYZE notes", "CHECKPOINT"][..],
        _ => &["PRAGMA wal_checkpoint(TRUNCATE)"],
    };
    for statement in settle {
        store.write().execute_unprepared(statement).await.unwrap();
    }
}

/// The newest job.
pub async fn job(store: &Store) -> job::Model {
    queue::latest(store.read()).await.unwrap().expect("there is a job")
}

/// Waits until the newest job re-encrypts, or is through with that.
pub async fn until_control(store: &Store) {
    while job(store).await.stage == JobStage::Control {
        sleep(Duration::from_millis(5)).await;
    }
}

/// Waits for the end of the newest job, which must be a good one.
pub async fn until_complete(store: &Store) -> job::Model {
    loop {
        let job = job(store).await;
        if job.finished_at.is_some() {
            assert_eq!(job.state, JobState::Complete, "{job:?}");
            return job;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// An administrator who puts the customer's key in force and the provider's back again, in turns.
pub struct Administrator {
    pub browser: Browser,
    pub arn: String,
    pub is_active: bool,
}

impl Administrator {
    /// Begins the next change of key.
    pub async fn change_key(&mut self) {
        // The sign-in was long ago.
        self.browser.call("give_proof", &[("secret", PASSWORD), ("then", "")]).await;
        let function = if self.is_active { "delete_key" } else { "activate_key" };
        let answer = self.browser.call(function, &[("arn", &self.arn)]).await;
        assert!(answer.status.is_success(), "{}", answer.text());
        self.is_active = !self.is_active;
    }
}
