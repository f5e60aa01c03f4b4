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
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, QueryResult, Statement, Value};
use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, ErrorKind},
    ops::Range,
    os::unix::fs::FileExt,
    path::PathBuf,
};

/// Where a page number may begin with the byte that a b-tree page begins with: 128 GiB, with pages of 4 KiB.
const TOO_MANY: u32 = 0x0200_0000;
/// The header of the file, before that of the first page. In it, the number of pages, and the largest root page or 0: without
/// pointer maps there is none.
const FILE_HEADER: usize = 100;
const PAGES: Range<usize> = 28..32;
const LARGEST_ROOT: Range<usize> = 52..56;
/// How many pages are read in one go.
const AT_ONCE: usize = 256;

const READ: &str = "SELECT page.pgno, page.data FROM json_each(?1) AS number CROSS JOIN sqlite_dbpage AS page \
    ON page.pgno = number.value";
const WRITE: &str = "UPDATE sqlite_dbpage SET data = ?2 WHERE pgno = ?1";

/// How many pages the file has.
///
/// # Errors
/// When the database fails.
pub async fn pages(on: &impl ConnectionTrait) -> Result<u32, DbErr> {
    let counted = on.query_one_raw(sqlite("PRAGMA page_count", [])).await?;
    counted.map_or(Ok(0), |row| row.try_get_by_index(0))
}

/// Where the write-ahead log is; `None` for a database in memory.
///
/// # Errors
/// When the database fails.
pub async fn log_of(on: &impl ConnectionTrait) -> Result<Option<PathBuf>, DbErr> {
    let listed = on.query_one_raw(sqlite("PRAGMA database_list", [])).await?;
    let file: String = listed.map_or(Ok(String::new()), |row| row.try_get("", "file"))?;
    Ok((!file.is_empty()).then(|| format!("{file}-wal").into()))
}

/// Those of these pages whose unallocated area is not zero.
///
/// # Errors
/// When the database fails.
pub async fn not_zero(on: &impl ConnectionTrait, numbers: impl IntoIterator<Item = u32>) -> Result<Vec<u32>, DbErr> {
    let found = leftovers(on, &numbers.into_iter().collect::<Vec<_>>()).await?;
    Ok(found.into_iter().map(|(number, _)| number).collect())
}

/// Overwrites the unallocated areas of these pages, as they are by now, in one transaction.
///
/// # Errors
/// When the database fails, or when it is a file whose pages cannot be told apart.
pub async fn overwrite(store: &Store, numbers: &[u32]) -> Result<(), DbErr> {
    let transaction = store.begin().await?;
    write(&transaction, numbers).await?;
    transaction.commit().await
}

/// The same, for these pages and for all that were written to since they were read in `moment`, a transaction that only reads and
/// is open until then.
///
/// The database moves whole pages to other numbers when it divides them, with what is in their unallocated areas. So what was
/// there in that moment is by now on the same pages, or on others that were written since: those are in the write-ahead log,
/// which does not begin anew before the transaction has ended. `log` is where it is.
///
/// # Errors
/// As [`overwrite`].
pub async fn overwrite_all_since(
    store: &Store,
    moment: DatabaseTransaction,
    numbers: Vec<u32>,
    log: PathBuf,
) -> Result<(), DbErr> {
    let transaction = store.begin().await?;
    let mut numbers = BTreeSet::from_iter(numbers);
    let written = tokio::task::spawn_blocking(move || pages_in(&log)).await;
    let written = written.map_err(io::Error::other).flatten();
    numbers.extend(written.map_err(|error| DbErr::Custom(format!("the write-ahead log cannot be read: {error}")))?);
    write(&transaction, &Vec::from_iter(numbers)).await?;
    transaction.commit().await?;
    moment.rollback().await
}

async fn write(on: &DatabaseTransaction, numbers: &[u32]) -> Result<(), DbErr> {
    for some in numbers.chunks(AT_ONCE) {
        // Looked at each time, as the file may have grown.
        for first in on.query_all_raw(sqlite(READ, ["[1]".into()])).await? {
            let (_, first) = page(&first)?;
            can_be_told_apart(&first).map_err(|why| DbErr::Custom(why.to_owned()))?;
        }
        for (number, page) in leftovers(on, some).await? {
            on.execute_raw(sqlite(WRITE, [number.into(), page.into()])).await?;
        }
    }
    Ok(())
}

/// Those of these pages whose unallocated area is not zero, as they are to be.
async fn leftovers(on: &impl ConnectionTrait, numbers: &[u32]) -> Result<Vec<(u32, Vec<u8>)>, DbErr> {
    let list = serde_json::to_string(numbers).map_err(|error| DbErr::Json(error.to_string()))?;
    let mut found = Vec::new();
    for row in on.query_all_raw(sqlite(READ, [list.into()])).await? {
        let (number, mut page) = page(&row)?;
        let Some(area) = unallocated(number, &page) else { continue };
        if page[area.clone()].iter().any(|byte| *byte != 0) {
            page[area].fill(0);
            found.push((number, page));
        }
    }
    Ok(found)
}

/// The numbers of the pages in a write-ahead log, from its beginning to where what is left of an earlier one begins. Format:
/// <https://www.sqlite.org/fileformat2.html>, section 4.1.
fn pages_in(log: &PathBuf) -> io::Result<BTreeSet<u32>> {
    let (mut pages, log) = (BTreeSet::new(), File::open(log)?);
    let (mut header, mut frame) = ([0; 32], [0; 24]);
    if log.metadata()?.len() < header.len() as u64 {
        return Ok(pages);
    }
    log.read_exact_at(&mut header, 0)?;
    let page_size = number_in(&header[8..]);
    let mut at = header.len() as u64;
    loop {
        match log.read_exact_at(&mut frame, at) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(pages),
            Err(error) => return Err(error),
        }
        // The salts.
        if frame[8..16] != header[16..24] {
            return Ok(pages);
        }
        pages.insert(number_in(&frame));
        at += frame.len() as u64 + u64::from(page_size);
    }
}

/// The number in the first four bytes.
fn number_in(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

fn can_be_told_apart(first: &[u8]) -> Result<(), &'static str> {
    let number = |at: Range<usize>| first.get(at).map(number_in);
    match (number(PAGES), number(LARGEST_ROOT)) {
        (Some(pages), _) if pages >= TOO_MANY => Err("the database file has too many pages to tell which is which"),
        (Some(_), Some(0)) => Ok(()),
        _ => Err("the database file was made with auto_vacuum, so that it cannot be told which page is which"),
    }
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
    fn a_file_whose_pages_cannot_be_told_apart_is_known() {
        let first = |pages: u32, largest_root: u32| {
            let mut page = vec![7; 512];
            page[PAGES].copy_from_slice(&pages.to_be_bytes());
            page[LARGEST_ROOT].copy_from_slice(&largest_root.to_be_bytes());
            page
        };
        assert_eq!(can_be_told_apart(&first(TOO_MANY - 1, 0)), Ok(()));
        assert!(can_be_told_apart(&first(TOO_MANY, 0)).is_err());
        assert!(can_be_told_apart(&first(7, 3)).is_err());
        assert!(can_be_told_apart(&[0; 50]).is_err());
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
