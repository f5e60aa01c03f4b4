//! Whether the object store is this database's, and this database not an older copy: only then may anything be removed from it,
//! and may an object that is not there be taken for lost.
//!
//! A server that is started over the right objects with the wrong database (a new one by mistake, or a copy that is being tried)
//! would find that nothing names them, or that others do. So an object beside them, [`MARKER`], holds the name of the deployment
//! and a number. The database holds the same number. Each sweep raises it, and so does one of the servers once a minute; but
//! nobody while a backup is being made, so that the copies fit together. What must stay true: it is raised in the database first,
//! and whoever compares the two reads the marker first; so the marker is never ahead of the database that wrote it, and a minute
//! later is ahead of every copy of it.
//!
//! A store without a marker gets one if it holds what the database names, and not much else: a folder that somebody forgot to
//! mount is empty, and a database that is new by mistake knows nothing of what is there. If anything is there, it is then not
//! swept for a while, because somebody may have removed the marker by mistake.

use super::{collector::CollectError, orphans};
use crate::{
    services::object_storage::ObjectStorage,
    store::{
        Store, backups, database_now,
        entities::{
            object,
            object_sweep::{Column, Entity, Model},
        },
        house,
    },
};
use futures::StreamExt;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, UpdateMany, sea_query::Expr};

/// The object that says whose objects these are: the deployment's id, and a number, a line each.
pub const MARKER: &str = "keystead-sweeps";
/// How many objects are looked for in a store without a marker.
const LOOKED_FOR: u64 = 20;
/// How many of those that it holds are looked up at once.
const LOOKED_UP: usize = 200;
/// How often the store is swept though no job asks for it, and how long it is not after it was found without a marker;
/// milliseconds.
const EVERY: i64 = 24 * 60 * 60 * 1_000;
/// How often the marker gets its next number; milliseconds.
const MARK_EVERY: i64 = 60_000;
/// How much longer a server waits with that which has not done it before: over a copy of the database it must not come before
/// those that work with the database itself; milliseconds.
const NEWCOMERS_WAIT: i64 = 30_000;
/// How often a sweep asks for its number, if others take one in the same moment.
const TURNS: usize = 8;

/// What a look at the marker has shown.
pub struct Kept {
    /// Whether the store is this database's.
    pub is_ours: bool,
    /// Whether the marker got its next number by this look.
    pub is_raised: bool,
}

/// Whether a sweep is due that no job asks for.
pub async fn is_due(store: &Store) -> Result<bool, DbErr> {
    let now = database_now(store.read()).await?;
    let last = Entity::find_by_id(1).one(store.read()).await?;
    Ok(last.is_some_and(|last| now - last.at >= EVERY && now >= last.sweeps_from))
}

/// Whether the object store is this database's. One without a marker gets it if it is.
///
/// # Errors
/// When database or object store fails: then it is not known.
pub async fn is_ours(store: &Store, storage: &ObjectStorage) -> Result<bool, CollectError> {
    Ok(ours(store, storage).await?.is_some())
}

/// The same, and once a minute the marker gets its next number, if nobody else has done it. `has_raised` is whether this server
/// has ever done it. Cost: a read of the marker and three short queries; once a minute an update of one row and a small write.
///
/// # Errors
/// When database or object store fails: then it is not known.
pub async fn keep(store: &Store, storage: &ObjectStorage, has_raised: bool) -> Result<Kept, CollectError> {
    let Some(last) = ours(store, storage).await? else { return Ok(Kept { is_ours: false, is_raised: false }) };
    let now = database_now(store.read()).await?;
    let is_raised =
        is_next_due(now - last.marked_at, has_raised) && mark(store, storage, &last, raised(&last, now)).await?;
    Ok(Kept { is_ours: true, is_raised })
}

/// Says that it is not.
pub fn alarm() {
    tracing::error!(
        event = "objects_of_another_database",
        marker = MARKER,
        "the object store is not this database's, so nothing is removed from it"
    );
}

