//! The collector: removes from the object store what nothing names any more.
//!
//! What must stay true: a note becomes *deleting* in a transaction of its own before its object is touched, so that nobody
//! can redeem it any more; the note goes only after the object has. Each step may be repeated. While a backup is being made,
//! nothing is marked; and while the store is [not this database's](super::sweeps), or that is not known, nothing is removed
//! at all.

use super::{orphans, sweeps};
use crate::{
    services::object_storage::ObjectStorage,
    store::{
        Store, backups, database_now,
        entities::object_note::{self, ObjectNoteState},
        objects,
    },
};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, time::Instant};

/// How often the collector looks without being asked: expired notes have nobody who would ask.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often it looks whether the whole object store is to be gone through for what nothing names.
const SWEEP_LOOK: Duration = Duration::from_mins(1);
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

/// Whose the object store is.
struct Whose {
    /// Whether it was this database's when it was last looked at. Not known is no.
    is_ours: bool,
    /// Until when that is believed.
    until: Instant,
    /// Whether it was said that it is not, so that the alarm is given once.
    is_told: bool,
    /// Whether this server has given the store's marker a new number.
    has_raised: bool,
}

impl Collector {
    /// Collects until it is dropped. A sweep takes long in a large store, and nothing waits for it.
    pub async fn run(self) {
        tokio::join!(self.collect_all(), self.sweep());
    }

    async fn collect_all(&self) {
        let mut whose = Whose { is_ours: false, until: Instant::now(), is_told: false, has_raised: false };
        loop {
            if let Err(error) = self.collect(&mut whose).await {
                tracing::warn!(event = "collector_waits", %error, "garbage could not be removed and is kept for later");
            }
            tokio::select! {
                () = self.garbage.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    async fn sweep(&self) {
        loop {
            tokio::time::sleep(SWEEP_LOOK).await;
            self.find_orphans().await;
        }
    }

    /// Whether the store is this database's: what is not in another one has not been removed from ours. Looked at anew if the
    /// last look is older than [`LOOK_EVERY`].
    async fn is_ours(&self, whose: &mut Whose) -> bool {
        if Instant::now() >= whose.until {
            match sweeps::keep(&self.store, &self.storage, whose.has_raised).await {
                Ok(kept) => {
                    if !kept.is_ours && !whose.is_told {
                        sweeps::alarm();
                    }
                    whose.is_ours = kept.is_ours;
                    whose.is_told = !kept.is_ours;
                    whose.has_raised |= kept.is_raised;
                }
                Err(error) => {
                    tracing::warn!(event = "collector_waits", %error, "it could not be looked whose the object store is");
                    whose.is_ours = false;
                }
            }
            whose.until = Instant::now() + LOOK_EVERY;
        }
        whose.is_ours
    }

    async fn find_orphans(&self) {
        let found = async {
            if sweeps::is_due(&self.store).await? { orphans::find(&self.store, &self.storage).await } else { Ok(0) }
        };
        match found.await {
            Ok(0) => {}
            Ok(found) => tracing::info!(event = "orphans_found", found, "objects that nothing names are removed"),
            Err(error) => {
                tracing::warn!(event = "collector_waits", %error, "it could not be looked for objects that nothing names");
            }
        }
    }

    /// Removes everything that is garbage now, for as long as the store is this database's.
    ///
    /// # Errors
    /// When the database or the object store fails. What was not removed is found again.
    async fn collect(&self, whose: &mut Whose) -> Result<(), CollectError> {
        let mut after = String::new();
        let mut failed = None;
        loop {
            // Before each batch: there may be a great many, and the marker is to be kept meanwhile.
            if !self.is_ours(whose).await {
                return failed.map_or(Ok(()), Err);
            }
            let taken = self.take(&after).await?;
            let Some((last, _)) = taken.last() else { return failed.map_or(Ok(()), Err) };
            after.clone_from(last);
            for (place, upload) in taken {
                // What cannot be removed now must not keep the rest.
                if let Err(error) = self.remove(&place, upload.as_deref()).await {
                    failed = Some(error.into());
                    continue;
                }
                crate::crash::point("collector.object_removed");
                object_note::Entity::delete_many()
                    .filter(object_note::Column::Place.eq(place))
                    .filter(object_note::Column::State.eq(ObjectNoteState::Deleting))
                    .exec(self.store.write())
                    .await?;
                crate::crash::point("collector.note_removed");
            }
        }
    }

    /// Removes an object, and what was sent of it in parts. Those first: completing them would bring the object back.
    async fn remove(&self, place: &str, upload: Option<&str>) -> Result<(), object_store::Error> {
        if let Some(upload) = upload {
            self.storage.abort(place, upload).await?;
            crate::crash::point("collector.upload_aborted");
        }
        self.storage.remove(place).await
    }

    /// Marks what is garbage, and what nobody writes to any more, as being deleted: some places, in order, after `after`,
    /// each with the id of its upload in parts.
    async fn take(&self, after: &str) -> Result<Vec<(String, Option<String>)>, DbErr> {
        let now = database_now(self.store.read()).await?;
        let garbage = object_note::Column::State.eq(ObjectNoteState::Garbage);
        let left = Condition::all()
            .add(object_note::Column::State.eq(ObjectNoteState::Writing))
            .add(object_note::Column::ExpiresAt.lt(now));
        // A copy that a backup makes is not told from its original by the marker before the backup ends. If it is tried over the
        // same store, notes in it expire that were redeemed in the original; but the backup runs in it, too.
        let due = Condition::any()
            .add(object_note::Column::State.eq(ObjectNoteState::Deleting))
            .add(backups::none_is_running(now).add(Condition::any().add(garbage).add(left)));
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
            crate::crash::point("collector.before_marking");
            object_note::Entity::update_many()
                .set(deleting)
                .filter(object_note::Column::Place.is_in(places.iter().cloned()))
                .filter(due)
                .exec(self.store.write())
                .await?;
            crate::crash::point("collector.marked");
        }
        let taken = object_note::Entity::find()
            .select_only()
            .column(object_note::Column::Place)
            .column(object_note::Column::UploadId)
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
