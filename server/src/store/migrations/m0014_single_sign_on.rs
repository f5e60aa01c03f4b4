//! Single sign-on: who is who at the identity provider, and the sign-ins that are under way there.

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
        let of_user = |table| {
            ForeignKey::create()
                .name(format!("{table}_user"))
                .from(table, "user_id")
                .to("users", "id")
                .on_delete(ForeignKeyAction::Cascade)
                .to_owned()
        };
        let identities = Table::create()
            .table("identities")
            .col(schema::string_len("issuer", 512))
            .col(schema::string_len("subject", 255))
            .col(schema::uuid("user_id"))
            .col(schema::big_integer("connected_at"))
            .primary_key(Index::create().col("issuer").col("subject"))
            .foreign_key(&mut of_user("identities"))
            .to_owned();
        manager.create_table(identities).await?;
        // An account is one person's: nobody else there can be added to it.
        let one = Index::create()
            .name("identities_one_a_user")
            .table("identities")
            .col("user_id")
            .col("issuer")
            .unique()
            .to_owned();
        manager.create_index(one).await?;
        let attempts = Table::create()
            .table("single_sign_on_attempts")
            .col(schema::string_len("state_hash", 64).primary_key())
            .col(schema::string_len("browser_hash", 64))
            .col(schema::string_len("purpose", 16))
            .col(schema::uuid_null("user_id"))
            .col(schema::string_len("next", 512))
            .col(schema::string_len("network", 64))
            .col(schema::big_integer("created_at"))
            .col(schema::big_integer("expires_at"))
            .foreign_key(&mut of_user("single_sign_on_attempts"))
            .to_owned();
        manager.create_table(attempts).await?;
        for (name, column) in
            [("single_sign_on_attempts_by_end", "expires_at"), ("single_sign_on_attempts_by_network", "network")]
        {
            let index = Index::create().name(name).table("single_sign_on_attempts").col(column).to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    }
}
