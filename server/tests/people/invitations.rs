//! Invitations: one use, seven days, and only a hash of the token is stored.

use crate::{
    on_both_databases,
    steps::{OTHER, accept, administrator, between, invite, is_in, page, post, signed_in},
    support::{ADMIN, Answer, Browser, Database, TestApp},
};
use app::model::{
    error::{ApiError, Invalid},
    identity::Role,
};
use reqwest::StatusCode;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use server::store::entities::{invitation, user};
use sha2::{Digest, Sha256};

const GUEST: &str = "guest@example.com";

on_both_databases!(
    a_link_works_once,
    only_one_of_two_comes_in,
    of_two_who_invite_an_address_at_once_one_does,
    of_two_who_ask_for_a_new_link_at_once_one_gets_it,
    a_link_ends_after_seven_days_or_when_it_is_withdrawn,
    a_new_link_makes_the_old_one_worthless,
    only_a_hash_of_the_token_is_stored,
    a_password_that_is_easily_guessed_is_refused,
    a_member_may_not_invite,
);

async fn a_link_works_once(database: Database) {
    let app = TestApp::start(database).await;
    let token = invite(&administrator(&app).await, GUEST, "member").await;
    let shown = app.browser().open(&format!("/invitations/{token}")).await;
    assert_eq!(shown.header("referrer-policy"), Some("strict-origin"));
    assert!(shown.text().contains("Northwind Labs") && shown.text().contains(GUEST));
    assert!(accept(&app, &token, "Guest", OTHER).await.status.is_success());
    assert!(is_in(&signed_in(&app, GUEST, OTHER).await).await);
    let again = accept(&app, &token, "Another", "yet another pass phrase").await;
    assert_eq!(again.json::<ApiError>(), ApiError::NotFound);
    let shown = app.browser().open(&format!("/invitations/{token}")).await;
    assert_eq!(shown.status, StatusCode::NOT_FOUND);
    assert!(shown.text().contains("This invitation does not work"));
    app.stop().await;
}

async fn only_one_of_two_comes_in(database: Database) {
    let app = TestApp::start(database).await;
    let token = invite(&administrator(&app).await, GUEST, "member").await;
    let (one, other) = tokio::join!(accept(&app, &token, "One", OTHER), accept(&app, &token, "Other", OTHER));
    assert!(one.status.is_success() != other.status.is_success(), "{one:?} {other:?}");
    assert_eq!(user::Entity::find().all(app.services.store.read()).await.unwrap().len(), 2);
    app.stop().await;
}

/// Two administrators, each with a browser of their own.
async fn two_administrators(app: &TestApp) -> (Browser, Browser) {
    let create = |email| app.services.accounts.create_user(email, "Second", Role::Administrator, OTHER);
    create("second@example.com").await.unwrap();
    (administrator(app).await, signed_in(app, "second@example.com", OTHER).await)
}

/// The token in the page that shows a new link, or where somebody who got none was sent.
fn outcome(answer: &Answer) -> Result<String, String> {
    if answer.status == StatusCode::OK {
        let link = between(answer.text(), "data-copy=\"", "\"");
        return Ok(link.split_once("/invitations/").unwrap().1.to_owned());
    }
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
    Err(answer.header("location").unwrap().to_owned())
}

/// The link of the one who got one. The other must have been sent back with this word.
fn one_of(one: &Answer, other: &Answer, word: &str) -> String {
    match (outcome(one), outcome(other)) {
        (Ok(token), Err(place)) | (Err(place), Ok(token)) => {
            assert!(place.starts_with("/settings/members?") && place.contains(word), "{place}");
            token
        }
        both => panic!("{both:?}"),
    }
}

async fn of_two_who_invite_an_address_at_once_one_does(database: Database) {
    let app = TestApp::start(database).await;
    let (first, second) = two_administrators(&app).await;
    for round in 0..12 {
        let email = format!("guest{round}@example.com");
        let fields = [("email", email.as_str()), ("role", "member")];
        let invite = |browser| post(browser, "/settings/members/invite", &fields);
        let (one, other) = tokio::join!(invite(&first), invite(&second));
        let token = one_of(&one, &other, "already_invited");
        // The link that was given out is good, and the address is told to the one who was too late.
        assert_eq!(app.browser().open(&format!("/invitations/{token}")).await.status, StatusCode::OK, "{round}");
    }
    let place =
        outcome(&post(&second, "/settings/members/invite", &[("email", "guest0@example.com")]).await).unwrap_err();
    let shown = page(&second, &place).await;
    assert!(shown.contains("This email address has been invited already"), "{shown}");
    assert_eq!(invitation::Entity::find().all(app.services.store.read()).await.unwrap().len(), 12);
    app.stop().await;
}

