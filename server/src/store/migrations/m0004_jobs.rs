//! Jobs that change the root key, and the items they set aside.

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
        let mut jobs = Table::create()
            .table("jobs")
            .col(schema::uuid("id").primary_key())
            .col(schema::integer("slot").default(1))
            .col(schema::string_len("kind", 16))
            .col(schema::string_len("state", 16))
            .col(schema::string_len("stage", 16))
            .col(schema::string_len("from_arn", 256))
            .col(schema::string_len("to_arn", 256))
            .col(schema::uuid_null("requested_by"))
            .col(schema::big_integer("created_at"))
            .col(schema::big_integer_null("control_at"))
            .col(schema::big_integer_null("finished_at"))
            .col(schema::uuid_null("owner"))
            .col(schema::big_integer("lease_until").default(0))
            .col(schema::big_integer("fence").default(0))
            .col(schema::big_integer("generation").default(0))
            .col(schema::string_len_null("waiting", 32))
            .col(schema::string_len_null("failure", 32))
            .col(schema::string_len_null("code", 64))
            .col(schema::uuid_null("problem_scope"))
            .foreign_key(
                ForeignKey::create()
                    .name("jobs_requested_by")
                    .from("jobs", "requested_by")
                    .to("users", "id")
                    .on_delete(ForeignKeyAction::SetNull),
            )
            .to_owned();
        for counter in ["keys", "records", "files", "bytes"] {
            jobs.col(schema::big_integer(format!("{counter}_total")).default(0));
            jobs.col(schema::big_integer(format!("{counter}_done")).default(0));
        }
        manager.create_table(jobs).await?;
        // At most one unfinished job, whatever any server does.
        manager
            .create_index(
                Index::create()
                    .name("jobs_one_unfinished")
                    .table("jobs")
                    .col("slot")
                    .unique()
                    .and_where(Expr::col("state").is_in(["running", "paused"]))
                    .to_owned(),
            )
            .await?;
        manager.create_index(Index::create().name("jobs_newest").table("jobs").col("created_at").to_owned()).await?;
        manager
            .create_table(
                Table::create()
                    .table("set_aside")
                    .col(schema::uuid("id").primary_key())
                    .col(schema::uuid("job_id"))
                    .col(schema::string_len("item_table", 32))
                    .col(schema::uuid("item_id"))
                    .col(schema::uuid("scope"))
                    .col(schema::uuid("data_key_id"))
                    .col(schema::string_len("reason", 32))
                    .col(schema::big_integer("at"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("set_aside_job")
                            .from("set_aside", "job_id")
                            .to("jobs", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("set_aside_item")
                    .table("set_aside")
                    .col("job_id")
                    .col("item_table")
                    .col("item_id")
                    .unique()
                    .to_owned(),
            )
            .await
    }
}
