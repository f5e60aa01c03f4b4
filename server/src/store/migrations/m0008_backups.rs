//! Backups that are being made: while one is, objects stay that the copy of the database names. And the sweeps of the object
//! store, by whose number a database is told from an older copy of it.

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
        let backups = Table::create()
            .table("backups")
            .col(schema::uuid("id").primary_key())
            .col(schema::big_integer("begun_at"))
            .col(schema::big_integer("expires_at"))
            .to_owned();
        manager.create_table(backups).await?;
        let sweeps = Table::create()
            .table("object_sweeps")
            .col(schema::integer("id").primary_key())
            .col(schema::big_integer("number"))
            .col(schema::big_integer("at"))
            .check(Expr::col("id").eq(1))
            .to_owned();
        manager.create_table(sweeps).await?;
        let none = Query::insert()
            .into_table("object_sweeps")
            .columns(["id", "number", "at"])
            .values_panic([1.into(), 0_i64.into(), 0_i64.into()])
            .to_owned();
        manager.execute(none).await
    }
}
