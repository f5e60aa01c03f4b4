//! Tests of keys, which every live server answers for itself.

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
        let tests = Table::create()
            .table("key_tests")
            .col(schema::uuid("id").primary_key())
            .col(schema::string_len("arn", 256))
            .col(schema::string_len("purpose", 16))
            .col(schema::uuid_null("asked_by"))
            .col(schema::big_integer("asked_at"))
            .to_owned();
        manager.create_table(tests).await?;
        let newest = Index::create().name("key_tests_newest").table("key_tests").col("asked_at").to_owned();
        manager.create_index(newest).await?;
        let answers = Table::create()
            .table("key_test_answers")
            .col(schema::uuid("test_id"))
            .col(schema::uuid("server_id"))
            .col(schema::string_len("server_name", 64))
            .col(schema::text("preflight"))
            .col(schema::integer("attempts"))
            .col(schema::big_integer("answered_at"))
            .primary_key(Index::create().col("test_id").col("server_id"))
            .foreign_key(
                ForeignKey::create()
                    .name("key_test_answers_test")
                    .from("key_test_answers", "test_id")
                    .to("key_tests", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .to_owned();
        manager.create_table(answers).await
    }
}
