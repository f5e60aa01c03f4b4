//! Changing members: roles, disabling, removing, and that one administrator always stays.

use crate::{
    on_both_databases,
    steps::{MEMBER, administrator, id, invite, is_in, page, row, signed_in},
    support::{ADMIN, Database, Ground, PASSWORD, TestApp},
};
use app::{
    model::{
        error::{ApiError, MemberRefused},
        identity::Role,
    },
    ports::MembersPort,
};
use sea_orm::EntityTrait;
use server::store::entities::{invitation, session, user};

on_both_databases!(
    the_last_administrator_stays,
    two_administrators_cannot_take_each_other_away,
    a_role_counts_from_the_next_request_on,
    a_disabled_member_is_out_at_once_on_every_server,
    a_removed_member_is_gone_with_all_sessions,
    only_administrators_change_members,
    links_that_make_administrators_end_with_their_maker,
);

const LAST: ApiError = ApiError::MemberRefused(MemberRefused::LastAdministrator);

async fn the_last_administrator_stays(database: Database) {
    let app = TestApp::start(database).await;
    let (who, members) = (app.administrator().await, &app.services.members);
    assert_eq!(members.change_role(&who, &who.user_id, Role::Member).await, Err(LAST));
    assert_eq!(members.set_disabled(&who, &who.user_id, true).await, Err(LAST));
    assert_eq!(members.remove(&who, &who.user_id).await, Err(LAST));
    // A disabled administrator is none that counts.
    let other = app.services.accounts.create_user(MEMBER, "Grace", Role::Administrator, PASSWORD).await.unwrap();
    members.set_disabled(&who, &other.user_id, true).await.unwrap();
    assert_eq!(members.remove(&who, &who.user_id).await, Err(LAST));
    members.set_disabled(&who, &other.user_id, false).await.unwrap();
    members.remove(&who, &who.user_id).await.unwrap();
    assert_eq!(members.remove(&other, &other.user_id).await, Err(LAST));
    app.stop().await;
}

async fn two_administrators_cannot_take_each_other_away(database: Database) {
    let app = TestApp::start(database).await;
    let (members, one) = (&app.services.members, app.administrator().await);
    let other = app.services.accounts.create_user(MEMBER, "Grace", Role::Administrator, PASSWORD).await.unwrap();
    for round in 0..20 {
        let (first, second) = match round % 3 {
            0 => tokio::join!(
                members.change_role(&one, &other.user_id, Role::Member),
                members.change_role(&other, &one.user_id, Role::Member)
            ),
            1 => tokio::join!(
                members.set_disabled(&one, &other.user_id, true),
                members.change_role(&other, &one.user_id, Role::Member)
            ),
            _ => tokio::join!(
                members.set_disabled(&one, &other.user_id, true),
                members.set_disabled(&other, &one.user_id, true)
            ),
        };
        let refused = usize::from(first == Err(LAST.clone())) + usize::from(second == Err(LAST.clone()));
        assert_eq!(refused, 1, "{first:?} {second:?}");
        // Both as before, for the next round.
        for who in [&one, &other] {
            members.set_disabled(&one, &who.user_id, false).await.unwrap();
            members.change_role(&one, &who.user_id, Role::Administrator).await.unwrap();
        }
    }
    app.stop().await;
}

async fn a_role_counts_from_the_next_request_on(database: Database) {
    let app = TestApp::start(database).await;
    let member = app.add_member(MEMBER).await;
    let (mut admin, browser) = (administrator(&app).await, signed_in(&app, MEMBER, PASSWORD).await);
    assert!(!page(&browser, "/settings/members").await.contains("Invite somebody"));
    admin.call("change_member_role", &[("member", &member.user_id), ("role", "administrator")]).await;
    assert!(page(&browser, "/settings/members").await.contains("Invite somebody"));
    app.stop().await;
}

async fn a_disabled_member_is_out_at_once_on_every_server(database: Database) {
    let ground = Ground::new(database).await;
    let endpoint = std::env::var("KEYSTEAD_TEST_KMS_URL").unwrap();
    let one = ground.start(&endpoint, |_| {}).await;
    let other = ground.start(&endpoint, |_| {}).await;
    let member = one.add_member(MEMBER).await;
    let browsers = [signed_in(&one, MEMBER, PASSWORD).await, signed_in(&other, MEMBER, PASSWORD).await];
    let who = one.administrator().await;
    one.services.members.set_disabled(&who, &member.user_id, true).await.unwrap();
    for browser in &browsers {
        assert!(!is_in(browser).await);
    }
    let refused = other.browser().sign_in(MEMBER, PASSWORD).await;
    assert_eq!(refused.json::<ApiError>(), ApiError::AccountDisabled);
    let wrong = other.browser().sign_in(MEMBER, "not the password").await;
    assert_eq!(wrong.json::<ApiError>(), ApiError::WrongCredentials, "nobody else learns of it");
    other.services.members.set_disabled(&who, &member.user_id, false).await.unwrap();
    assert!(!is_in(&browsers[0]).await, "what has ended stays so");
    assert!(is_in(&signed_in(&one, MEMBER, PASSWORD).await).await);
    drop(ground);
    one.stop().await;
    other.stop().await;
}

async fn a_removed_member_is_gone_with_all_sessions(database: Database) {
    let app = TestApp::start(database).await;
    let member = app.add_member(MEMBER).await;
    let browser = signed_in(&app, MEMBER, PASSWORD).await;
    app.services.members.remove(&app.administrator().await, &member.user_id).await.unwrap();
    assert!(!is_in(&browser).await);
    let store = &app.services.store;
    assert!(user::Entity::find_by_id(id(&member)).one(store.read()).await.unwrap().is_none());
    assert!(session::Entity::find().all(store.read()).await.unwrap().is_empty());
    let unknown = app.browser().sign_in(MEMBER, PASSWORD).await;
    assert_eq!(unknown.json::<ApiError>(), ApiError::WrongCredentials);
    app.stop().await;
}

async fn only_administrators_change_members(database: Database) {
    let app = TestApp::start(database).await;
    let member = app.add_member(MEMBER).await;
    let victim = row(&app, ADMIN).await.id.to_string();
    let mut browser = signed_in(&app, MEMBER, PASSWORD).await;
    for (function, fields) in [
        ("change_member_role", vec![("member", member.user_id.as_str()), ("role", "administrator")]),
        ("disable_member", vec![("member", victim.as_str())]),
        ("enable_member", vec![("member", victim.as_str())]),
        ("remove_member", vec![("member", victim.as_str())]),
        ("reset_second_factor", vec![("member", victim.as_str())]),
        ("withdraw_invitation", vec![("invitation", victim.as_str())]),
    ] {
        assert_eq!(browser.call(function, &fields).await.json::<ApiError>(), ApiError::NotAllowed, "{function}");
    }
    app.stop().await;
}

async fn links_that_make_administrators_end_with_their_maker(database: Database) {
    let app = TestApp::start(database).await;
    let other = app.add_member(MEMBER).await;
    let who = app.administrator().await;
    app.services.members.change_role(&who, &other.user_id, Role::Administrator).await.unwrap();
    let browser = signed_in(&app, MEMBER, PASSWORD).await;
    invite(&browser, "boss@example.com", "administrator").await;
    invite(&browser, "guest@example.com", "member").await;
    app.services.members.change_role(&who, &other.user_id, Role::Member).await.unwrap();
    let left = invitation::Entity::find().all(app.services.store.read()).await.unwrap();
    assert_eq!(left.iter().map(|row| row.email.as_str()).collect::<Vec<_>>(), ["guest@example.com"]);
    app.stop().await;
}
