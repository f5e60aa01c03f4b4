//! The tables with sealed data, in one list: what a job rewrites, what is counted, and what a test compares with the schema.

use super::VALUES_AT_ONCE;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, FromQueryResult, Statement, Value,
    sea_query::{Alias, Asterisk, Expr, ExprTrait, Func, Query},
};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// A table whose rows hold sealed columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedTable {
    pub name: &'static str,
    /// The sealed columns: all of a row are under the one data key that the row names.
    pub columns: &'static [&'static str],
    /// What people call the data.
    pub label: &'static str,
}

/// Every table with sealed columns. Objects are sealed too, but in the object store.
pub const SEALED_TABLES: [SealedTable; 3] = [
    SealedTable {
        name: "workspaces",
        columns: &["name_sealed", "description_sealed"],
        label: "Workspace names and descriptions",
    },
    SealedTable { name: "notes", columns: &["text_sealed"], label: "Notes" },
    SealedTable { name: "files", columns: &["name_sealed", "media_type_sealed"], label: "File names and types" },
];

/// The table of sealed contents.
pub const OBJECTS: &str = "objects";

/// The tables that name a data key: those, and [`OBJECTS`].
pub fn names() -> impl Iterator<Item = &'static str> {
    SEALED_TABLES.iter().map(|table| table.name).chain([OBJECTS])
}

/// What people call the data of a table.
pub fn label(table: &str) -> &str {
    if table == OBJECTS {
        return "File content";
    }
    SEALED_TABLES.iter().find(|sealed| sealed.name == table).map_or(table, |sealed| sealed.label)
}

/// How many rows a job reads at once, at most.
pub const LARGEST_BATCH: u64 = 8_192;

/// Rows, and what they hold in bytes where that is known without opening them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromQueryResult)]
pub struct Counted {
    pub items: i64,
    pub bytes: i64,
}

/// Counts the rows of `table`; with `keys`, only those that name one of these data keys. Cost: one pass over an index, or over
/// the ranges of those keys in it.
pub async fn count(on: &impl ConnectionTrait, table: &str, keys: Option<&[Uuid]>) -> Result<Counted, DbErr> {
    let Some(keys) = keys else { return count_where(on, table, None).await };
    let mut all = Counted::default();
    for keys in keys.chunks(VALUES_AT_ONCE) {
        let some = count_where(on, table, Some(keys)).await?;
        all = Counted { items: all.items + some.items, bytes: all.bytes + some.bytes };
    }
    Ok(all)
}

async fn count_where(on: &impl ConnectionTrait, table: &str, keys: Option<&[Uuid]>) -> Result<Counted, DbErr> {
    let bytes = if table == OBJECTS {
        Func::coalesce([Expr::col("size").sum(), Expr::value(0_i64)]).cast_as("BIGINT")
    } else {
        Expr::value(0_i64).cast_as("BIGINT")
    };
    let mut query = Query::select();
    query.expr_as(Func::count(Expr::col(Asterisk)), "items").expr_as(bytes, "bytes").from(Alias::new(table));
    if let Some(keys) = keys {
        query.and_where(Expr::col("data_key_id").is_in(keys.iter().copied()));
    }
    let found = Counted::find_by_statement(on.get_database_backend().build(&query)).one(on).await?;
    Ok(found.unwrap_or_default())
}

