//! Who is a member of which workspace.
//!
//! Until this step every user could reach every workspace. Nothing goes out of anybody's sight by it: each user who exists
//! now becomes a member of each workspace that exists now, its creator as *Owner* and all others as *Editor*. A workspace
//! whose creator is not known (any more) gets all of them as *Owner*. From then on a workspace is its creator's alone, until
//! they add somebody.

use super::WHOLE;
use sea_orm_migration::{prelude::*, schema};

#[derive(DeriveMigrationName)]
pub struct Migration;

const EVERYBODY: &str = "INSERT INTO workspace_members \
    (workspace_id, user_id, role, workspace_created_at, added_at, added_by) \
    SELECT workspaces.id, users.id, \
    CASE WHEN workspaces.created_by IS NULL OR workspaces.created_by = users.id THEN 'owner' ELSE 'editor' END, \
    workspaces.created_at, workspaces.created_at, NULL \
    FROM workspaces CROSS JOIN users";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let reference = |column, table, gone| {
            ForeignKey::create()
                .name(format!("workspace_members_{column}"))
                .from("workspace_members", column)
                .to(table, "id")
                .on_delete(gone)
                .to_owned()
        };
        let table = Table::create()
            .table("workspace_members")
            .col(schema::uuid("workspace_id"))
            .col(schema::uuid("user_id"))
            .col(schema::string_len("role", 16))
            .col(schema::big_integer("workspace_created_at"))
            .col(schema::big_integer("added_at"))
            .col(schema::uuid_null("added_by"))
            .primary_key(Index::create().col("workspace_id").col("user_id"))
            .foreign_key(&mut reference("workspace_id", "workspaces", ForeignKeyAction::Cascade))
            .foreign_key(&mut reference("user_id", "users", ForeignKeyAction::Cascade))
            .foreign_key(&mut reference("added_by", "users", ForeignKeyAction::SetNull))
            .to_owned();
        manager.create_table(table).await?;
        // A page of somebody's list of workspaces is one range of it, however many workspaces there are.
        let newest = Index::create()
            .name("workspace_members_newest")
            .table("workspace_members")
            .col("user_id")
            .col("workspace_created_at")
            .col("workspace_id")
            .to_owned();
        manager.create_index(newest).await?;
        // So that a user can be removed without a walk over all memberships.
        let added =
            Index::create().name("workspace_members_added_by").table("workspace_members").col("added_by").to_owned();
        manager.create_index(added).await?;
        manager.get_connection().execute_unprepared(EVERYBODY).await?;
        Ok(())
    }
}
