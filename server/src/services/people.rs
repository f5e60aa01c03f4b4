//! The names of people beside what they made.

use super::failure::Failure;
use crate::store::entities::user;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// The names of the users with these ids, in one query.
pub async fn names(
    on: &impl ConnectionTrait,
    ids: impl Iterator<Item = Uuid>,
) -> Result<HashMap<Uuid, String>, Failure> {
    let ids: HashSet<Uuid> = ids.collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let query = user::Entity::find().select_only().column(user::Column::Id).column(user::Column::Name);
    let rows: Vec<(Uuid, String)> = query.filter(user::Column::Id.is_in(ids)).into_tuple().all(on).await?;
    Ok(rows.into_iter().collect())
}

/// The name for `id`, or a word for somebody who is no longer here.
pub fn name(names: &HashMap<Uuid, String>, id: Option<Uuid>) -> String {
    id.and_then(|id| names.get(&id)).map_or_else(|| "a former member".to_owned(), Clone::clone)
}
