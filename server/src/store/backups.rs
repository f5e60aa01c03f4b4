//! Backups of database and object store that fit together, though one is copied after the other and people go on working.
//!
//! What must stay true: an object that a row named at any moment after a backup began is not removed until the backup ends. A
//! row that stops naming its object leaves a note, so it is enough that garbage is not marked for removal meanwhile: the
//! collector tests [`none_is_running`] in the very statement that marks it. What was marked before the backup began, no row
//! named then. Nor does the marker of the object store get ahead of the copy of the database: see `jobs/sweeps.rs`.

use super::{
    database_now,
    entities::{
        backup::{ActiveModel, Column, Entity, Model},
        object_sweep,
    },
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, Query},
};
use std::time::Duration;
use uuid::Uuid;

/// The longest time for which one backup can hold objects back.
pub const LONGEST: Duration = Duration::from_hours(7 * 24);

/// Begins a backup that ends by itself after `longest`, so that one whose script broke off does not keep garbage for ever.
/// `id` is random.
///
/// # Errors
/// When the database fails; then nothing has begun.
pub async fn begin(on: &impl ConnectionTrait, id: Uuid, longest: Duration) -> Result<Model, DbErr> {
    let now = database_now(on).await?;
    Entity::delete_many().filter(Column::ExpiresAt.lte(now)).exec(on).await?;
    let expires_at = now.saturating_add(i64::try_from(longest.min(LONGEST).as_millis()).unwrap_or(i64::MAX));
    let begun = ActiveModel { id: Set(id), begun_at: Set(now), expires_at: Set(expires_at) }.insert(on).await?;
    // Last: whoever is raising the number of the store's marker, and did not see this backup, has done so by now, or finds
    // another number than the one they have read. So no marker gets ahead of a copy that is made from here on.
    object_sweep::Entity::update_many()
        .col_expr(object_sweep::Column::Number, Expr::col(object_sweep::Column::Number).add(1))
        .filter(object_sweep::Column::Id.eq(1))
        .exec(on)
        .await?;
    Ok(begun)
}

/// Ends a backup. `false` if it had ended before, by this or by itself: then what was copied of the object store may lack
/// something, and the backup is to be made again.
///
/// # Errors
/// When the database fails.
pub async fn end(on: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    let now = database_now(on).await?;
    let ended = Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::ExpiresAt.gt(now)).exec(on).await?;
    Ok(ended.rows_affected == 1)
}

/// Whether a backup is being made.
pub async fn is_running(on: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let now = database_now(on).await?;
    Ok(Entity::find().filter(Column::ExpiresAt.gt(now)).count(on).await? > 0)
}

/// The same as a condition of another statement; `now` is the database's time in Unix milliseconds.
pub fn none_is_running(now: i64) -> Condition {
    let running =
        Query::select().expr(Expr::val(1)).from(Entity).and_where(Expr::col(Column::ExpiresAt).gt(now)).take();
    Condition::all().add(Expr::exists(running).not())
}
