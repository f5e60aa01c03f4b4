//! Running servers, each with a heartbeat by the clock of the database.

use sea_orm::entity::prelude::*;

/// The words of `key_state`.
pub const OPEN: &str = "open";
pub const SUSPECT: &str = "suspect";
pub const LOCKED: &str = "locked";

/// A server whose heartbeat is older than this counts as gone; milliseconds.
pub const SILENT_FOR: i64 = 15_000;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "servers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What operators call it: the host's name and the address it listens on.
    pub name: String,
    pub version: String,
    pub started_at: i64,
    pub heartbeat_at: i64,
    /// `open`, `suspect` or `locked`.
    pub key_state: String,
    /// Since when, by the server's own clock. Another value means another change.
    pub key_state_at: i64,
    /// When the last successful key check was sent, by the server's own clock.
    pub verified_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
