//! The collector: removes from the object store what nothing names any more.
//!
//! What must stay true: a note becomes *deleting* in a transaction of its own before its object is touched, so that nobody
//! can redeem it any more; the note goes only after the object has. Each step may be repeated.

use crate::{
    services::object_storage::ObjectStorage,
    store::{
        Store, database_now,
        entities::object_note::{self, ObjectNoteState},
        objects,
    },
};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

/// How often the collector looks without being asked: expired notes have nobody who would ask.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How many notes are taken at once.
const BATCH: u64 = 100;

/// Removes garbage from the object store.
#[derive(Clone)]
pub struct Collector {
    pub store: Store,
    pub storage: ObjectStorage,
    /// Rung when there is something to remove.
    pub garbage: Arc<Notify>,
}

impl Collector {
    /// Collects until it is dropped.
    pub async fn run(self) {
        loop {
            if let Err(error) = self.collect().await {
                tracing::warn!(event = "collector_waits", %error, "garbage could not be removed and is kept for later");
            }
            tokio::select! {
                () = self.garbage.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Removes everything that is garbage now.
    ///
    /// # Errors
    /// When the database or the object store fails. What was not removed is found again.
    pub async fn collect(&self) -> Result<(), CollectError> {
        let mut after = String::new();
        let mut failed = None;
        loop {
            let places = self.take(&after).await?;
            let Some(last) = places.last() else { return failed.map_or(Ok(()), Err) };
            after.clone_from(last);
            for place in places {
                // What cannot be removed now must not keep the rest.
                if let Err(error) = self.storage.remove(&place).await {
                    failed = Some(error.into());
                    continue;
                }
                object_note::Entity::delete_many()
                    .filter(object_note::Column::Place.eq(place))
                    .filter(object_note::Column::State.eq(ObjectNoteState::Deleting))
                    .exec(self.store.write())
                    .await?;
            }
        }
    }

    /// Marks what is garbage, and what nobody writes to any more, as being deleted: some places, in order, after `after`.
    async fn take(&self, after: &str) -> Result<Vec<String>, DbErr> {
        let now = database_now(self.store.read()).await?;
        let due = Condition::any()
            .add(object_note::Column::State.is_in([ObjectNoteState::Garbage, ObjectNoteState::Deleting]))
            .add(
                Condition::all()
                    .add(object_note::Column::State.eq(ObjectNoteState::Writing))
                    .add(object_note::Column::ExpiresAt.lt(now)),
            );
        let notes = object_note::Entity::find()
            .filter(due.clone())
            .filter(object_note::Column::Place.gt(after))
            .order_by_asc(object_note::Column::Place)
            .limit(BATCH)
            .all(self.store.read())
            .await?;
        let places: Vec<String> = notes.iter().map(|note| note.place.clone()).collect();
        if notes.iter().any(|note| note.state != ObjectNoteState::Deleting) {
            let deleting = object_note::ActiveModel { state: Set(ObjectNoteState::Deleting), ..objects::discarded() };
            // Tested again: an owner may have renewed its note since it was read.
            object_note::Entity::update_many()
                .set(deleting)
                .filter(object_note::Column::Place.is_in(places.iter().cloned()))
                .filter(due)
                .exec(self.store.write())
                .await?;
        }
        let taken = object_note::Entity::find()
            .select_only()
            .column(object_note::Column::Place)
            .filter(object_note::Column::Place.is_in(places))
            .filter(object_note::Column::State.eq(ObjectNoteState::Deleting))
            .order_by_asc(object_note::Column::Place);
        taken.into_tuple().all(self.store.write()).await
    }
}

/// Why the collector stopped for now.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    #[error("the database failed: {0}")]
    Database(#[from] DbErr),
    #[error("the object store failed: {0}")]
    Objects(#[from] object_store::Error),
}
