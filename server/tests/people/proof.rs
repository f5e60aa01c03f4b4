//! Fresh proof before grave actions.

use crate::{
    on_both_databases,
    steps::{MEMBER, administrator, age_proof, invite, page, post, row, signed_in},
    support::{Database, PASSWORD, TestApp},
};
use app::{
    model::error::{ApiError, Invalid},
    ports::{MembersPort, WorkspacesPort},
};
use reqwest::StatusCode;
use sea_orm::EntityTrait;
use server::store::entities::invitation;

on_both_databases!(
    a_sign_in_counts_for_five_minutes,
    without_scripts_what_was_typed_comes_back,
    activating_and_deleting_a_key_ask_for_it,
    naming_an_owner_and_deleting_a_refused_workspace_ask_for_it,
    a_wrong_proof_is_counted_as_a_wrong_password,
);

async fn a_sign_in_counts_for_five_minutes(database: Database) {
    let app = TestApp::start(database).await;
    let member = app.add_member(MEMBER).await;
    let mut admin = administrator(&app).await;
    let fields = [("member", member.user_id.as_str()), ("role", "administrator")];
    age_proof(&app, 299).await;
    assert!(admin.call("change_member_role", &fields).await.status.is_success());
    age_proof(&app, 2).await;
    for (function, fields) in [
        ("change_member_role", vec![("member", member.user_id.as_str()), ("role", "member")]),
        ("disable_member", vec![("member", member.user_id.as_str())]),
        ("remove_member", vec![("member", member.user_id.as_str())]),
        ("reset_second_factor", vec![("member", member.user_id.as_str())]),
        ("begin_second_factor", vec![]),
        ("remove_second_factor", vec![]),
    ] {
        let answer = admin.call(function, &fields).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::FORBIDDEN, ApiError::ProofNeeded), "{function}");
    }
    // Somebody may be invited as a member, but not as an administrator.
    invite(&admin, "guest@example.com", "member").await;
    let fields = [("email", "boss@example.com"), ("role", "administrator")];
    let answer = post(&admin, "/settings/members/invite", &fields).await;
    assert!(answer.header("location").unwrap().starts_with("/account/confirm?then="), "{answer:?}");
    assert_eq!(invitation::Entity::find().all(app.services.store.read()).await.unwrap().len(), 1);

    assert!(admin.call("give_proof", &[("secret", PASSWORD), ("then", "")]).await.status.is_success());
    let fields = [("member", member.user_id.as_str()), ("role", "member")];
    assert!(admin.call("change_member_role", &fields).await.status.is_success());
    app.stop().await;
}

async fn without_scripts_what_was_typed_comes_back(database: Database) {
    let app = TestApp::start(database).await;
    let member = app.add_member(MEMBER).await;
    let admin = administrator(&app).await;
    age_proof(&app, 301).await;
    let fields = [("member", member.user_id.as_str()), ("role", "administrator")];
    let answer = post(&admin, "/api/change_member_role", &fields).await;
    let confirm = answer.header("location").unwrap().to_owned();
    assert!(confirm.starts_with("/account/confirm?then=/settings/members%3Fmember%3D"), "{confirm}");
    let shown = page(&admin, &confirm).await;
    let then = crate::steps::between(&shown, "name=\"then\" value=\"", "\"").replace("&amp;", "&");
    let answer = post(&admin, "/api/give_proof", &[("secret", PASSWORD), ("then", &then)]).await;
    assert_eq!(answer.header("location"), Some(then.as_str()));
    let shown = page(&admin, &then).await;
    assert!(shown.contains("<details open"), "the member is in view");
    assert!(post(&admin, "/api/change_member_role", &fields).await.status.is_redirection());
    assert_eq!(row(&app, MEMBER).await.role, server::store::entities::user::Role::Administrator);
    // The way back is one of this site.
    let evil = post(&admin, "/api/give_proof", &[("secret", PASSWORD), ("then", "https://evil.example/")]).await;
    assert_eq!(evil.header("location"), Some("/workspaces"));
    app.stop().await;
}

