//! Of a job that was turned round, the change of key that it came out of, so that it can become that again with nothing lost. Of
//! a data key, that it went with its workspace, which is not the job's doing.

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
        let turned = [
            schema::uuid_null("turned_by").take(),
            schema::big_integer_null("turned_at").take(),
            schema::big_integer_null("turned_control_at").take(),
        ];
        for column in turned {
            manager.alter_table(Table::alter().table("jobs").add_column(column).take()).await?;
        }
        let gone = schema::big_integer_null("gone_at").take();
        manager.alter_table(Table::alter().table("job_keys").add_column(gone).take()).await
    }
}
