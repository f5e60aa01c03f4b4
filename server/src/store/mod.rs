//! The database: connections, schema, and the few queries that everything else is built from.
//!
//! On `SQLite` there is one writing connection, whose transactions all begin `IMMEDIATE`, and several reading ones: a
//! transaction that read first and wrote later would fail there whatever the busy timeout. On `PostgreSQL` both are one pool.

pub mod backups;
pub mod census;
pub mod entities;
pub mod house;
pub mod migrations;
pub mod not_sealed;
pub mod objects;
pub mod sealed_tables;
pub mod unused_space;

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, RuntimeErr,
    SqlErr, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
    sqlx::{self, Connection, postgres::PgConnectOptions},
};
use sea_orm_migration::MigratorTrait;
use std::{io, time::Duration};
use tokio::time::timeout;

/// How long a statement on `SQLite` waits for another process, or another connection.
const BUSY: Duration = Duration::from_secs(10);
const BUSY_AGAIN: &str = "PRAGMA busy_timeout = 10000";
/// How many connections read at once on `SQLite`, and how many do everything on `PostgreSQL`.
const READERS: u32 = 8;
const POSTGRES_CONNECTIONS: u32 = 16;
/// How many rows the thread of a connection to `SQLite` may be ahead of whoever fetches them: a whole batch of a job
/// (`jobs/records.rs`), and the word that it was the last.
#[allow(clippy::cast_possible_truncation)]
const ROWS_AHEAD: usize = sealed_tables::LARGEST_BATCH as usize + 1;
/// How many values of a list go into one statement: either database takes them, and some more (`SQLite` 32,766, `PostgreSQL`
/// 65,535).
pub const VALUES_AT_ONCE: usize = 16_384;
/// Connections that no amount of requests can take away.
const VITAL: u32 = 2;
/// How long a connection may take to show that it is alive: after its use, and before, when somebody waits for it.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);
const SIGN_BEFORE_USE: Duration = Duration::from_secs(1);
/// A connection that was used this recently need not show it.
const RECENTLY: Duration = Duration::from_secs(2);
/// How long a transaction may stand still with all that it has locked: as long as the lease of a job. The database ends those
/// of a server that was stopped in the middle of one, or cut off; otherwise everybody would wait until that server goes on.
const STANDSTILL: &str = "10s";
/// Any 64-bit number will do, as long as nothing else in the database uses it as an advisory lock.
const MIGRATION_LOCK: i64 = 0x6b65_7973_7465_6164;

/// The database of the deployment.
#[derive(Clone, Debug)]
pub struct Store {
    read: DatabaseConnection,
    write: DatabaseConnection,
    vital: DatabaseConnection,
}

impl Store {
    /// Connects to `sqlite://…` or `postgres://…`. The schema is not touched.
    ///
    /// # Errors
    /// When the address is neither, or the database cannot be reached or opened.
    pub async fn connect(url: &str) -> Result<Self, DbErr> {
        if url.starts_with("sqlite:") {
            let write = Database::connect(sqlite(url, 1)).await?;
            let memory = url.contains(":memory:") || url.contains("mode=memory");
            let read = if memory { write.clone() } else { Database::connect(sqlite(url, READERS)).await? };
            let vital = if memory { write.clone() } else { Database::connect(sqlite(url, VITAL)).await? };
            Ok(Self { read, write, vital })
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let pool = Database::connect(postgres(url, POSTGRES_CONNECTIONS)).await?;
            let vital = Database::connect(postgres(url, VITAL)).await?;
            Ok(Self { read: pool.clone(), write: pool, vital })
        } else {
            Err(DbErr::Custom("the address is neither sqlite://… nor postgres://…".to_owned()))
        }
    }

    /// The connection for reading outside of a transaction.
    pub fn read(&self) -> &DatabaseConnection {
        &self.read
    }

    /// Whether reading has connections of its own: on `SQLite`, unless it is in memory, where all share one.
    pub fn reads_apart(&self) -> bool {
        self.backend() == DbBackend::Sqlite
            && self.read.get_sqlite_connection_pool().options().get_max_connections() > 1
    }

    /// The connection for a single writing statement outside of a transaction.
    pub fn write(&self) -> &DatabaseConnection {
        &self.write
    }

    /// The connections for reading what the key check needs: they are free however many requests there are.
    pub fn vital(&self) -> &DatabaseConnection {
        &self.vital
    }

