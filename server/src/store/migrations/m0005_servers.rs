//! Running servers, and the account of each lock.

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
        manager
            .create_table(
                Table::create()
                    .table("servers")
                    .col(schema::uuid("id").primary_key())
                    .col(schema::string_len("version", 32))
                    .col(schema::big_integer("started_at"))
                    .col(schema::big_integer("heartbeat_at"))
                    .col(schema::string_len("key_state", 16))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("lock_events")
                    .col(schema::uuid("id").primary_key())
                    .col(schema::uuid("server_id"))
                    .col(schema::string_len("root_key_arn", 256))
                    .col(schema::string_len("cause", 32))
                    .col(schema::string_len_null("code", 64))
                    .col(schema::string_len_null("request_id", 128))
                    .col(schema::big_integer_null("refused_at"))
                    .col(schema::big_integer("locked_at"))
                    .col(schema::big_integer_null("restored_at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(Index::create().name("lock_events_newest").table("lock_events").col("locked_at").to_owned())
            .await
    }
}
