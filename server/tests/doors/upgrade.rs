//! A deployment of the time before workspaces had members: nothing goes out of anybody's sight.

use crate::{on_both_databases, support::Database};
use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder};
use sea_orm_migration::MigratorTrait;
use server::store::{
    Store,
    entities::workspace_member::{self, WorkspaceRole},
    migrations::Migrator,
};
use uuid::Uuid;

on_both_databases!(everybody_stays_a_member_of_what_there_was);

const STEP: &str = "m0012_workspace_members";

async fn everybody_stays_a_member_of_what_there_was(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let fresh = database.fresh(folder.path()).await;
    let store = Store::connect(&fresh.url).await.unwrap();
    let before = Migrator::migrations().iter().position(|step| step.name() == STEP).unwrap();
    Migrator::up(store.write(), Some(u32::try_from(before).unwrap())).await.unwrap();
    let (ada, bea) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let (known, unknown, key) = (Uuid::from_u128(11), Uuid::from_u128(12), Uuid::from_u128(21));
    let on = store.write();
    let text = |id: Uuid| match on.get_database_backend() {
        sea_orm::DbBackend::Sqlite => format!("x'{}'", id.simple()),
        _ => format!("'{id}'"),
    };
    let bytes = match on.get_database_backend() {
        sea_orm::DbBackend::Sqlite => "x'00'",
        _ => "'\\x00'",
    };
    let mut sql = Vec::new();
    for (id, email) in [(ada, "ada@example.com"), (bea, "bea@example.com")] {
        sql.push(format!(
            "INSERT INTO users (id, email, name, password_hash, role, created_at) \
             VALUES ({}, '{email}', 'Somebody', '', 'member', 1)",
            text(id)
        ));
    }
    sql.push(format!(
        "INSERT INTO data_keys (id, scope, state, wrapped, check_value, generation, created_at) \
         VALUES ({}, {}, 'current', {bytes}, {bytes}, 1, 1)",
        text(key),
        text(Uuid::nil())
    ));
    for (id, by) in [(known, text(ada)), (unknown, "NULL".to_owned())] {
        sql.push(format!(
            "INSERT INTO workspaces (id, scope, data_key_id, rev, name_sealed, description_sealed, created_by, \
             created_at, updated_at) VALUES ({}, {}, {}, 1, {bytes}, {bytes}, {by}, 7, 8)",
            text(id),
            text(Uuid::nil()),
            text(key)
        ));
    }
    for statement in sql {
        on.execute_unprepared(&statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    store.migrate().await.unwrap();
    let found = workspace_member::Entity::find()
        .order_by_asc(workspace_member::Column::WorkspaceId)
        .order_by_asc(workspace_member::Column::UserId)
        .all(store.read())
        .await
        .unwrap();
    let found: Vec<_> =
        found.iter().map(|row| (row.workspace_id, row.user_id, row.role, row.workspace_created_at)).collect();
    assert_eq!(
        found,
        [
            (known, ada, WorkspaceRole::Owner, 7),
            (known, bea, WorkspaceRole::Editor, 7),
            (unknown, ada, WorkspaceRole::Owner, 7),
            (unknown, bea, WorkspaceRole::Owner, 7),
        ]
    );
    store.close().await.unwrap();
    fresh.remove().await;
}
