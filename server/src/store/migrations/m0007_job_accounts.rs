//! What a job has to account for: how much of each kind of data, at what pace, and by which answers of KMS; and that it can be
//! paused by a person. Notes about objects learn the id of an upload in parts, by which it can be aborted.

use super::WHOLE;
use sea_orm_migration::{prelude::*, schema};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// A table whose rows belong to a job and go with it.
fn of_a_job(name: &'static str, key: &'static str) -> TableCreateStatement {
    Table::create()
        .table(Alias::new(name))
        .col(schema::uuid("job_id"))
        .primary_key(Index::create().col("job_id").col(Alias::new(key)))
        .foreign_key(
            ForeignKey::create()
                .name(format!("{name}_job"))
                .from(Alias::new(name), "job_id")
                .to("jobs", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [schema::uuid_null("paused_by").take(), schema::big_integer_null("paused_at").take()] {
            manager.alter_table(Table::alter().table("jobs").add_column(column).take()).await?;
        }
        let upload = schema::text_null("upload_id").take();
        manager.alter_table(Table::alter().table("object_notes").add_column(upload).take()).await?;
        // Now counted for each kind of data.
        for counter in ["records", "files", "bytes"] {
            for amount in ["total", "done"] {
                let column = Alias::new(format!("{counter}_{amount}"));
                manager.alter_table(Table::alter().table("jobs").drop_column(column).take()).await?;
            }
        }
        let items = of_a_job("job_items", "kind")
            .col(schema::string_len("kind", 32))
            .col(schema::big_integer("items_total").default(0))
            .col(schema::big_integer("items_done").default(0))
            .col(schema::big_integer("bytes_total").default(0))
            .col(schema::big_integer("bytes_done").default(0))
            .to_owned();
        let marks = of_a_job("job_marks", "at")
            .col(schema::big_integer("at"))
            .col(schema::big_integer("items_done"))
            .col(schema::big_integer("bytes_done"))
            .to_owned();
        let keys = of_a_job("job_keys", "data_key_id")
            .col(schema::uuid("data_key_id"))
            .col(schema::uuid("scope"))
            .col(schema::string_len("step", 16))
            .col(schema::string_len_null("opened_by", 128))
            .col(schema::string_len_null("wrapped_by", 128))
            .col(schema::string_len_null("checked_by", 128))
            .col(schema::big_integer("at"))
            .col(schema::big_integer_null("destroyed_at"))
            .to_owned();
        for table in [items, marks, keys] {
            manager.create_table(table).await?;
        }
        Ok(())
    }
}