async fn activating_and_deleting_a_key_ask_for_it(database: Database) {
    let app = TestApp::start(database).await;
    let mut admin = administrator(&app).await;
    let arn = app.keys.create().await;
    age_proof(&app, 301).await;
    for function in ["activate_key", "delete_key"] {
        let answer = admin.call(function, &[("arn", &arn)]).await;
        assert_eq!(answer.json::<ApiError>(), ApiError::ProofNeeded, "{function}");
    }
    let answer = post(&admin, "/api/activate_key", &[("arn", &arn)]).await;
    let confirm = answer.header("location").unwrap();
    assert!(confirm.starts_with("/account/confirm?then=/settings/data-encryption%3Farn%3D"), "{confirm}");
    admin.call("give_proof", &[("secret", PASSWORD), ("then", "")]).await;
    let answer = admin.call("activate_key", &[("arn", &arn)]).await;
    assert!(answer.status.is_success(), "{answer:?}");
    app.stop().await;
}

async fn naming_an_owner_and_deleting_a_refused_workspace_ask_for_it(database: Database) {
    let app = TestApp::start(database).await;
    let (owner, heir) = (app.add_member(MEMBER).await, app.add_member("heir@example.com").await);
    let port = &app.services.workspaces;
    let workspace = port.create(&owner, "Harbour survey", "").await.unwrap().id;
    app.services.members.remove(&app.administrator().await, &owner.user_id).await.unwrap();
    let mut admin = administrator(&app).await;
    age_proof(&app, 301).await;
    let give = [("workspace", workspace.as_str()), ("email", heir.email.as_str())];
    let delete = [("workspace", workspace.as_str())];
    for (function, fields) in [("give_workspace_owner", &give[..]), ("delete_refused_workspace", &delete[..])] {
        let answer = admin.call(function, fields).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::FORBIDDEN, ApiError::ProofNeeded), "{function}");
        // A member is told the same with proof and without: that it is not theirs to do.
        let mut member = signed_in(&app, &heir.email, PASSWORD).await;
        assert_eq!(member.call(function, fields).await.json::<ApiError>(), ApiError::NotAllowed, "{function}");
    }
    assert_eq!(port.list(&heir, None).await.unwrap().items.len(), 0, "nothing has happened");
    // Without scripts, by way of the page that asks for it, and with what was typed.
    let answer = post(&admin, "/api/give_workspace_owner", &give).await;
    let confirm = answer.header("location").unwrap().to_owned();
    assert!(confirm.starts_with("/account/confirm?then=/settings/members%3Fworkspace%3D"), "{confirm}");
    let shown = page(&admin, &confirm).await;
    let then = crate::steps::between(&shown, "name=\"then\" value=\"", "\"").replace("&amp;", "&");
    let answer = post(&admin, "/api/give_proof", &[("secret", PASSWORD), ("then", &then)]).await;
    assert_eq!(answer.header("location"), Some(then.as_str()));
    let shown = page(&admin, &then).await;
    assert!(shown.contains(&workspace) && shown.contains("value=\"heir@example.com\""), "{shown}");
    let answer = post(&admin, "/api/delete_refused_workspace", &delete).await;
    assert!(answer.header("location").is_none_or(|place| !place.contains("confirm")), "{answer:?}");
    assert!(admin.call("give_workspace_owner", &give).await.status.is_success());
    assert_eq!(port.list(&heir, None).await.unwrap().items.len(), 1);
    app.stop().await;
}

async fn a_wrong_proof_is_counted_as_a_wrong_password(database: Database) {
    let app = TestApp::start(database).await;
    let mut admin = administrator(&app).await;
    let mut seen = Vec::new();
    for _ in 0..7 {
        let answer = admin.call("give_proof", &[("secret", "not the password"), ("then", "")]).await;
        seen.push(answer.json::<ApiError>());
    }
    assert_eq!(seen[0], Invalid::ProofWrong.into());
    assert!(matches!(seen[6], ApiError::TooManyAttempts { .. }), "{seen:?}");
    app.stop().await;
}
