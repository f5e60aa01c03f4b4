//! People and their sessions.

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
                    .table("users")
                    .col(schema::uuid("id").primary_key())
                    .col(schema::string_len("email", 254).unique_key())
                    .col(schema::string_len("name", 120))
                    .col(schema::string("password_hash"))
                    .col(schema::string_len("role", 16))
                    .col(schema::big_integer("created_at"))
                    .col(schema::big_integer_null("last_sign_in_at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("sessions")
                    .col(schema::binary("id_hash").primary_key())
                    .col(schema::uuid_null("user_id"))
                    .col(schema::text("data"))
                    .col(schema::big_integer("created_at"))
                    .col(schema::big_integer("last_seen_at"))
                    .col(schema::big_integer("expires_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("sessions_user")
                            .from("sessions", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(Index::create().name("sessions_by_user").table("sessions").col("user_id").to_owned())
            .await?;
        manager
            .create_index(Index::create().name("sessions_by_expiry").table("sessions").col("expires_at").to_owned())
            .await
    }
}
