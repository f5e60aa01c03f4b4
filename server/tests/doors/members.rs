//! Members of a workspace: what a change of role means for what is under way, and that an owner stays.

use crate::{
    on_both_databases,
    scene::People,
    support::{Database, content},
};
use app::{
    model::{
        error::{ApiError, Invalid},
        workspace::{Saved, WorkspaceRole},
    },
    ports::{Principal, WorkspaceMembersPort, WorkspacesPort},
};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, future::join};
use std::pin::pin;

on_both_databases!(
    a_role_allows_what_it_says,
    a_change_of_role_holds_from_the_next_request_on,
    a_download_that_has_begun_goes_on_and_an_upload_is_refused_at_its_end,
    the_last_owner_stays,
    two_owners_cannot_both_go_at_once,
    only_people_of_the_organization_become_members_and_once,
);

fn refused(invalid: Invalid) -> Result<(), ApiError> {
    Err(invalid.into())
}

async fn a_role_allows_what_it_says(database: Database) {
    let people = People::new(database).await;
    let scene = people.scene().await;
    let port = &people.app.services.workspaces;
    let role = async |who: &Principal| port.get(who, &scene.workspace).await.map(|workspace| workspace.role);
    assert_eq!(role(&people.reader).await, Ok(WorkspaceRole::Reader));
    assert_eq!(role(&people.editor).await, Ok(WorkspaceRole::Editor));
    assert_eq!(role(&people.owner).await, Ok(WorkspaceRole::Owner));
    // An editor describes, and the name stays.
    let described = port.update(&people.editor, &scene.workspace, 1, None, "what for").await.unwrap();
    let Saved::Stored(now) = described else { panic!("{described:?}") };
    assert_eq!((now.name.as_str(), now.description.as_str(), now.rev), ("Harbour survey", "what for", 2));
    let named = port.update(&people.editor, &scene.workspace, 2, Some("Mine"), "").await;
    assert_eq!(named, Err(ApiError::NotAllowed));
    let late = port.update(&people.editor, &scene.workspace, 1, None, "late").await.unwrap();
    assert!(matches!(late, Saved::Conflict(now) if now.description == "what for"));
    assert_eq!(port.get(&people.reader, &scene.workspace).await.unwrap().name, "Harbour survey");
    people.app.stop().await;
}

async fn a_change_of_role_holds_from_the_next_request_on(database: Database) {
    let people = People::new(database).await;
    let scene = people.scene().await;
    let port = &people.app.services.workspaces;
    let (who, workspace) = (&people.editor, scene.workspace.as_str());
    port.create_note(who, workspace, "one").await.unwrap();
    port.change_role(&people.owner, workspace, &who.user_id, WorkspaceRole::Reader).await.unwrap();
    assert_eq!(port.create_note(who, workspace, "two").await, Err(ApiError::NotAllowed));
    assert_eq!(port.notes(who, workspace, None).await.unwrap().items.len(), 2);
    port.change_role(&people.owner, workspace, &who.user_id, WorkspaceRole::Owner).await.unwrap();
    port.change_role(who, workspace, &people.reader.user_id, WorkspaceRole::Editor).await.unwrap();
    assert_eq!(port.remove_member(&people.owner, workspace, &who.user_id).await, Ok(false));
    assert_eq!(port.notes(who, workspace, None).await.map(drop), Err(ApiError::NotFound));
    assert_eq!(port.change_role(who, workspace, &who.user_id, WorkspaceRole::Owner).await, Err(ApiError::NotFound));
    assert!(port.list(who, None).await.unwrap().items.is_empty());
    // Everybody may go, and is gone.
    assert_eq!(port.remove_member(&people.reader, workspace, &people.reader.user_id).await, Ok(true));
    assert_eq!(port.get(&people.reader, workspace).await.map(drop), Err(ApiError::NotFound));
    people.app.stop().await;
}