async fn of_two_who_ask_for_a_new_link_at_once_one_gets_it(database: Database) {
    let app = TestApp::start(database).await;
    let (first, second) = two_administrators(&app).await;
    for round in 0..12 {
        let email = format!("guest{round}@example.com");
        let old = invite(&first, &email, "member").await;
        let row = invitation::Entity::find().filter(invitation::Column::Email.eq(&email));
        let id = row.one(app.services.store.read()).await.unwrap().unwrap().id.to_string();
        let fields = [("invitation", id.as_str())];
        let again = |browser| post(browser, "/settings/members/invite", &fields);
        let (one, other) = tokio::join!(again(&first), again(&second));
        // Who comes when it is over already, finds no such invitation.
        let is_late =
            [&one, &other].iter().any(|answer| outcome(answer).is_err_and(|place| place.contains("not_found")));
        let token = one_of(&one, &other, if is_late { "not_found" } else { "conflict" });
        assert_eq!(app.browser().open(&format!("/invitations/{token}")).await.status, StatusCode::OK, "{round}");
        assert_eq!(app.browser().open(&format!("/invitations/{old}")).await.status, StatusCode::NOT_FOUND, "{round}");
    }
    app.stop().await;
}

async fn a_link_ends_after_seven_days_or_when_it_is_withdrawn(database: Database) {
    let app = TestApp::start(database).await;
    let mut admin = administrator(&app).await;
    let token = invite(&admin, GUEST, "member").await;
    let row = invitation::Entity::find().one(app.services.store.read()).await.unwrap().unwrap();
    assert_eq!(row.expires_at - row.created_at, 7 * 24 * 60 * 60 * 1_000);
    invitation::Entity::update_many()
        .col_expr(invitation::Column::ExpiresAt, Expr::value(row.created_at))
        .exec(app.services.store.write())
        .await
        .unwrap();
    assert_eq!(accept(&app, &token, "Guest", OTHER).await.json::<ApiError>(), ApiError::NotFound);
    assert!(page(&admin, "/settings/members").await.contains("Expired"));

    let token = invite(&admin, GUEST, "member").await;
    let row = invitation::Entity::find().one(app.services.store.read()).await.unwrap().unwrap();
    admin.call("withdraw_invitation", &[("invitation", &row.id.to_string())]).await;
    assert_eq!(accept(&app, &token, "Guest", OTHER).await.json::<ApiError>(), ApiError::NotFound);
    app.stop().await;
}

async fn a_new_link_makes_the_old_one_worthless(database: Database) {
    let app = TestApp::start(database).await;
    let admin = administrator(&app).await;
    let old = invite(&admin, GUEST, "member").await;
    let row = invitation::Entity::find().one(app.services.store.read()).await.unwrap().unwrap();
    let answer = post(&admin, "/settings/members/invite", &[("invitation", &row.id.to_string())]).await;
    assert!(answer.text().contains("Link for"), "{answer:?}");
    assert_eq!(accept(&app, &old, "Guest", OTHER).await.json::<ApiError>(), ApiError::NotFound);
    let taken = post(&admin, "/settings/members/invite", &[("email", ADMIN), ("role", "member")]).await;
    assert!(taken.header("location").unwrap().contains("already_member"), "{taken:?}");
    app.stop().await;
}

async fn only_a_hash_of_the_token_is_stored(database: Database) {
    let app = TestApp::start(database).await;
    let token = invite(&administrator(&app).await, GUEST, "member").await;
    assert_eq!(token.len(), 43, "256 bits");
    let rows = invitation::Entity::find().all(app.services.store.read()).await.unwrap();
    assert_eq!(rows[0].token_hash, hex::encode(Sha256::digest(token.as_bytes())));
    assert!(!format!("{rows:?}").contains(&token));
    app.stop().await;
}

async fn a_password_that_is_easily_guessed_is_refused(database: Database) {
    let app = TestApp::start(database).await;
    let token = invite(&administrator(&app).await, GUEST, "member").await;
    for (password, wrong) in [
        ("short", Invalid::PasswordTooShort),
        ("passwordpassword", Invalid::PasswordCommon),
        ("guest2026!!!", Invalid::PasswordCommon),
    ] {
        assert_eq!(accept(&app, &token, "Guest", password).await.json::<ApiError>(), wrong.into(), "{password}");
    }
    // Without scripts the page comes back with what was wrong and the name, and never with the password.
    let fields = [("token", token.as_str()), ("name", "Guest Ä"), ("password", "short")];
    let answer = post(&app.browser(), "/api/accept_invitation", &fields).await;
    let place = answer.header("location").unwrap().to_owned();
    assert!(place.starts_with(&format!("/invitations/{token}?name=Guest")) && !place.contains("short&"), "{place}");
    let shown = app.browser().open(&place).await;
    assert!(shown.text().contains("The password is too short"), "{shown:?}");
    app.stop().await;
}

async fn a_member_may_not_invite(database: Database) {
    let app = TestApp::start(database).await;
    app.add_member("member@example.com").await;
    let member = signed_in(&app, "member@example.com", crate::support::PASSWORD).await;
    let answer = post(&member, "/settings/members/invite", &[("email", GUEST), ("role", "member")]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{answer:?}");
    assert!(invitation::Entity::find().one(app.services.store.read()).await.unwrap().is_none());
    let listed = page(&member, "/settings/members").await;
    assert!(!listed.contains("Invite somebody"));
    app.stop().await;
}
