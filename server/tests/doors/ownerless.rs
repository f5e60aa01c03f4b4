//! A workspace whose owners are gone: an administrator names a new one, and reads nothing on the way.

use crate::{
    on_both_databases,
    scene::{MISSING, People},
    support::Database,
};
use app::{
    model::{
        error::{ApiError, Invalid},
        workspace::WorkspaceRole,
    },
    ports::{Principal, WorkspaceMembersPort, WorkspacesPort},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::Expr};
use server::store::entities::{audit_entry, user};

on_both_databases!(
    a_workspace_whose_owner_is_removed_gets_another,
    a_workspace_whose_owner_is_disabled_gets_another,
    every_change_is_in_the_audit_log,
    an_administrator_cannot_help_themself_to_a_workspace_that_has_an_owner,
);

async fn is_found_and_given(people: &People, workspace: &str) {
    let port = &people.app.services.workspaces;
    let administrator = people.app.administrator().await;
    let listed = port.ownerless(&administrator).await.unwrap();
    assert_eq!(listed.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), [workspace]);
    assert_eq!(listed[0].members.first().map(String::as_str), Some("Member"));
    // Until then it is as closed to them as any other.
    assert_eq!(port.get(&administrator, workspace).await.map(drop), Err(ApiError::NotFound));
    let give = async |email: &str| port.give_owner(&administrator, workspace, email).await;
    assert_eq!(give("stranger@example.com").await, Err(Invalid::NoSuchPerson.into()));
    // A reader becomes the owner.
    give(&people.reader.email).await.unwrap();
    assert_eq!(port.get(&people.reader, workspace).await.unwrap().role, WorkspaceRole::Owner);
    assert_eq!(give(&administrator.email).await, Err(ApiError::NotFound), "it has an owner again");
    assert!(port.ownerless(&administrator).await.unwrap().is_empty());
    assert_eq!(port.get(&administrator, workspace).await.map(drop), Err(ApiError::NotFound));
}

async fn scene_of_one_owner(people: &People) -> String {
    let scene = people.filled(&people.owner).await;
    let port = &people.app.services.workspaces;
    let reader = port.add_member(&people.owner, &scene.workspace, &people.reader.email, WorkspaceRole::Reader).await;
    reader.unwrap();
    scene.workspace
}

fn the(person: &Principal) -> sea_orm::sea_query::SimpleExpr {
    user::Column::Id.eq(person.user_id.parse::<uuid::Uuid>().unwrap())
}

async fn a_workspace_whose_owner_is_removed_gets_another(database: Database) {
    let people = People::new(database).await;
    let workspace = scene_of_one_owner(&people).await;
    let on = people.app.services.store.write();
    user::Entity::delete_many().filter(the(&people.owner)).exec(on).await.unwrap();
    is_found_and_given(&people, &workspace).await;
    people.app.stop().await;
}

async fn a_workspace_whose_owner_is_disabled_gets_another(database: Database) {
    let people = People::new(database).await;
    let workspace = scene_of_one_owner(&people).await;
    let on = people.app.services.store.write();
    let disabled = user::Entity::update_many().col_expr(user::Column::DisabledAt, Expr::value(1_i64));
    disabled.filter(the(&people.owner)).exec(on).await.unwrap();
    is_found_and_given(&people, &workspace).await;
    people.app.stop().await;
}

async fn an_administrator_cannot_help_themself_to_a_workspace_that_has_an_owner(database: Database) {
    let people = People::new(database).await;
    let scene = people.scene().await;
    let port = &people.app.services.workspaces;
    let administrator = people.app.administrator().await;
    assert!(port.ownerless(&administrator).await.unwrap().is_empty());
    for id in [scene.workspace.as_str(), MISSING, "x"] {
        let given = port.give_owner(&administrator, id, &administrator.email).await;
        assert_eq!(given, Err(ApiError::NotFound), "{id}");
        assert_eq!(port.delete_refused(&administrator, id).await, Err(ApiError::NotFound), "{id}");
        let added = port.add_member(&administrator, id, &administrator.email, WorkspaceRole::Owner).await;
        assert_eq!(added, Err(ApiError::NotFound), "{id}");
    }
    for somebody in [&people.owner, &people.outsider] {
        assert_eq!(port.ownerless(somebody).await, Err(ApiError::NotAllowed));
        let deleted = port.delete_refused(somebody, &scene.workspace).await;
        assert_eq!(deleted, Err(ApiError::NotAllowed));
    }
    assert!(port.list(&administrator, None).await.unwrap().items.is_empty());
    people.app.stop().await;
}

async fn every_change_is_in_the_audit_log(database: Database) {
    let people = People::new(database).await;
    let port = &people.app.services.workspaces;
    let (owner, reader, administrator) = (&people.owner, &people.reader, people.app.administrator().await);
    let workspace = port.create(owner, "Harbour survey", "").await.unwrap().id;
    port.add_member(owner, &workspace, &reader.email, WorkspaceRole::Reader).await.unwrap();
    port.change_role(owner, &workspace, &reader.user_id, WorkspaceRole::Editor).await.unwrap();
    port.remove_member(owner, &workspace, &reader.user_id).await.unwrap();
    // What is refused is no entry.
    port.remove_member(owner, &workspace, &owner.user_id).await.unwrap_err();
    let on = people.app.services.store.write();
    user::Entity::delete_many().filter(the(owner)).exec(on).await.unwrap();
    port.give_owner(&administrator, &workspace, &reader.email).await.unwrap();
    port.delete(reader, &workspace).await.unwrap();

    let of = |person: &Principal| format!("{workspace}/{}", person.user_id);
    let found = audit_entry::Entity::find()
        .filter(audit_entry::Column::ObjectId.starts_with(&workspace))
        .order_by_asc(audit_entry::Column::Sequence)
        .all(on)
        .await
        .unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|entry| {
            let by = entry.actor_email.as_deref().unwrap();
            (entry.action.as_str(), by, entry.object_id.as_deref().unwrap(), entry.detail.as_deref())
        })
        .collect();
    let (by_owner, by_reader, by_administrator) = (owner.email.as_str(), reader.email.as_str(), administrator.email);
    assert_eq!(
        found,
        [
            ("workspace_created", by_owner, workspace.as_str(), None),
            ("workspace_member_added", by_owner, &of(reader), Some("reader")),
            ("workspace_member_role_changed", by_owner, &of(reader), Some("editor")),
            ("workspace_member_removed", by_owner, &of(reader), None),
            ("workspace_member_added", &by_administrator, &of(reader), Some("owner_named_by_administrator")),
            ("workspace_deleted", by_reader, &workspace, None),
        ]
    );
    people.app.stop().await;
}