    /// Begins a writing transaction.
    ///
    /// It begins on a task of its own: on `PostgreSQL` a BEGIN whose caller goes away half-way would leave its connection in
    /// a transaction that nobody knows of, and what others then write there would be acknowledged and lost.
    pub async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let mode = (self.backend() == DbBackend::Sqlite).then_some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { isolation_level: None, access_mode: None, sqlite_transaction_mode: mode };
        let write = self.write.clone();
        let begun = tokio::spawn(async move { write.begin_with_options(options).await });
        begun.await.unwrap_or_else(|error| Err(DbErr::Custom(format!("a transaction could not begin: {error}"))))
    }

    /// Which database it is.
    pub fn backend(&self) -> DbBackend {
        self.write.get_database_backend()
    }

    /// Brings the schema up to date. Servers that start together take turns.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        if self.backend() == DbBackend::Postgres {
            let turn = self.begin().await?;
            let lock = format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})");
            turn.execute_raw(Statement::from_string(DbBackend::Postgres, lock)).await?;
            // It stands still for as long as the migrations take.
            turn.execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = 0").await?;
            migrations::Migrator::up(&self.write, None).await?;
            turn.commit().await
        } else {
            migrations::Migrator::up(&self.write, None).await
        }
    }

    /// Brings what is in `SQLite`'s write-ahead log over to the database file, as far as that keeps nobody waiting.
    pub async fn checkpoint(&self) -> Result<(), DbErr> {
        self.read.execute_unprepared("PRAGMA wal_checkpoint(PASSIVE)").await.map(drop)
    }

    /// Empties `SQLite`'s write-ahead log into the database file; `false` if somebody reads there. Waits for readers only for a
    /// moment: meanwhile nobody can write. It ends also if its caller goes away.
    pub async fn truncate_log(&self) -> Result<bool, DbErr> {
        self.checkpoint().await?;
        let store = self.clone();
        let truncated = tokio::spawn(async move { store.truncate_log_now().await });
        truncated.await.unwrap_or_else(|error| Err(DbErr::Custom(format!("the log was not emptied: {error}"))))
    }

    async fn truncate_log_now(&self) -> Result<bool, DbErr> {
        let pool = self.write.get_sqlite_connection_pool();
        let mut connection = pool.acquire().await.map_err(as_runtime)?;
        let done: Result<(i32, i32, i32), _> = async {
            sqlx::query("PRAGMA busy_timeout = 100").execute(&mut *connection).await?;
            sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *connection).await
        }
        .await;
        if let Err(error) = sqlx::query(BUSY_AGAIN).execute(&mut *connection).await {
            // A connection that gives up too early must not go on.
            connection.close().await.ok();
            return Err(as_runtime(error));
        }
        // The first column says whether it was kept from it: that is no error.
        done.map(|(busy, _, _)| busy == 0).map_err(as_runtime)
    }

    /// Closes every connection. On `SQLite` this also folds the write-ahead log into the database file.
    pub async fn close(self) -> Result<(), DbErr> {
        self.vital.close().await?;
        self.read.close().await?;
        self.write.close().await
    }
}

/// Whether the database refused because a row that is referred to does not exist, or because one that is to be deleted is
/// still referred to. The codes: `SQLite` 787 and, for RESTRICT, 1811; `PostgreSQL` 23503 and 23001.
pub fn is_reference_violation(error: &DbErr) -> bool {
    if matches!(error.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_))) {
        return true;
    }
    has_code(error, &["787", "1811", "23503", "23001"])
}

/// Whether the database refused because it has no room left. The codes: `SQLite` 13 (`SQLITE_FULL`) and 778
/// (`SQLITE_IOERR_WRITE`, as a full disk shows in the write-ahead log); `PostgreSQL` 53100.
pub fn is_database_full(error: &DbErr) -> bool {
    has_code(error, &["13", "778", "53100"])
}

fn as_runtime(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}

fn has_code(error: &DbErr, codes: &[&str]) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))
    | DbErr::Conn(RuntimeErr::SqlxError(error))) = error
    else {
        return false;
    };
    let code = error.as_database_error().and_then(sea_orm::sqlx::error::DatabaseError::code);
    code.is_some_and(|code| codes.contains(&code.as_ref()))
}

/// Milliseconds since the Unix epoch by the clock of the database, which all servers share.
pub async fn database_now(on: &impl ConnectionTrait) -> Result<i64, DbErr> {
    let backend = on.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS now",
        _ => "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now",
    };
    let row = on.query_one_raw(Statement::from_string(backend, sql)).await?;
    row.ok_or_else(|| DbErr::RecordNotFound("the clock of the database".to_owned()))?.try_get("", "now")
}

/// Statements carry ids only, but we log what we do ourselves, once.
fn quiet(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.sqlx_logging(false).connect_timeout(Duration::from_secs(10)).acquire_timeout(Duration::from_secs(10));
    options
}

/// The other end can fall silent without closing. So a connection is asked for a sign of life before it is used, unless it
/// was used a moment ago, and before it goes back into the pool after its query was given up. Without a limit either question
/// would wait as long as TCP does, a quarter of an hour, and with it the request or the place in the pool.
fn postgres(url: &str, connections: u32) -> ConnectOptions {
    let mut options = quiet(url);
    let ends = |postgres: PgConnectOptions| postgres.options([("idle_in_transaction_session_timeout", STANDSTILL)]);
    options.map_sqlx_postgres_opts(ends);
    options.max_connections(connections).test_before_acquire(false).map_sqlx_postgres_pool_opts(|pool| {
        pool.before_acquire(|connection, before| {
            Box::pin(async move {
                if before.idle_for < RECENTLY {
                    return Ok(true);
                }
                let alive = timeout(SIGN_BEFORE_USE, Connection::ping(connection)).await;
                alive.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into())).map(|()| true)
            })
        })
        .after_release(|connection, _| {
            Box::pin(async move {
                let alive = timeout(SIGN_OF_LIFE, Connection::ping(connection)).await;
                alive.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into())).map(|()| true)
            })
        })
    });
    options
}

fn sqlite(url: &str, connections: u32) -> ConnectOptions {
    let mut options = quiet(url);
    // The other end is a thread of this process: to ask it for a sign of life before each use would take as long as a short query.
    options.min_connections(1).max_connections(connections).test_before_acquire(false).map_sqlx_sqlite_opts(|sqlite| {
        sqlite
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .row_buffer_size(ROWS_AHEAD)
            .pragma("journal_mode", "WAL")
            .pragma("synchronous", "FULL")
            .pragma("secure_delete", "ON")
            // What is put aside while a statement runs would be left on the disk.
            .pragma("temp_store", "MEMORY")
            .pragma("cache_size", "-16384")
    });
    options
}
