//! The root key in force and the wrapped data keys.

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
                    .table("encryption")
                    .col(schema::integer("id").primary_key())
                    .col(schema::string_len("deployment_id", 64))
                    .col(schema::string_len("root_key_arn", 256))
                    .col(schema::string_len("root_kind", 16))
                    .col(schema::big_integer("generation"))
                    .col(schema::big_integer("since"))
                    .col(schema::uuid_null("set_by"))
                    .col(schema::big_integer("turn").default(0))
                    .check(Expr::col("id").eq(1))
                    .foreign_key(
                        ForeignKey::create()
                            .name("encryption_set_by")
                            .from("encryption", "set_by")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::SetNull),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("data_keys")
                    .col(schema::uuid("id").primary_key())
                    .col(schema::uuid("scope"))
                    .col(schema::string_len("state", 16))
                    .col(schema::binary("wrapped"))
                    .col(schema::binary("check_value"))
                    .col(schema::big_integer("generation"))
                    .col(schema::big_integer("created_at"))
                    .to_owned(),
            )
            .await?;
        // What the foreign keys of the sealed tables refer to.
        manager
            .create_index(
                Index::create()
                    .name("data_keys_in_scope")
                    .table("data_keys")
                    .col("scope")
                    .col("id")
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("data_keys_one_current")
                    .table("data_keys")
                    .col("scope")
                    .unique()
                    .and_where(Expr::col("state").eq("current"))
                    .to_owned(),
            )
            .await
    }
}
