//! An entry of the audit log has the number that the row `audit_head` names, and no other: whoever may only insert cannot slip
//! one in, neither between others nor before the first.

use super::WHOLE;
use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

#[derive(DeriveMigrationName)]
pub struct Migration;

const OF_POSTGRES: [&str; 2] = [
    // With a path of its own: a temporary table of somebody's must not stand in for `audit_head`.
    "DO $make$ BEGIN EXECUTE format( \
       'CREATE FUNCTION audit_entry_is_next() RETURNS trigger LANGUAGE plpgsql SET search_path = %I, pg_temp AS \
        $body$ BEGIN \
          IF NEW.sequence IS DISTINCT FROM (SELECT sequence FROM audit_head WHERE id = 1) THEN \
            RAISE EXCEPTION ''the audit log is append-only''; \
          END IF; \
          RETURN NEW; \
        END $body$', current_schema()); END $make$",
    "CREATE TRIGGER audit_entries_in_order BEFORE INSERT ON audit_entries \
     FOR EACH ROW EXECUTE FUNCTION audit_entry_is_next()",
];
const OF_SQLITE: [&str; 1] = ["CREATE TRIGGER audit_entries_in_order BEFORE INSERT ON audit_entries \
     WHEN NEW.sequence IS NOT (SELECT sequence FROM audit_head WHERE id = 1) \
     BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let statements: &[&str] = match manager.get_database_backend() {
            DbBackend::Postgres => &OF_POSTGRES,
            _ => &OF_SQLITE,
        };
        for statement in statements {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        Ok(())
    }
}
