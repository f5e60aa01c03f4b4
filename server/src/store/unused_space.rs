//! The space that the pages of `SQLite`'s database file do not use. It is to be zero, like all that was deleted.
//!
//! `secure_delete` zeroes a cell that is deleted and a page that is freed. But a page whose cells are moved in order to make room
//! is at times built anew, and what was in its unallocated area before stays there: copies of cells that are elsewhere now, and
//! that outlive them. So those areas are overwritten here, in transactions like any other, through the table `sqlite_dbpage`
//! (<https://www.sqlite.org/dbpage.html>). The format: <https://www.sqlite.org/fileformat2.html>, sections 1.3 and 1.6.
//!
//! What must stay true: only unallocated areas of b-tree pages are written. What kind a page is says its first byte, as long as
//! the first byte of every other kind is 0 or 1: those begin with the number of a page, so that holds below [`TOO_MANY`] pages
//! and without pointer maps, which only files with `auto_vacuum` have. Other files are left alone.

use super::Store;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};
use std::ops::{Range, RangeInclusive};

/// Where a page number may begin with the byte that a b-tree page begins with: 128 GiB, with pages of 4 KiB.
const TOO_MANY: u32 = 0x0200_0000;
/// Where the first page says whether there are pointer maps: its largest root page, or 0.
const POINTER_MAPS: Range<usize> = 52..56;
/// The header of the file, before that of the first page.
const FILE_HEADER: usize = 100;

const LOOK: &str = "WITH RECURSIVE numbers(number) AS (VALUES (?1) UNION ALL SELECT number + 1 FROM numbers WHERE number < ?2) \
    SELECT page.pgno, page.data FROM numbers CROSS JOIN sqlite_dbpage AS page ON page.pgno = number";
const READ: &str = "SELECT pgno, data FROM sqlite_dbpage WHERE pgno = ?1";
const WRITE: &str = "UPDATE sqlite_dbpage SET data = ?2 WHERE pgno = ?1";

/// How many pages the file has.
///
/// # Errors
/// When the database fails, or when it is a file whose pages cannot be told apart.
pub async fn pages(store: &Store) -> Result<u32, DbErr> {
    let counted = store.read().query_one_raw(sqlite("PRAGMA page_count", [])).await?;
    let pages: u32 = counted.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    if pages >= TOO_MANY {
        return Err(DbErr::Custom(format!(
            "the database file has {pages} pages, and {TOO_MANY} are too many to tell which is which"
        )));
    }
    Ok(pages)
}

/// Those of these pages whose unallocated area is not zero.
///
/// # Errors
/// As [`pages`].
pub async fn not_zero(store: &Store, numbers: RangeInclusive<u32>) -> Result<Vec<u32>, DbErr> {
    let values = [(*numbers.start()).into(), (*numbers.end()).into()];
    let rows = store.read().query_all_raw(sqlite(LOOK, values)).await?;
    let mut found = Vec::new();
    for row in rows {
        let (number, page) = page(&row)?;
        if unallocated(number, &page).is_some_and(|area| page[area].iter().any(|byte| *byte != 0)) {
            found.push(number);
        }
    }
    Ok(found)
}

/// Overwrites the unallocated areas of these pages, as they are by now, in one transaction.
///
/// # Errors
/// As [`pages`].
pub async fn overwrite(store: &Store, numbers: &[u32]) -> Result<(), DbErr> {
    let transaction = store.begin().await?;
    if let Some(first) = transaction.query_one_raw(sqlite(READ, [1_u32.into()])).await? {
        let (_, first) = page(&first)?;
        if first.get(POINTER_MAPS).is_none_or(|root| root.iter().any(|byte| *byte != 0)) {
            return Err(DbErr::Custom("the database file was made with auto_vacuum".to_owned()));
        }
    }
    for number in numbers {
        let Some(row) = transaction.query_one_raw(sqlite(READ, [(*number).into()])).await? else { continue };
        let (number, mut page) = page(&row)?;
        let Some(area) = unallocated(number, &page) else { continue };
        page[area].fill(0);
        transaction.execute_raw(sqlite(WRITE, [number.into(), page.into()])).await?;
    }
    transaction.commit().await
}

fn sqlite(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Sqlite, sql, values)
}

fn page(row: &QueryResult) -> Result<(u32, Vec<u8>), DbErr> {
    Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))
}

/// The area between the pointers to the cells of a b-tree page and the cells; `None` for every other page.
fn unallocated(number: u32, page: &[u8]) -> Option<Range<usize>> {
    let header = if number == 1 { FILE_HEADER } else { 0 };
    // Index and table, first within the tree and then at its leaves; those within have a pointer to a page more.
    let pointers = match page.get(header)? {
        2 | 5 => header + 12,
        10 | 13 => header + 8,
        _ => return None,
    };
    let two = |at: usize| Some(usize::from(u16::from_be_bytes(page.get(at..at + 2)?.try_into().ok()?)));
    let (cells, content) = (two(header + 3)?, two(header + 5)?);
    // 65536 does not fit in two bytes.
    let end = if content == 0 { 1 << 16 } else { content };
    let area = pointers + 2 * cells..end;
    (area.start <= area.end && area.end <= page.len()).then_some(area)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page of 512 bytes with two cells in its last 40, and something left before them.
    fn leaf() -> Vec<u8> {
        let mut page = vec![7; 512];
        page[..12].copy_from_slice(&[13, 0, 0, 0, 2, 1, 216, 0, 1, 216, 1, 236]);
        page
    }

    #[test]
    fn the_unallocated_area_lies_between_the_pointers_and_the_cells() {
        assert_eq!(unallocated(7, &leaf()), Some(12..472));
        let mut within = leaf();
        within[0] = 5;
        assert_eq!(unallocated(7, &within), Some(16..472), "with the rightmost page after the header");
        let first = [vec![0; FILE_HEADER], leaf()].concat();
        assert_eq!(unallocated(1, &first), Some(112..472), "cells are counted from the start of the page");
        let mut largest = leaf();
        largest.resize(1 << 16, 0);
        largest[5..7].fill(0);
        assert_eq!(unallocated(7, &largest), Some(12..1 << 16));
    }

    #[test]
    fn no_other_page_has_one() {
        for kind in [0, 1, 3, 4, 14, 255] {
            let mut other = leaf();
            other[0] = kind;
            assert_eq!(unallocated(7, &other), None, "{kind}");
        }
        let mut damaged = leaf();
        damaged[3] = 255;
        assert_eq!(unallocated(7, &damaged), None, "more pointers than there is room for");
        let mut outside = leaf();
        outside[5] = 2;
        outside[6] = 1;
        assert_eq!(unallocated(7, &outside), None, "content that begins after the page");
        assert_eq!(unallocated(7, &leaf()[..6]), None);
        assert_eq!(unallocated(7, &[]), None);
    }
}
