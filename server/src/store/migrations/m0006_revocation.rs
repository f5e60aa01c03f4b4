//! The account of a lock on every server: when access ended there, who is locked alone, and data that was destroyed.

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
        // One column at a time: `SQLite` takes no more.
        let columns: [(&str, ColumnDef); 11] = [
            ("servers", schema::string_len("name", 64).default("").take()),
            ("servers", schema::big_integer("key_state_at").default(0).take()),
            ("servers", schema::big_integer_null("verified_at").take()),
            ("lock_events", schema::string_len("server_name", 64).default("").take()),
            ("lock_events", schema::uuid_null("scope").take()),
            ("lock_events", schema::big_integer_null("ended_at").take()),
            ("lock_events", schema::big_integer_null("gone_at").take()),
            ("lock_events", schema::big_integer_null("deletion_at").take()),
            ("lock_events", schema::string_len("root_kind", 16).default("customer").take()),
            ("lock_events", schema::big_integer("cut").default(0).take()),
            ("lock_events", schema::big_integer_null("last_byte_at").take()),
        ];
        for (table, column) in columns {
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("resets")
                    .col(schema::uuid("id").primary_key())
                    .col(schema::big_integer("at"))
                    .col(schema::string_len("root_key_arn", 256))
                    .col(schema::string_len("cause", 32))
                    .col(schema::string_len_null("code", 64))
                    .col(schema::string_len_null("request_id", 128))
                    .col(schema::big_integer("workspaces"))
                    .col(schema::big_integer("notes"))
                    .col(schema::big_integer("files"))
                    .col(schema::big_integer("bytes"))
                    .to_owned(),
            )
            .await?;
        manager.create_index(Index::create().name("resets_newest").table("resets").col("at").to_owned()).await
    }
}
