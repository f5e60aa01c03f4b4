//! Pages of lists that are ordered newest first: by when a row was made, then by its id.

use crate::services::failure::Failure;
use app::model::error::ApiError;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, ExprTrait},
};
use uuid::Uuid;

/// How many items a page has at most.
pub const PAGE: usize = 50;

/// The position after an item: what `Page::next` carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub created_at: i64,
    pub id: Uuid,
}

impl Cursor {
    /// What [`Self::write`] wrote; anything else is an address that does not exist.
    pub fn read(text: &str) -> Result<Self, Failure> {
        let parsed = text.split_once('.').and_then(|(created_at, id)| {
            Some(Self { created_at: created_at.parse().ok()?, id: Uuid::try_parse(id).ok()? })
        });
        parsed.ok_or(Failure::Refused(ApiError::NotFound))
    }

    pub fn write(self) -> String {
        format!("{}.{}", self.created_at, self.id.simple())
    }
}

/// Orders `query` newest first, from after `cursor` on, and asks for one row more than a page has, so that it is known
/// whether there is another page. Cost: one index range of a page's length, however long the list is.
pub fn newest_first<E: EntityTrait>(
    query: Select<E>,
    created_at: impl ColumnTrait,
    id: impl ColumnTrait,
    after: Option<&str>,
) -> Result<Select<E>, Failure> {
    let mut query = query;
    if let Some(after) = after {
        let cursor = Cursor::read(after)?;
        let older = Condition::any().add(Expr::col(created_at.as_column_ref()).lt(cursor.created_at)).add(
            Condition::all()
                .add(Expr::col(created_at.as_column_ref()).eq(cursor.created_at))
                .add(Expr::col(id.as_column_ref()).lt(cursor.id)),
        );
        query = query.filter(older);
    }
    Ok(query.order_by_desc(created_at).order_by_desc(id).limit(PAGE as u64 + 1))
}

/// Cuts the extra row off and says where the next page begins, if there is one.
pub fn cut<T>(rows: &mut Vec<T>, cursor: impl Fn(&T) -> Cursor) -> Option<String> {
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    rows.last().filter(|_| more).map(|last| cursor(last).write())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_what_it_wrote_and_nothing_else() {
        let cursor = Cursor { created_at: 1_795_000_000_123, id: Uuid::from_u128(7) };
        assert_eq!(Cursor::read(&cursor.write()).ok(), Some(cursor));
        for wrong in ["", ".", "1", "1.", "x.00000000000000000000000000000007", "1.7", "1.2.3"] {
            assert!(Cursor::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn there_is_a_next_page_only_if_a_row_is_left_over() {
        let cursor = |n: &i64| Cursor { created_at: *n, id: Uuid::nil() };
        let last = i64::try_from(PAGE).unwrap();
        let mut full: Vec<i64> = (0..last).collect();
        assert_eq!(cut(&mut full, cursor), None);
        let mut over: Vec<i64> = (0..=last).collect();
        assert_eq!(cut(&mut over, cursor), Some(cursor(&(last - 1)).write()));
        assert_eq!(over.len(), PAGE);
    }
}
