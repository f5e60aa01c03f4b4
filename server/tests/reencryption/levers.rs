//! What brings a job to a standstill at a moment of a test's choosing, on `PostgreSQL`: a lock on a row that it must write.

use crate::support::PATIENCE;
use sea_orm::{
    ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, QueryResult, Statement,
    TransactionTrait,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A connection of the test's own.
#[derive(Clone)]
pub struct Levers(DatabaseConnection);

/// Something that nobody else can write to until it is let go.
pub struct Held(DatabaseTransaction);

impl Held {
    pub async fn let_go(self) {
        self.0.rollback().await.unwrap();
    }
}

impl Levers {
    pub async fn at(url: &str) -> Self {
        Self(Database::connect(url).await.unwrap())
    }

    pub fn on(&self) -> &DatabaseConnection {
        &self.0
    }

    /// Holds the row that `which` selects from a table: a WHERE and an ORDER BY.
    pub async fn hold_row(&self, table: &str, which: &str) -> Held {
        let transaction = self.0.begin().await.unwrap();
        let sql = format!("SELECT 1 FROM {table} {which} LIMIT 1 FOR UPDATE");
        let held = transaction.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
        assert_eq!(held.len(), 1, "there is no row to hold in {table}");
        Held(transaction)
    }

    /// Lets a table be read but not written.
    pub async fn hold_table(&self, table: &str) -> Held {
        let transaction = self.0.begin().await.unwrap();
        transaction.execute_unprepared(&format!("LOCK TABLE {table} IN SHARE MODE")).await.unwrap();
        Held(transaction)
    }

    /// Waits until a statement that names this table waits for a lock.
    pub async fn until_waiting(&self, table: &str) {
        let sql = format!(
            "SELECT count(*) AS found FROM pg_stat_activity \
             WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%{table}%'"
        );
        self.until(&format!("somebody waits for {table}"), async || self.number(&sql).await > 0).await;
    }

    /// Waits until something is so in the database.
    pub async fn until(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        let patience = Instant::now() + 2 * PATIENCE;
        while !is_so().await {
            assert!(Instant::now() < patience, "waited in vain until {what}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn rows(&self, sql: &str) -> Vec<QueryResult> {
        self.0.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap()
    }

    /// The one number that a query gives, under the name `found`.
    pub async fn number(&self, sql: &str) -> i64 {
        self.rows(sql).await[0].try_get("", "found").unwrap()
    }

    pub async fn change(&self, sql: &str) -> u64 {
        self.0.execute_unprepared(sql).await.unwrap().rows_affected()
    }
}
