//! When the files of the database were cleaned after a change of key, and after a reset.

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
        for table in ["jobs", "resets"] {
            let cleaned = schema::big_integer_null("files_cleaned_at").take();
            manager.alter_table(Table::alter().table(table).add_column(cleaned).take()).await?;
        }
        Ok(())
    }
}
