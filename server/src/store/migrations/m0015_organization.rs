//! The name that an administrator has given the organization.

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
        let organization = Table::create()
            .table("organization")
            .col(schema::integer("id").primary_key())
            .col(schema::string_len("name", 120))
            .check(Expr::col("id").eq(1))
            .to_owned();
        manager.create_table(organization).await
    }
}
