//! Workspaces and everything in them.

use super::{WHOLE, index_by_data_key, sealed_under};
use sea_orm_migration::{prelude::*, schema};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        WHOLE
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        workspaces(manager).await?;
        notes(manager).await?;
        objects(manager).await?;
        files(manager).await?;
        object_notes(manager).await
    }
}

/// The columns that every table with sealed data has.
fn sealed_table(name: &'static str) -> TableCreateStatement {
    let mut table = Table::create()
        .table(name)
        .col(schema::uuid("id").primary_key())
        .col(schema::uuid("scope"))
        .col(schema::uuid("data_key_id"))
        .col(schema::big_integer("rev"))
        .to_owned();
    sealed_under(&mut table, name);
    table
}

/// A reference to a user, which outlives the user.
fn user_reference(table: &'static str, column: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{table}_{column}"))
        .from(table, column)
        .to("users", "id")
        .on_delete(ForeignKeyAction::SetNull)
        .to_owned()
}

/// A reference to the workspace that a row is in: a row cannot appear in a workspace that is being deleted.
fn in_workspace(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{table}_workspace"))
        .from(table, "scope")
        .to("workspaces", "id")
        .on_delete(ForeignKeyAction::Restrict)
        .to_owned()
}

async fn workspaces(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = sealed_table("workspaces")
        .col(schema::binary("name_sealed"))
        .col(schema::binary("description_sealed"))
        .col(schema::uuid_null("created_by"))
        .col(schema::big_integer("created_at"))
        .col(schema::big_integer("updated_at"))
        .foreign_key(&mut user_reference("workspaces", "created_by"))
        .to_owned();
    manager.create_table(table).await?;
    manager.create_index(index_by_data_key("workspaces", "id")).await?;
    let newest = Index::create().name("workspaces_newest").table("workspaces").col("created_at").col("id").to_owned();
    manager.create_index(newest).await
}

async fn notes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = sealed_table("notes")
        .col(schema::binary("text_sealed"))
        .col(schema::uuid_null("author_id"))
        .col(schema::big_integer("created_at"))
        .col(schema::big_integer("updated_at"))
        .foreign_key(&mut user_reference("notes", "author_id"))
        .foreign_key(&mut in_workspace("notes"))
        .to_owned();
    manager.create_table(table).await?;
    manager.create_index(index_by_data_key("notes", "id")).await?;
    manager.create_index(newest_in_workspace("notes")).await
}

async fn objects(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = sealed_table("objects")
        .col(schema::uuid("object_id").unique_key())
        .col(schema::string_len("place", 128).unique_key())
        .col(schema::big_integer("size"))
        .col(schema::big_integer("created_at"))
        .foreign_key(&mut in_workspace("objects"))
        .to_owned();
    manager.create_table(table).await?;
    manager.create_index(index_by_data_key("objects", "id")).await?;
    let sizes = Index::create().name("objects_by_scope").table("objects").col("scope").col("size").to_owned();
    manager.create_index(sizes).await
}

async fn files(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = sealed_table("files")
        .col(schema::binary("name_sealed"))
        .col(schema::binary("media_type_sealed"))
        .col(schema::uuid("object_row").unique_key())
        .col(schema::uuid_null("uploaded_by"))
        .col(schema::big_integer("created_at"))
        .col(schema::big_integer("updated_at"))
        .foreign_key(&mut user_reference("files", "uploaded_by"))
        .foreign_key(&mut in_workspace("files"))
        .foreign_key(
            ForeignKey::create()
                .name("files_object_row")
                .from("files", "object_row")
                .to("objects", "id")
                .on_delete(ForeignKeyAction::Restrict),
        )
        .to_owned();
    manager.create_table(table).await?;
    manager.create_index(index_by_data_key("files", "id")).await?;
    manager.create_index(newest_in_workspace("files")).await
}

async fn object_notes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create()
        .table("object_notes")
        .col(schema::string_len("place", 128).primary_key())
        .col(schema::string_len("state", 16))
        .col(schema::uuid_null("owner"))
        .col(schema::big_integer("expires_at"))
        .col(schema::uuid_null("scope"))
        .col(schema::uuid_null("data_key_id"))
        .col(schema::big_integer("created_at"))
        .to_owned();
    sealed_under(&mut table, "object_notes");
    manager.create_table(table).await?;
    manager.create_index(index_by_data_key("object_notes", "place")).await?;
    let due = Index::create().name("object_notes_due").table("object_notes").col("state").col("expires_at").to_owned();
    manager.create_index(due).await
}

fn newest_in_workspace(table: &'static str) -> IndexCreateStatement {
    Index::create().name(format!("{table}_newest")).table(table).col("scope").col("created_at").col("id").to_owned()
}
