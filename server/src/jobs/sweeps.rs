//! Whether the object store is this database's, and this database not an older copy: only then may anything be removed from it,
//! and may an object that is not there be taken for lost.
//!
//! A server that is started over the right objects with the wrong database (a new one by mistake, or a copy that is being tried)
//! would find that nothing names them. So each sweep has a number, in the database and in an object beside the others,
//! [`MARKER`], together with the name of the deployment. What must stay true: a sweep takes its number in the database first;
//! so the marker is never ahead of the database that wrote it, and is ahead of every copy of it from before.
//!
//! The marker is put down when a server first finds the store in order. A folder that somebody forgot to mount is empty, and so has
//! none; it gets one only if it holds what the database names.

use super::collector::CollectError;
use crate::{
    services::object_storage::ObjectStorage,
    store::{
        Store, backups, database_now,
        entities::{
            object,
            object_sweep::{Column, Entity},
        },
        house,
    },
};
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

/// The object that says whose objects these are: the deployment's id, and the number of the last sweep, a line each.
pub const MARKER: &str = "keystead-sweeps";
/// How many objects are looked for in a store without a marker.
const LOOKED_FOR: u64 = 20;
/// How often the store is swept though no job asks for it; milliseconds.
const EVERY: i64 = 24 * 60 * 60 * 1_000;

/// Whether a sweep is due that no job asks for.
pub async fn is_due(store: &Store) -> Result<bool, DbErr> {
    let now = database_now(store.read()).await?;
    Ok(Entity::find_by_id(1).one(store.read()).await?.is_some_and(|last| now - last.at >= EVERY))
}

/// Whether the object store is this database's. One without a marker gets it if it holds what the database names.
///
/// # Errors
/// When database or object store fails.
pub async fn is_ours(store: &Store, storage: &ObjectStorage) -> Result<bool, CollectError> {
    let deployment = house::root(store.read()).await?.deployment_id;
    let last = number(store).await?;
    if let Some(marker) = storage.read_whole(MARKER).await? {
        return Ok(belongs(&marker, &deployment, last));
    }
    let is_ours = holds_what_is_named(store, storage).await?;
    if is_ours {
        storage.write_whole(MARKER, mark(&deployment, last)).await?;
    }
    Ok(is_ours)
}

/// Says that it is not.
pub fn alarm() {
    tracing::error!(
        event = "objects_of_another_database",
        marker = MARKER,
        "the object store is not this database's, so nothing is removed from it"
    );
}

/// Whether most of the oldest objects are there: somebody may already have written new ones to the wrong place.
async fn holds_what_is_named(store: &Store, storage: &ObjectStorage) -> Result<bool, CollectError> {
    let oldest = object::Entity::find().select_only().column(object::Column::Place);
    let oldest = oldest.order_by_asc(object::Column::CreatedAt).order_by_asc(object::Column::Id).limit(LOOKED_FOR);
    let places: Vec<String> = oldest.into_tuple().all(store.read()).await?;
    let mut there = 0;
    for place in &places {
        match storage.size(place).await {
            Ok(_) => there += 1,
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(there * 2 >= places.len())
}

/// Gives the sweep that begins now its number. `false` if the store must not be swept: it is not this database's, or a backup is
/// being made, whose objects would then be ahead of its database.
///
/// # Errors
/// When database or object store fails.
pub async fn begin(store: &Store, storage: &ObjectStorage) -> Result<bool, CollectError> {
    if backups::is_running(store.read()).await? {
        return Ok(false);
    }
    let deployment = house::root(store.read()).await?.deployment_id;
    // Without a marker nothing was ever swept; or it was removed by hand, to say that all of this is ours: the next sweep goes by
    // that.
    let may_sweep = storage.read_whole(MARKER).await?.is_some() || number(store).await? == 0;
    if !is_ours(store, storage).await? {
        alarm();
        return Ok(false);
    }
    let now = database_now(store.read()).await?;
    Entity::update_many()
        .col_expr(Column::Number, Expr::col(Column::Number).add(1))
        .col_expr(Column::At, Expr::value(now))
        .filter(Column::Id.eq(1))
        .exec(store.write())
        .await?;
    storage.write_whole(MARKER, mark(&deployment, number(store).await?)).await?;
    Ok(may_sweep)
}

/// What a marker says.
fn mark(deployment: &str, number: i64) -> String {
    format!("{deployment}\n{number}\n")
}

async fn number(store: &Store) -> Result<i64, DbErr> {
    Ok(Entity::find_by_id(1).one(store.write()).await?.map_or(0, |last| last.number))
}

/// Whether a marker is that of this deployment, and not ahead of its database.
fn belongs(marker: &[u8], deployment: &str, number: i64) -> bool {
    let Ok(marker) = std::str::from_utf8(marker) else { return false };
    let mut lines = marker.lines();
    lines.next() == Some(deployment)
        && lines.next().and_then(|line| line.parse().ok()).is_some_and(|swept: i64| swept <= number)
}

#[cfg(test)]
mod tests {
    use super::belongs;

    #[test]
    fn a_marker_of_another_deployment_or_of_a_later_sweep_does_not_belong() {
        assert!(belongs(b"d-1\n7\n", "d-1", 7));
        assert!(belongs(b"d-1\n6\n", "d-1", 7), "a sweep that was broken off has no marker yet");
        for other in [&b"d-2\n7\n"[..], b"d-1\n8\n", b"d-1\n", b"d-1\nseven\n", b"", b"\xff"] {
            assert!(!belongs(other, "d-1", 7), "{other:?}");
        }
    }
}
