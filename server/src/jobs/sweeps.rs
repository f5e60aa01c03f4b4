//! Whether the object store may be swept: only if it is this database's, and this database is not an older copy.
//!
//! A server that is started over the right objects with the wrong database (a new one by mistake, or a copy that is being tried)
//! would find that nothing names them. So each sweep has a number, in the database and in an object beside the others,
//! [`MARKER`], together with the name of the deployment. What must stay true: a sweep takes its number in the database first;
//! so the marker is never ahead of the database that wrote it, and is ahead of every copy of it from before.

use super::collector::CollectError;
use crate::{
    services::object_storage::ObjectStorage,
    store::{
        Store, backups, database_now,
        entities::object_sweep::{Column, Entity},
        house,
    },
};
use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait},
};

/// The object that says whose objects these are: the deployment's id, and the number of the last sweep, a line each.
pub const MARKER: &str = "keystead-sweeps";
/// How often the store is swept though no job asks for it; milliseconds.
const EVERY: i64 = 24 * 60 * 60 * 1_000;

/// Whether a sweep is due that no job asks for.
pub async fn is_due(store: &Store) -> Result<bool, DbErr> {
    let now = database_now(store.read()).await?;
    Ok(Entity::find_by_id(1).one(store.read()).await?.is_some_and(|last| now - last.at >= EVERY))
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
    let last = number(store).await?;
    let may_sweep = match storage.read_whole(MARKER).await? {
        Some(marker) if belongs(&marker, &deployment, last) => true,
        Some(_) => {
            tracing::error!(event = "objects_of_another_database", marker = MARKER, "the object store is not swept");
            return Ok(false);
        }
        // Nothing was ever swept; or it was removed by hand, to say that all of this is ours: the next sweep goes by that.
        None => last == 0,
    };
    let now = database_now(store.read()).await?;
    Entity::update_many()
        .col_expr(Column::Number, Expr::col(Column::Number).add(1))
        .col_expr(Column::At, Expr::value(now))
        .filter(Column::Id.eq(1))
        .exec(store.write())
        .await?;
    storage.write_whole(MARKER, format!("{deployment}\n{}\n", number(store).await?)).await?;
    Ok(may_sweep)
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
