//! Backups that are being made: while one is, objects stay that the copy of the database names.

use sea_orm_migration::{prelude::*, schema};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backups = Table::create()
            .table("backups")
            .col(schema::uuid("id").primary_key())
            .col(schema::big_integer("begun_at"))
            .col(schema::big_integer("expires_at"))
            .to_owned();
        manager.create_table(backups).await
    }
}