async fn a_download_that_has_begun_goes_on_and_an_upload_is_refused_at_its_end(database: Database) {
    let people = People::new(database).await;
    let scene = people.scene().await;
    let services = &people.app.services;
    let (port, who, workspace) = (&services.workspaces, &people.editor, scene.workspace.as_str());
    let bytes = content(3_000_000);
    let mut upload = services.files.begin_upload(who, workspace, "a.bin", "text/plain", None).await.unwrap();
    upload.write(Bytes::from(bytes.clone())).await.unwrap();
    let file = upload.finish().await.unwrap().id;
    let stored = people.app.stored_objects();

    let download = services.files.open(who, workspace, &file).await.unwrap();
    let range = 0..download.bytes;
    let mut stream = pin!(download.stream(range));
    let mut received = stream.next().await.unwrap().unwrap().to_vec();
    let mut upload = services.files.begin_upload(who, workspace, "b.bin", "text/plain", None).await.unwrap();
    upload.write(Bytes::from(bytes.clone())).await.unwrap();
    port.remove_member(&people.owner, workspace, &who.user_id).await.unwrap();

    received.extend(stream.try_collect::<Vec<Bytes>>().await.unwrap().concat());
    assert!(received == bytes, "what has begun goes on to its end");
    assert_eq!(upload.finish().await.map(drop), Err(ApiError::NotFound));
    assert_eq!(services.files.open(who, workspace, &file).await.map(drop), Err(ApiError::NotFound));
    people.app.until("nothing is left of the upload", |app| app.stored_objects() == stored).await;
    people.app.stop().await;
}

async fn the_last_owner_stays(database: Database) {
    let people = People::new(database).await;
    let scene = people.filled(&people.owner).await;
    let port = &people.app.services.workspaces;
    let (owner, workspace) = (&people.owner, scene.workspace.as_str());
    let change = async |role| port.change_role(owner, workspace, &owner.user_id, role).await;
    assert_eq!(change(WorkspaceRole::Editor).await, refused(Invalid::LastOwner));
    assert_eq!(port.remove_member(owner, workspace, &owner.user_id).await, Err(Invalid::LastOwner.into()));
    // An editor beside them is no owner.
    port.add_member(owner, workspace, &people.editor.email, WorkspaceRole::Editor).await.unwrap();
    assert_eq!(change(WorkspaceRole::Reader).await, refused(Invalid::LastOwner));
    port.change_role(owner, workspace, &people.editor.user_id, WorkspaceRole::Owner).await.unwrap();
    assert_eq!(change(WorkspaceRole::Reader).await, Ok(()));
    assert_eq!(change(WorkspaceRole::Owner).await, Err(ApiError::NotAllowed));
    let editor = &people.editor;
    assert_eq!(port.remove_member(editor, workspace, &editor.user_id).await, Err(Invalid::LastOwner.into()));
    // With the workspace they may go.
    port.delete(editor, workspace).await.unwrap();
    people.app.stop().await;
}

async fn two_owners_cannot_both_go_at_once(database: Database) {
    let people = People::new(database).await;
    let port = &people.app.services.workspaces;
    let (one, two) = (&people.owner, &people.companion);
    for _ in 0..20 {
        let scene = people.scene().await;
        let workspace = scene.workspace.as_str();
        let (first, second) = join(
            port.change_role(one, workspace, &one.user_id, WorkspaceRole::Reader),
            port.remove_member(two, workspace, &two.user_id),
        )
        .await;
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    }
    people.app.stop().await;
}

async fn only_people_of_the_organization_become_members_and_once(database: Database) {
    let people = People::new(database).await;
    let scene = people.scene().await;
    let port = &people.app.services.workspaces;
    let (owner, workspace) = (&people.owner, scene.workspace.as_str());
    let add = async |email: &str| port.add_member(owner, workspace, email, WorkspaceRole::Reader).await;
    assert_eq!(add(" ").await, refused(Invalid::EmailMissing));
    assert_eq!(add("stranger@example.com").await, refused(Invalid::NoSuchPerson));
    assert_eq!(add(&people.reader.email).await, refused(Invalid::MemberAlready));
    assert_eq!(add(" Outsider@Example.com ").await, Ok(()));
    let found = port.members(owner, workspace, None).await.unwrap();
    assert_eq!(found.members.items.len(), 5);
    let me: Vec<_> = found.members.items.iter().filter(|member| member.is_me).collect();
    assert_eq!((me.len(), me[0].role), (1, WorkspaceRole::Owner));
    let offered: Vec<_> = found.candidates.iter().map(|person| person.email.as_str()).collect();
    assert!(offered.contains(&"elsewhere@example.com") && !offered.contains(&"reader@example.com"), "{offered:?}");
    people.app.stop().await;
}
