//! The audit log. That it is only ever added to is the database's own doing: triggers refuse every other statement, whoever
//! sends it. Whoever may drop a trigger can still do anything; the chain of hashes and the signed heads are for that.

use super::WHOLE;
use sea_orm_migration::{prelude::*, schema, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// The tables that are only ever added to.
const APPEND_ONLY: [&str; 2] = ["audit_entries", "audit_heads"];
/// What entries are looked up by, always newest first. And what `SQLite` is told about it, since it does not look by itself: the
/// entries of a large log, and how many of them have the same first column, first two columns, and so on. Without that it takes
/// an index of two of these columns to be no better than one of a single column.
const LOOKED_UP_BY: [(&[&str], &str); 7] = [
    (&[], "1000000 1 1"),
    (&["actor"], "1000000 2000 1 1"),
    (&["action"], "1000000 33000 1 1"),
    (&["outcome"], "1000000 200000 1 1"),
    (&["actor", "action"], "1000000 2000 200 1 1"),
    (&["actor", "outcome"], "1000000 2000 1000 1 1"),
    (&["action", "outcome"], "1000000 33000 20000 1 1"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(entries()).await?;
        for (columns, _) in LOOKED_UP_BY {
            manager.create_index(newest_by(columns)).await?;
        }
        // By an e-mail address as it was then to the users who had it.
        let emails = Index::create()
            .name("audit_entries_emails")
            .table("audit_entries")
            .col("actor_email")
            .col("actor")
            .to_owned();
        manager.create_index(emails).await?;
        manager.create_table(head()).await?;
        let first = Query::insert()
            .into_table("audit_head")
            .columns(["id", "sequence", "hash", "urgent"])
            .values_panic([1.into(), 0_i64.into(), vec![0_u8; 32].into(), 0_i64.into()])
            .to_owned();
        manager.execute(first).await?;
        manager.create_table(signed()).await?;
        manager.create_table(open()).await?;
        let by_job = Index::create().name("audit_open_by_job").table("audit_open").col("job_id").to_owned();
        manager.create_index(by_job).await?;
        for statement in own_to(manager.get_database_backend()) {
            manager.get_connection().execute_unprepared(&statement).await?;
        }
        Ok(())
    }
}

fn entries() -> TableCreateStatement {
    Table::create()
        .table("audit_entries")
        .col(schema::big_integer("sequence").primary_key())
        .col(schema::big_integer("at"))
        .col(schema::string_len("action", 40))
        .col(schema::string_len("outcome", 16))
        .col(schema::uuid_null("operation"))
        .col(schema::string_len("actor", 40))
        .col(schema::text_null("actor_name"))
        .col(schema::text_null("actor_email"))
        .col(schema::text_null("address"))
        .col(schema::string_len_null("object_kind", 24))
        .col(schema::text_null("object_id"))
        .col(schema::text_null("detail"))
        .col(schema::big_integer_null("amount"))
        .col(schema::text_null("key_arn"))
        .col(schema::text_null("region"))
        .col(schema::text_null("request_id"))
        .col(schema::uuid_null("server"))
        .col(schema::binary("hash"))
        .to_owned()
}

fn name(columns: &[&'static str]) -> String {
    [&["audit_entries_newest"], columns].concat().join("_")
}

fn newest_by(columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name(columns)).table("audit_entries");
    for column in columns.iter().chain(&["at", "sequence"]) {
        index.col(*column);
    }
    index
}

fn head() -> TableCreateStatement {
    Table::create()
        .table("audit_head")
        .col(schema::integer("id").primary_key())
        .col(schema::big_integer("sequence"))
        .col(schema::binary("hash"))
        .col(schema::big_integer("urgent"))
        .check(Expr::col("id").eq(1))
        .to_owned()
}

fn signed() -> TableCreateStatement {
    Table::create()
        .table("audit_heads")
        .col(schema::big_integer("sequence").primary_key())
        .col(schema::binary("hash"))
        .col(schema::binary("wrapped"))
        .col(schema::text("key_arn"))
        .col(schema::text_null("request_id"))
        .col(schema::big_integer("signed_at"))
        .col(schema::uuid("server"))
        .to_owned()
}

fn open() -> TableCreateStatement {
    Table::create()
        .table("audit_open")
        .col(schema::uuid("operation").primary_key())
        .col(schema::big_integer("sequence"))
        .col(schema::uuid_null("server"))
        .col(schema::uuid_null("job_id"))
        .col(schema::big_integer("expires_at"))
        .to_owned()
}

/// Triggers, and what else each database has in its own way.
fn own_to(backend: DbBackend) -> Vec<String> {
    let mut statements = Vec::new();
    if backend == DbBackend::Postgres {
        statements.push(
            "CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
                .to_owned(),
        );
        for table in APPEND_ONLY {
            statements.push(format!(
                "CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} \
                 FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
            ));
        }
        statements.push(
            "CREATE TRIGGER audit_head_stays BEFORE DELETE OR TRUNCATE ON audit_head \
             FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()"
                .to_owned(),
        );
        statements.push(
            "CREATE TRIGGER audit_head_grows BEFORE UPDATE ON audit_head FOR EACH ROW \
             WHEN (NEW.sequence < OLD.sequence) EXECUTE FUNCTION audit_is_append_only()"
                .to_owned(),
        );
        return statements;
    }
    let refuse = "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END";
    for table in APPEND_ONLY {
        for what in ["UPDATE", "DELETE"] {
            statements
                .push(format!("CREATE TRIGGER {table}_no_{} BEFORE {what} ON {table} {refuse}", what.to_lowercase()));
        }
        // `INSERT OR REPLACE` removes the old row without asking the trigger above.
        statements.push(format!(
            "CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} \
             WHEN EXISTS (SELECT 1 FROM {table} WHERE sequence = NEW.sequence) {refuse}"
        ));
    }
    // Of an empty table this notes nothing: it makes the place for what follows.
    statements.push("ANALYZE audit_open".to_owned());
    for (columns, known) in LOOKED_UP_BY {
        let index = name(columns);
        statements
            .push(format!("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('audit_entries', '{index}', '{known}')"));
    }
    statements.push(format!("CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head {refuse}"));
    statements.push(format!("CREATE TRIGGER audit_head_replaced BEFORE INSERT ON audit_head {refuse}"));
    statements.push(format!(
        "CREATE TRIGGER audit_head_grows BEFORE UPDATE ON audit_head WHEN NEW.sequence < OLD.sequence {refuse}"
    ));
    statements
}
