//! What a job has set aside. It is counted by the database, and only some of it is read: there may be a lot.

use super::failure::Failure;
use crate::store::entities::{
    data_key::{self, DataKeyState},
    set_aside,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

/// How many items of a table there are for a reason.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Counted {
    pub item_table: String,
    pub reason: String,
    pub items: i64,
}

/// How many items a job has set aside, by reason and table.
pub async fn counts(on: &impl ConnectionTrait, job: Uuid) -> Result<Vec<Counted>, Failure> {
    let counted = set_aside::Entity::find()
        .select_only()
        .column(set_aside::Column::ItemTable)
        .column(set_aside::Column::Reason)
        .column_as(set_aside::Column::Id.count(), "items")
        .filter(set_aside::Column::JobId.eq(job))
        .group_by(set_aside::Column::Reason)
        .group_by(set_aside::Column::ItemTable)
        .order_by_asc(set_aside::Column::Reason)
        .order_by_asc(set_aside::Column::ItemTable);
    Ok(counted.into_model().all(on).await?)
}

/// All of them together.
pub fn total<'a>(counted: impl IntoIterator<Item = &'a Counted>) -> i64 {
    counted.into_iter().map(|counted| counted.items).sum()
}

/// The first `limit` items that a job has set aside, in a steady order; with `reason`, of those for that reason.
pub async fn first(
    on: &impl ConnectionTrait,
    job: Uuid,
    reason: Option<&str>,
    limit: u64,
) -> Result<Vec<set_aside::Model>, Failure> {
    let mut of_it = set_aside::Entity::find().filter(set_aside::Column::JobId.eq(job));
    if let Some(reason) = reason {
        of_it = of_it.filter(set_aside::Column::Reason.eq(reason));
    }
    let in_order = of_it.order_by_asc(set_aside::Column::ItemTable).order_by_asc(set_aside::Column::ItemId);
    Ok(in_order.limit(limit).all(on).await?)
}

/// Whether anything that was set aside can be tried again, while no job is unfinished: a data key is kept for it. Which job has
/// set it aside, and whether a later one was cancelled or failed, does not matter.
pub async fn is_kept(on: &impl ConnectionTrait) -> Result<bool, Failure> {
    let retiring = data_key::Entity::find().filter(data_key::Column::State.eq(DataKeyState::Retiring));
    Ok(retiring.count(on).await? > 0)
}
