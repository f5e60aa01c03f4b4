//! The audit log: who did what, when, from where, and how it ended.
//!
//! An entry is appended in the very transaction of what it tells of, so both stand or fall together: an action whose entry
//! cannot be written fails. The one exception is a lock, which nothing may hold up: its entry follows as soon as the database
//! answers (`services/lock_journal.rs`). What must stay true:
//!
//! * **The order of locks is: house, data keys, rows, and the audit log last.** Whoever appends holds the one row
//!   `audit_head` until the end of the transaction, so after [`Audit::append`] nothing else may be locked. [`Audit::commit`]
//!   appends and commits, and so cannot be used wrongly.
//! * Entries are only ever added, which the database enforces, and each is chained to the one before ([`chain`]).
//! * An entry holds ids, addresses and words. No name of a workspace, nothing that people wrote, nothing that somebody typed
//!   who was not signed in.
//!
//! An action that can fail midway has two entries ([`Audit::open`]); the second one is written by whoever did it, or, if its
//! server is gone, by any other (`abandoned`). Cost of an entry: three statements, whatever the length of the log.

pub mod chain;
mod entry;
pub mod export;
pub mod keeper;
mod open;
pub mod read;
pub mod verify;
pub mod witness;

pub use app::model::audit::{Action, Outcome};
pub use entry::{Actor, Entry, Object};
pub use open::OpenEntry;

use crate::store::{
    Store,
    entities::{audit_entry, audit_head},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait,
    IntoActiveModel, QueryFilter, Statement, sea_query::Expr,
};
use uuid::Uuid;

/// Writes the audit log of the deployment. Clones share it.
#[derive(Clone)]
pub struct Audit {
    store: Store,
    /// The server that writes; `None` for a command.
    server: Option<Uuid>,
}

impl Audit {
    /// For a server.
    pub fn of_server(store: Store, server: Uuid) -> Self {
        Self { store, server: Some(server) }
    }

    /// For a command that an operator gives.
    pub fn of_command(store: Store) -> Self {
        Self { store, server: None }
    }

    /// Appends an entry in the transaction of what it tells of. The last thing that a transaction does before it commits: see
    /// the order of locks above. Gives the entry's sequence number.
    ///
    /// # Errors
    /// When the database fails: the transaction must not be committed then.
    pub async fn append(on: &DatabaseTransaction, entry: Entry) -> Result<i64, DbErr> {
        let (sequence, at, previous) = take_head(on, entry.action().is_about_keys()).await?;
        let mut row = entry.into_row(sequence, at);
        let hash = chain::hash(&previous, &row);
        row.hash = hash.to_vec();
        // Every column, also those that are empty.
        let row = row.into_active_model().reset_all();
        audit_entry::Entity::insert(row).exec_without_returning(on).await?;
        audit_head::Entity::update_many()
            .col_expr(audit_head::Column::Hash, Expr::value(hash.to_vec()))
            .filter(audit_head::Column::Id.eq(1))
            .exec(on)
            .await?;
        Ok(sequence)
    }

    /// Appends an entry and commits what it tells of.
    ///
    /// # Errors
    /// When the database fails: then neither has happened.
    pub async fn commit(transaction: DatabaseTransaction, entry: Entry) -> Result<(), DbErr> {
        Self::append(&transaction, entry).await?;
        transaction.commit().await
    }

    /// Writes an entry that tells of nothing in the database, in a transaction of its own.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note(&self, entry: Entry) -> Result<(), DbErr> {
        Self::commit(self.store.begin().await?, entry.by_server(self.server)).await
    }
}

/// Holds the end of the log until the transaction ends, as appending does.
async fn hold(on: &DatabaseTransaction) -> Result<(), DbErr> {
    audit_head::Entity::update_many()
        .col_expr(audit_head::Column::Urgent, Expr::col(audit_head::Column::Urgent))
        .filter(audit_head::Column::Id.eq(1))
        .exec(on)
        .await?;
    Ok(())
}

/// Takes the end of the log for this transaction: the next sequence number, the time, and the hash of the last entry.
async fn take_head(on: &DatabaseTransaction, is_urgent: bool) -> Result<(i64, i64, [u8; 32]), DbErr> {
    let backend = on.get_database_backend();
    let now = match backend {
        DbBackend::Postgres => "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
        _ => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
    };
    let urgent = if is_urgent { ", urgent = sequence + 1" } else { "" };
    let take = format!(
        "UPDATE audit_head SET sequence = sequence + 1{urgent} WHERE id = 1 RETURNING sequence, hash, {now} AS now"
    );
    let row = on.query_one_raw(Statement::from_string(backend, take)).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("the row of `audit_head`".to_owned()))?;
    let hash: Vec<u8> = row.try_get("", "hash")?;
    let hash = hash.try_into().map_err(|_| DbErr::Custom("the head of the audit log is damaged".to_owned()))?;
    Ok((row.try_get("", "sequence")?, row.try_get("", "now")?, hash))
}
