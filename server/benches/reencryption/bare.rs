//! The same work as plainly as it can be done: `sqlx` itself, one prepared statement that reads a batch and one that writes it,
//! a transaction for each batch, one batch after the other.
//!
//! The conditions are those of the job: `id`, `rev` and data key as they were read. What the job does beside that is left out:
//! holding the new data key, testing the fencing token, the account of what is done.

use sea_orm::{
    DbBackend,
    sqlx::{self, AssertSqlSafe, PgPool, SqlitePool},
};
use server::store::Store;
use uuid::Uuid;

/// Rows in one statement on `SQLite`, which has no arrays: a prepared statement has a fixed number of values.
const ROWS: usize = 256;

type Row = (Uuid, i64, Vec<u8>);

/// Brings every note from one data key to the other, its bytes as they are. Gives how many there were.
pub async fn rewrite_notes(store: &Store, old: Uuid, new: Uuid, batch: usize) -> u64 {
    let limit = i64::try_from(batch).unwrap();
    if store.backend() == DbBackend::Postgres {
        on_postgres(store.write().get_postgres_connection_pool(), old, new, limit).await
    } else {
        let (read, write) = (store.read().get_sqlite_connection_pool(), store.write().get_sqlite_connection_pool());
        on_sqlite(read, write, old, new, limit).await
    }
}

async fn on_sqlite(read: &SqlitePool, write: &SqlitePool, old: Uuid, new: Uuid, limit: i64) -> u64 {
    let (mut after, mut written) = (Uuid::nil(), 0);
    let full = updating(ROWS);
    loop {
        let select = "SELECT id, rev, text_sealed FROM notes WHERE data_key_id = ? AND id > ? ORDER BY id LIMIT ?";
        let rows: Vec<Row> = sqlx::query_as(select).bind(old).bind(after).bind(limit).fetch_all(read).await.unwrap();
        let Some(last) = rows.last() else { return written };
        after = last.0;
        let mut transaction = write.begin_with("BEGIN IMMEDIATE").await.unwrap();
        for some in rows.chunks(ROWS) {
            let statement = if some.len() == ROWS { full.clone() } else { updating(some.len()) };
            let mut update = sqlx::query(AssertSqlSafe(statement)).bind(new).bind(old);
            for (id, rev, text) in some {
                update = update.bind(id).bind(rev).bind(text);
            }
            written += update.execute(&mut *transaction).await.unwrap().rows_affected();
        }
        transaction.commit().await.unwrap();
    }
}

/// The sign before the data key keeps `SQLite` from its index, which would lead it through all rows under that key.
fn updating(rows: usize) -> String {
    let tuples: Vec<_> =
        (0..rows).map(|row| 3 + 3 * row).map(|at| format!("(?{at}, ?{}, ?{})", at + 1, at + 2)).collect();
    format!(
        "UPDATE notes SET text_sealed = anew.column3, data_key_id = ?1 FROM (VALUES {}) AS anew \
         WHERE notes.id = anew.column1 AND notes.rev = anew.column2 AND +notes.data_key_id = ?2",
        tuples.join(", ")
    )
}

async fn on_postgres(pool: &PgPool, old: Uuid, new: Uuid, limit: i64) -> u64 {
    let (mut after, mut written) = (Uuid::nil(), 0);
    loop {
        let select = "SELECT id, rev, text_sealed FROM notes WHERE data_key_id = $1 AND id > $2 ORDER BY id LIMIT $3";
        let rows: Vec<Row> = sqlx::query_as(select).bind(old).bind(after).bind(limit).fetch_all(pool).await.unwrap();
        let Some(last) = rows.last() else { return written };
        after = last.0;
        let (mut ids, mut revisions, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        for (id, rev, text) in rows {
            ids.push(id);
            revisions.push(rev);
            texts.push(text);
        }
        let update = "UPDATE notes SET text_sealed = anew.text, data_key_id = $1 \
                      FROM unnest($3::uuid[], $4::bigint[], $5::bytea[]) AS anew(id, rev, text) \
                      WHERE notes.id = anew.id AND notes.rev = anew.rev AND notes.data_key_id = $2";
        let mut transaction = pool.begin().await.unwrap();
        let update = sqlx::query(update).bind(new).bind(old).bind(ids).bind(revisions).bind(texts);
        written += update.execute(&mut *transaction).await.unwrap().rows_affected();
        transaction.commit().await.unwrap();
    }
}
