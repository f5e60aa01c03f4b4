//! One's own password and sessions.

use crate::{
    on_both_databases,
    steps::{MEMBER, OTHER, is_in, page, row, signed_in},
    support::{Database, PASSWORD, TestApp},
};
use app::model::error::{ApiError, Invalid};
use sea_orm::EntityTrait;
use server::store::entities::session;

on_both_databases!(
    another_password_ends_all_other_sessions,
    a_password_is_changed_only_with_the_current_one,
    sessions_are_listed_and_ended,
);

async fn another_password_ends_all_other_sessions(database: Database) {
    let app = TestApp::start(database).await;
    app.add_member(MEMBER).await;
    let (mut here, elsewhere) = (signed_in(&app, MEMBER, PASSWORD).await, signed_in(&app, MEMBER, PASSWORD).await);
    let before = here.cookie.clone();
    let answer = here.call("change_password", &[("current", PASSWORD), ("new", OTHER)]).await;
    assert!(answer.status.is_success(), "{answer:?}");
    assert!(is_in(&here).await && !is_in(&elsewhere).await);
    assert_ne!(here.cookie, before, "the session has a new id");
    let mut old = here.clone();
    old.cookie = before;
    assert!(!is_in(&old).await);
    assert_eq!(session::Entity::find().all(app.services.store.read()).await.unwrap().len(), 1);
    assert_eq!(app.browser().sign_in(MEMBER, PASSWORD).await.json::<ApiError>(), ApiError::WrongCredentials);
    assert!(is_in(&signed_in(&app, MEMBER, OTHER).await).await);
    assert!(row(&app, MEMBER).await.password_changed_at.is_some());
    app.stop().await;
}

async fn a_password_is_changed_only_with_the_current_one(database: Database) {
    let app = TestApp::start(database).await;
    app.add_member(MEMBER).await;
    let mut browser = signed_in(&app, MEMBER, PASSWORD).await;
    for (current, new, wrong) in [
        ("not the password", OTHER, Invalid::PasswordWrong),
        ("", OTHER, Invalid::PasswordMissing),
        (PASSWORD, PASSWORD, Invalid::PasswordSame),
        (PASSWORD, "too short", Invalid::PasswordTooShort),
        (PASSWORD, "grace@example.com", Invalid::PasswordCommon),
    ] {
        let answer = browser.call("change_password", &[("current", current), ("new", new)]).await;
        assert_eq!(answer.json::<ApiError>(), wrong.into());
    }
    let long = "x y z ".repeat(22);
    let answer = browser.call("change_password", &[("current", PASSWORD), ("new", &long)]).await;
    assert_eq!(answer.json::<ApiError>(), Invalid::PasswordTooLong.into());
    assert!(is_in(&browser).await);
    app.stop().await;
}

async fn sessions_are_listed_and_ended(database: Database) {
    let app = TestApp::start(database).await;
    app.add_member(MEMBER).await;
    let (mut here, elsewhere) = (signed_in(&app, MEMBER, PASSWORD).await, signed_in(&app, MEMBER, PASSWORD).await);
    let third = signed_in(&app, MEMBER, PASSWORD).await;
    let shown = page(&here, "/account").await;
    assert!(shown.contains("This session") && shown.contains("127.0.0.1") && shown.contains("An unknown program"));
    // A session of somebody else cannot be ended.
    let mut admin = app.signed_in().await;
    let cookie = elsewhere.cookie.clone().unwrap();
    let id: tower_sessions::session::Id = cookie.split_once('=').unwrap().1.parse().unwrap();
    let hash = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(id.0.to_le_bytes()));
    assert_eq!(admin.call("end_session", &[("session", &hash)]).await.json::<ApiError>(), ApiError::NotFound);
    assert!(is_in(&elsewhere).await);
    here.call("end_session", &[("session", &hash)]).await;
    assert!(!is_in(&elsewhere).await && is_in(&here).await && is_in(&third).await);
    here.call("end_other_sessions", &[]).await;
    assert!(!is_in(&third).await && is_in(&here).await && is_in(&admin).await);
    app.stop().await;
}
