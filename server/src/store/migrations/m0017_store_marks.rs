//! The marker of the object store gets its next number once a minute, not with each sweep alone; and a store that was found
//! without one is not swept for a while.

use super::WHOLE;
use sea_orm_migration::{prelude::*, schema};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // `SQLite` adds one column at a time.
        for column in ["marked_at", "sweeps_from"] {
            let column = schema::big_integer(column).default(0_i64).to_owned();
            let wider = Table::alter().table("object_sweeps").add_column(column).to_owned();
            manager.alter_table(wider).await?;
        }
        Ok(())
    }
}
