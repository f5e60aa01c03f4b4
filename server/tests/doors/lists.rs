//! The list of workspaces: one's own, in order and whole, at a cost that does not grow with everybody else's.

use crate::{on_both_databases, scene::People, support::Database};
use app::{
    model::workspace::WorkspaceRole,
    ports::{WorkspaceMembersPort, WorkspacesPort},
};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

on_both_databases!(the_pages_of_a_list_hold_ones_own_workspaces_newest_first);

async fn the_pages_of_a_list_hold_ones_own_workspaces_newest_first(database: Database) {
    let people = People::new(database).await;
    let port = &people.app.services.workspaces;
    let (owner, reader) = (&people.owner, &people.reader);
    let mut mine = Vec::new();
    for n in 0..110 {
        let id = port.create(owner, &format!("number {n}"), "").await.unwrap().id;
        if n % 2 == 0 {
            port.add_member(owner, &id, &reader.email, WorkspaceRole::Reader).await.unwrap();
            mine.push(id);
        }
    }
    mine.reverse();
    let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = port.list(reader, after.as_deref()).await.unwrap();
        found.extend(page.items.into_iter().map(|workspace| workspace.id));
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((found, pages), (mine, 2));
    is_read_by_index(&people).await;
    people.app.stop().await;
}

/// `SQLite` says how it would go about it. (`PostgreSQL` reads so small a table whole, whatever indexes there are.)
async fn is_read_by_index(people: &People) {
    let on = people.app.services.store.read();
    if on.get_database_backend() != DbBackend::Sqlite {
        return;
    }
    let list = "EXPLAIN QUERY PLAN SELECT * FROM workspace_members LEFT JOIN workspaces \
                ON workspace_members.workspace_id = workspaces.id WHERE workspace_members.user_id = x'00' \
                ORDER BY workspace_members.workspace_created_at DESC, workspace_members.workspace_id DESC LIMIT 51";
    let plan = on.query_all_raw(Statement::from_string(DbBackend::Sqlite, list)).await.unwrap();
    let plan: Vec<String> = plan.iter().map(|row| row.try_get("", "detail").unwrap()).collect();
    assert!(plan.iter().any(|step| step.contains("workspace_members_newest")), "{plan:?}");
    assert!(plan.iter().all(|step| !step.contains("TEMP B-TREE") && !step.starts_with("SCAN")), "{plan:?}");
}
