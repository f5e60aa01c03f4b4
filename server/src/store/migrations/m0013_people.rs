//! What people's accounts need: invitations, second factors, who is disabled, and how often somebody tried to sign in.

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
        // One column at a time: SQLite knows no other way.
        for mut column in [
            schema::big_integer_null("disabled_at"),
            schema::big_integer("session_epoch").default(0).to_owned(),
            schema::big_integer_null("password_changed_at"),
            schema::string_len_null("totp_secret", 64),
            schema::string_len_null("totp_pending", 64),
            schema::big_integer_null("totp_since"),
            schema::big_integer("totp_last_step").default(0).to_owned(),
        ] {
            manager.alter_table(Table::alter().table("users").add_column(&mut column).to_owned()).await?;
        }
        let invitations = Table::create()
            .table("invitations")
            .col(schema::uuid("id").primary_key())
            .col(schema::string_len("email", 254).unique_key())
            .col(schema::string_len("role", 16))
            .col(schema::string_len("token_hash", 64).unique_key())
            .col(schema::uuid_null("invited_by"))
            .col(schema::big_integer("created_at"))
            .col(schema::big_integer("expires_at"))
            .foreign_key(
                ForeignKey::create()
                    .name("invitations_invited_by")
                    .from("invitations", "invited_by")
                    .to("users", "id")
                    .on_delete(ForeignKeyAction::SetNull),
            )
            .to_owned();
        manager.create_table(invitations).await?;
        let codes = Table::create()
            .table("recovery_codes")
            .col(schema::string_len("code_hash", 64).primary_key())
            .col(schema::uuid("user_id"))
            .col(schema::big_integer_null("used_at"))
            .foreign_key(
                ForeignKey::create()
                    .name("recovery_codes_user")
                    .from("recovery_codes", "user_id")
                    .to("users", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .to_owned();
        manager.create_table(codes).await?;
        let by_user = Index::create().name("recovery_codes_by_user").table("recovery_codes").col("user_id").to_owned();
        manager.create_index(by_user).await?;
        let attempts = Table::create()
            .table("sign_in_attempts")
            .col(schema::string_len("subject", 160).primary_key())
            .col(schema::big_integer("failures"))
            .col(schema::big_integer("last_at"))
            .to_owned();
        manager.create_table(attempts).await?;
        let by_time =
            Index::create().name("sign_in_attempts_by_time").table("sign_in_attempts").col("last_at").to_owned();
        manager.create_index(by_time).await
    }
}