/// Gives the sweep that begins now its number. `false` if the store must not be swept: it is not this database's, or was without
/// a marker not long ago, or a backup is being made, whose objects would then be ahead of its database.
///
/// # Errors
/// When database or object store fails.
pub async fn begin(store: &Store, storage: &ObjectStorage) -> Result<bool, CollectError> {
    for _ in 0..TURNS {
        let Some(last) = ours(store, storage).await? else {
            alarm();
            return Ok(false);
        };
        let now = database_now(store.read()).await?;
        if now < last.sweeps_from || backups::is_running(store.read()).await? {
            return Ok(false);
        }
        let next = raised(&last, now).col_expr(Column::At, Expr::value(now));
        if mark(store, storage, &last, next).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What the database holds of a store that is its own; nothing if it is not.
async fn ours(store: &Store, storage: &ObjectStorage) -> Result<Option<Model>, CollectError> {
    // Before its number: another server may be raising it, in the database first.
    let marker = storage.read_whole(MARKER).await?;
    let deployment = house::root(store.read()).await?.deployment_id;
    let found = last(store).await?;
    if let Some(marker) = marker {
        return Ok(belongs(&marker, &deployment, found.number).then_some(found));
    }
    if !holds_what_is_named(store, storage).await? {
        return Ok(None);
    }
    let is_new = found.number == 0;
    let (held, strange) = holds_besides(store, storage, is_new).await?;
    let bearable = if is_new { 0 } else { held / 2 };
    if strange > bearable {
        return Ok(None);
    }
    let now = database_now(store.read()).await?;
    let mut next = raised(&found, now).col_expr(Column::At, Expr::value(now));
    if !is_new && held > 0 {
        next = next.col_expr(Column::SweepsFrom, Expr::value(now + EVERY));
    }
    // While a backup is being made, or if another server was quicker, this one puts none down.
    mark(store, storage, &found, next).await?;
    Ok(Some(last(store).await?))
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

/// How many objects were looked up of those that a store without a marker holds, and how many of these the database does not
/// know. A database that has never found its store in order was there before everything that can be in it, so for that all are
/// looked up, until one is found that is not its own.
async fn holds_besides(store: &Store, storage: &ObjectStorage, is_new: bool) -> Result<(usize, usize), CollectError> {
    let (mut held, mut strange) = (0, 0);
    let mut listed = storage.list().chunks(LOOKED_UP);
    while let Some(some) = listed.next().await {
        let places = some.into_iter().collect::<Result<Vec<String>, _>>()?;
        held += places.len();
        strange += orphans::unnamed(store, places).await?.len();
        if strange > 0 || !is_new {
            break;
        }
    }
    Ok((held, strange))
}

async fn last(store: &Store) -> Result<Model, DbErr> {
    let row = Entity::find_by_id(1).one(store.write()).await?;
    row.ok_or_else(|| DbErr::RecordNotFound("the row of `object_sweeps`".to_owned()))
}

/// Whether the marker is to get its next number, so long after the last. A clock that was set back must not keep it where it is.
fn is_next_due(since: i64, has_raised: bool) -> bool {
    let rest = if has_raised { MARK_EVERY } else { MARK_EVERY + NEWCOMERS_WAIT };
    !(0..rest).contains(&since)
}

/// Raises the number, unless somebody else has, or a backup is being made: that is looked at in the same statement.
fn raised(last: &Model, now: i64) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::Number, Expr::value(last.number + 1))
        .col_expr(Column::MarkedAt, Expr::value(now))
        .filter(Column::Id.eq(1))
        .filter(Column::Number.eq(last.number))
        .filter(backups::none_is_running(now))
}

/// Does that, and then writes the marker; `false` if the number was not raised.
async fn mark(
    store: &Store,
    storage: &ObjectStorage,
    last: &Model,
    raised: UpdateMany<Entity>,
) -> Result<bool, CollectError> {
    if raised.exec(store.write()).await?.rows_affected == 0 {
        return Ok(false);
    }
    crate::crash::point("sweep.numbered");
    let deployment = house::root(store.read()).await?.deployment_id;
    storage.write_whole(MARKER, format!("{deployment}\n{}\n", last.number + 1)).await?;
    Ok(true)
}

/// Whether a marker is that of this deployment, and not ahead of its database.
fn belongs(marker: &[u8], deployment: &str, number: i64) -> bool {
    let Ok(marker) = std::str::from_utf8(marker) else { return false };
    let mut lines = marker.lines();
    lines.next() == Some(deployment)
        && lines.next().and_then(|line| line.parse().ok()).is_some_and(|marked: i64| marked <= number)
}

#[cfg(test)]
mod tests {
    use super::{belongs, is_next_due};

    #[test]
    fn a_server_that_has_raised_the_number_before_comes_first() {
        let after = [-1, 0, 59_999, 60_000, 89_999, 90_000];
        assert_eq!(after.map(|since| is_next_due(since, true)), [true, false, false, true, true, true]);
        assert_eq!(after.map(|since| is_next_due(since, false)), [true, false, false, false, false, true]);
    }

    #[test]
    fn a_marker_of_another_deployment_or_of_a_later_state_does_not_belong() {
        assert!(belongs(b"d-1\n7\n", "d-1", 7));
        assert!(belongs(b"d-1\n6\n", "d-1", 7), "who raised the number was killed before the marker was written");
        for other in [&b"d-2\n7\n"[..], b"d-1\n8\n", b"d-1\n", b"d-1\nseven\n", b"", b"\xff"] {
            assert!(!belongs(other, "d-1", 7), "{other:?}");
        }
    }
}