/// The next rows of a table that name the data key `key`, at most `limit`, in the order of their ids after `after`; `what` are
/// their columns.
///
/// Condition and order are those of the index on data keys and of no other, so the cost is that of the rows given and of what has
/// left the index and is not vacuumed yet. Otherwise `PostgreSQL` could go along the ids, which it does when its statistics are of
/// a time before the last rows got another key: past every row of the table, to find that none is left. And it could gather all
/// rows under the key and sort them, for each batch anew, when it expects no more of them than are asked for: a limit that it
/// cannot know while it plans makes it expect more.
pub fn next_rows(backend: DbBackend, table: &str, what: &str, key: Uuid, after: Uuid, limit: u64) -> Statement {
    let [key_is, after_is, limit_is] = [1, 2, 3].map(|at| value(backend, at));
    let sql = format!(
        "SELECT {what} FROM {table} WHERE (data_key_id, id) > ({key_is}, {after_is}) AND data_key_id <= {key_is} \
         ORDER BY data_key_id, id LIMIT (SELECT {limit_is})"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Statement::from_sql_and_values(backend, sql, [key.into(), after.into(), limit.into()])
}

/// How a statement names its value at `at`, from 1.
fn value(backend: DbBackend, at: usize) -> String {
    match backend {
        DbBackend::Postgres => format!("${at}"),
        _ => format!("?{at}"),
    }
}

/// A row with its sealed columns anew, in the order of [`SealedTable::columns`].
pub struct RewrittenRow {
    pub id: Uuid,
    /// The revision that it had when it was read.
    pub rev: i64,
    pub columns: Vec<Vec<u8>>,
    /// What they hold before encryption.
    pub bytes: i64,
}

/// Rows in one statement: few enough values for either database ([`VALUES_AT_ONCE`]), and enough rows that the way there and
/// back does not count.
const ROWS: usize = 256;

/// Puts rows that were under the data key `old` under `new`, unless they have changed since they were read. `rev` and times
/// stay. Gives back how many have not, and what those hold.
pub async fn rewrite_rows(
    transaction: &DatabaseTransaction,
    table: &SealedTable,
    old: Uuid,
    new: Uuid,
    rows: Vec<RewrittenRow>,
) -> Result<Counted, DbErr> {
    let backend = transaction.get_database_backend();
    let (mut rows, mut written) = (rows.into_iter(), Counted::default());
    while rows.len() > 0 {
        let count = Ord::min(rows.len(), ROWS);
        let mut values: Vec<Value> = Vec::with_capacity(2 + count * (2 + table.columns.len()));
        values.extend([new.into(), old.into()]);
        let mut bytes = HashMap::with_capacity(count);
        for row in rows.by_ref().take(count) {
            bytes.insert((row.id, row.rev), row.bytes);
            values.extend([row.id.into(), row.rev.into()]);
            values.extend(row.columns.into_iter().map(Value::from));
        }
        let statement = Statement::from_sql_and_values(backend, rewriting(backend, table, count), values);
        // The database is asked only how many, because mostly it is all of them: with RETURNING each row comes as a message of
        // its own, on `SQLite` from one thread to another.
        if transaction.execute_raw(statement).await?.rows_affected() < count as u64 {
            let those = unchanged(transaction, table, new, &bytes).await?;
            bytes.retain(|row, _| those.contains(row));
        }
        written.items += i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        written.bytes += bytes.values().sum::<i64>();
    }
    Ok(written)
}

/// Which of these rows, by id and revision, are under `new` now. Those are what the transaction has written: only a job leaves the
/// revision as it is, and it reads no row again before the transaction that may have written it has ended.
async fn unchanged(
    transaction: &DatabaseTransaction,
    table: &SealedTable,
    new: Uuid,
    rows: &HashMap<(Uuid, i64), i64>,
) -> Result<HashSet<(Uuid, i64)>, DbErr> {
    let query = Query::select()
        .columns(["id", "rev", "data_key_id"])
        .from(Alias::new(table.name))
        .and_where(Expr::col("id").is_in(rows.keys().map(|(id, _)| *id)))
        .take();
    let mut found = HashSet::new();
    for row in transaction.query_all(&query).await? {
        if row.try_get_by_index::<Uuid>(2)? == new {
            found.insert((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
        }
    }
    Ok(found)
}

/// The statement for so many rows. Its first two values are the new and the old data key; then come, for each row, id, revision
/// and columns.
///
/// Each row is to be found by its id. Where the old key stands alone in the condition, both databases would begin with the index
/// on data keys instead, and go through all rows still under the old one for each statement: `SQLite` (3.51) always, `PostgreSQL`
/// (15) from the moment a key has got its rows until the table is analyzed, because it expects few or none under a key that is
/// not in its statistics. So the key stands beside each row; and for `SQLite`, which would then go through the whole table, with a
/// sign before it, which changes nothing but that.
fn rewriting(backend: DbBackend, table: &SealedTable, rows: usize) -> String {
    let width = 2 + table.columns.len();
    let value = |at| value(backend, at);
    let (new, old) = (value(1), value(2));
    let sign = if backend == DbBackend::Sqlite { "+" } else { "" };
    // Both databases name the columns of VALUES so.
    let set: Vec<_> = table.columns.iter().zip(4..).map(|(column, at)| format!("{column} = anew.column{at}")).collect();
    let tuples: Vec<_> = (0..rows)
        .map(|row| {
            let row: Vec<_> = (0..width).map(|column| value(3 + row * width + column)).collect();
            format!("({old}, {})", row.join(", "))
        })
        .collect();
    format!(
        "UPDATE {name} SET {set}, data_key_id = {new} FROM (VALUES {tuples}) AS anew \
         WHERE {name}.id = anew.column2 AND {name}.rev = anew.column3 AND {sign}{name}.data_key_id = anew.column1",
        name = table.name,
        set = set.join(", "),
        tuples = tuples.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    /// The steps in which `SQLite` would look into the table.
    async fn steps(store: &Store, table: &str, mut statement: Statement) -> Vec<String> {
        statement.sql.insert_str(0, "EXPLAIN QUERY PLAN ");
        let plan = store.read().query_all_raw(statement).await.unwrap();
        let steps = plan.iter().map(|step| step.try_get::<String>("", "detail").unwrap());
        steps.filter(|step| step.split(' ').any(|word| word == table)).collect()
    }

    #[tokio::test]
    async fn sqlite_finds_each_row_by_its_id_and_the_next_ones_by_their_data_key() {
        let store = Store::connect("sqlite::memory:").await.unwrap();
        store.migrate().await.unwrap();
        for table in SEALED_TABLES {
            for rows in [1, 2, ROWS] {
                let sql = rewriting(DbBackend::Sqlite, &table, rows);
                let steps = steps(&store, table.name, Statement::from_string(DbBackend::Sqlite, sql)).await;
                let name = table.name;
                let by_id = format!("SEARCH {name} USING INDEX sqlite_autoindex_{name}_1 (id=?)");
                assert_eq!(steps, [by_id], "{rows} rows");
            }
        }
        for name in names() {
            let next = next_rows(DbBackend::Sqlite, name, "*", Uuid::nil(), Uuid::nil(), 64);
            let by_key =
                format!("SEARCH {name} USING INDEX {name}_by_data_key ((data_key_id,id)>(?,?) AND data_key_id<?)");
            assert_eq!(steps(&store, name, next).await, [by_key]);
        }
    }
}
