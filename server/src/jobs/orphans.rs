//! What no row and no note names, and the object store still holds: objects that came to be after their note had expired, files
//! that a killed server has left half-written, and uploads whose id nobody came to note, or whose last part came after they had
//! been aborted. Rare, and never seen by anybody, but not to be kept.
//!
//! What must stay true: nothing that is named is removed. A path is written to only while a note says so, and the note goes in
//! the transaction in which a row begins to name the path; so a path that the store had *before* the database was asked, and
//! that the database knows neither by row nor by note *afterwards*, is nobody's. It gets a note as garbage, and the collector
//! takes it from there.

use super::{collector::CollectError, sweeps};
use crate::{
    services::object_storage::ObjectStorage,
    store::{
        Store, database_now,
        entities::{object, object_note},
        objects::discarded,
    },
};
use futures::StreamExt;
use sea_orm::{ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, sea_query::OnConflict};
use std::collections::HashSet;

/// Paths that are looked up at once.
const BATCH: usize = 500;

/// Goes through the object store once, if [it may be swept](sweeps), and gives what is nobody's to the collector. Gives back how
/// many there were. Cost: one listing of the store, and one look by index for each 500 objects.
///
/// # Errors
/// When database or object store fails. What was not found is found the next time.
pub async fn find(store: &Store, storage: &ObjectStorage) -> Result<u64, CollectError> {
    if !sweeps::begin(store, storage).await? {
        return Ok(0);
    }
    abort_uploads(store, storage).await?;
    let mut found = 0;
    let mut listed = storage.list().ready_chunks(BATCH);
    while let Some(some) = listed.next().await {
        let places = some.into_iter().collect::<Result<Vec<String>, _>>()?;
        let orphans = unnamed(store, places).await?;
        found += orphans.len() as u64;
        discard(store, orphans).await?;
    }
    Ok(found)
}

/// Aborts every upload in parts that no note speaks of. A note is there before an upload begins, and goes only after it has ended.
async fn abort_uploads(store: &Store, storage: &ObjectStorage) -> Result<(), CollectError> {
    let uploads = match storage.unfinished().await {
        Ok(uploads) => uploads,
        Err(error) => {
            // Nothing of value is lost, and the server may simply not be allowed to list them.
            tracing::info!(event = "uploads_not_listed", %error, "uploads that nobody has ended are left to the bucket's rules");
            return Ok(());
        }
    };
    for some in uploads.chunks(BATCH) {
        let noted = noted(store, some.iter().map(|upload| upload.place.clone())).await?;
        for upload in some.iter().filter(|upload| !noted.contains(&upload.place)) {
            storage.abort(&upload.place, &upload.id).await?;
        }
    }
    Ok(())
}

/// Those that a note names.
async fn noted(store: &Store, places: impl Iterator<Item = String>) -> Result<HashSet<String>, DbErr> {
    let noted = object_note::Entity::find().select_only().column(object_note::Column::Place);
    let noted = noted.filter(object_note::Column::Place.is_in(places));
    Ok(noted.into_tuple::<String>().all(store.read()).await?.into_iter().collect())
}

/// Those that neither a row nor a note names. They were in the store before this is asked.
pub(super) async fn unnamed(store: &Store, places: Vec<String>) -> Result<Vec<String>, DbErr> {
    // Notes first: one that goes between the two questions goes because a row names the path by then, or because the object
    // has gone.
    let mut named = noted(store, places.iter().cloned()).await?;
    let rows = object::Entity::find().select_only().column(object::Column::Place);
    let rows = rows.filter(object::Column::Place.is_in(places.iter().cloned()));
    named.extend(rows.into_tuple::<String>().all(store.read()).await?);
    Ok(places.into_iter().filter(|place| !named.contains(place)).collect())
}

async fn discard(store: &Store, places: Vec<String>) -> Result<(), DbErr> {
    if places.is_empty() {
        return Ok(());
    }
    let on = store.write();
    let now = database_now(on).await?;
    let notes = places.into_iter().map(|place| object_note::ActiveModel {
        place: Set(place),
        expires_at: Set(now),
        created_at: Set(now),
        upload_id: Set(None),
        ..discarded()
    });
    // Another server may have found the same.
    let once = OnConflict::column(object_note::Column::Place).do_nothing().to_owned();
    object_note::Entity::insert_many(notes).on_conflict(once).try_insert().exec_without_returning(on).await?;
    Ok(())
}
