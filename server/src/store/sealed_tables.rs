//! The tables with sealed data, in one list: what a job rewrites, what is counted, and what a test compares with the schema.

use sea_orm::{
    ConnectionTrait, DbErr, FromQueryResult,
    sea_query::{Alias, Asterisk, Expr, ExprTrait, Func, Query},
};
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

/// Rows, and what they hold in bytes where that is known without opening them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromQueryResult)]
pub struct Counted {
    pub items: i64,
    pub bytes: i64,
}

/// Counts the rows of `table`; with `keys`, only those that name one of these data keys. Cost: one pass over an index.
pub async fn count(on: &impl ConnectionTrait, table: &str, keys: Option<&[Uuid]>) -> Result<Counted, DbErr> {
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
