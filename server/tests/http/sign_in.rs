//! Signing in and out, sessions, and requests of other sites.

use crate::{
    on_both_databases,
    support::{ADMIN, Database, PASSWORD, TestApp},
};
use app::model::error::ApiError;
use reqwest::{Method, StatusCode, header::SET_COOKIE};
use sea_orm::{EntityTrait, sea_query::Expr};
use server::{
    config::PublicUrl,
    store::entities::{session, user},
};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokio::time::Instant;

on_both_databases!(
    a_session_begins_at_sign_in_and_ends_at_sign_out,
    only_a_hash_of_the_session_id_is_stored,
    signing_in_again_changes_the_session_id,
    a_wrong_password_and_an_unknown_email_look_and_take_the_same,
    a_removed_user_is_out_at_once,
    a_page_that_asks_by_itself_keeps_no_session_alive,
    over_https_the_cookie_is_bound_to_this_host,
    other_sites_cannot_change_anything,
);

async fn a_session_begins_at_sign_in_and_ends_at_sign_out(database: Database) {
    let app = TestApp::start(database).await;
    let mut browser = app.browser();
    assert_eq!(browser.get("/state").await.status, StatusCode::UNAUTHORIZED);

    let answer = browser.sign_in(" Admin@Example.com", PASSWORD).await;
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("keystead="), "{cookie}");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "{cookie}");
    assert_eq!(browser.get("/state").await.status, StatusCode::OK);

    let before = browser.cookie.clone();
    browser.call("sign_out", &[]).await;
    assert_eq!(browser.cookie, None, "the cookie is removed");
    browser.cookie = before;
    assert_eq!(browser.get("/state").await.status, StatusCode::UNAUTHORIZED, "the session itself has ended");
    app.stop().await;
}

async fn only_a_hash_of_the_session_id_is_stored(database: Database) {
    let app = TestApp::start(database).await;
    let browser = app.signed_in().await;
    let cookie = browser.cookie.unwrap();
    let id: tower_sessions::session::Id = cookie.split_once('=').unwrap().1.parse().unwrap();
    let rows = session::Entity::find().all(app.services.store.read()).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].id_hash, Sha256::digest(id.0.to_le_bytes()).to_vec());
    assert_eq!(rows[0].user_id.unwrap().to_string(), app.administrator().await.user_id);
    assert!(!rows[0].data.contains(&id.to_string()));
    app.stop().await;
}

async fn signing_in_again_changes_the_session_id(database: Database) {
    let app = TestApp::start(database).await;
    let mut browser = app.signed_in().await;
    let first = browser.cookie.clone().unwrap();
    browser.sign_in(ADMIN, PASSWORD).await;
    let second = browser.cookie.clone().unwrap();
    assert_ne!(first, second);
    assert_eq!(browser.get("/state").await.status, StatusCode::OK);
    browser.cookie = Some(first);
    assert_eq!(browser.get("/state").await.status, StatusCode::UNAUTHORIZED);
    app.stop().await;
}

async fn a_wrong_password_and_an_unknown_email_look_and_take_the_same(database: Database) {
    let app = TestApp::start(database).await;
    let mut browser = app.browser();
    let mut timed = async |email: &str| {
        let mut times = Vec::new();
        let mut last = None;
        for _ in 0..5 {
            let started = Instant::now();
            last = Some(browser.sign_in(email, "not the password at all").await);
            times.push(started.elapsed());
        }
        times.sort_unstable();
        (last.unwrap(), times[2])
    };
    let (wrong, wrong_time) = timed(ADMIN).await;
    let (unknown, unknown_time) = timed("nobody@example.com").await;
    assert_eq!((wrong.status, &wrong.body), (unknown.status, &unknown.body));
    assert_eq!(wrong.json::<ApiError>(), ApiError::WrongCredentials);
    assert!(wrong.headers.get(SET_COOKIE).is_none() && unknown.headers.get(SET_COOKIE).is_none());
    // A hash takes tens of milliseconds; without one the answer would come at once.
    let (short, long) = (wrong_time.min(unknown_time), wrong_time.max(unknown_time));
    assert!(long < short * 3 + Duration::from_millis(20), "{wrong_time:?} and {unknown_time:?}");
    app.stop().await;
}

async fn a_removed_user_is_out_at_once(database: Database) {
    let app = TestApp::start(database).await;
    let member = app.add_member("member@example.com").await;
    let mut browser = app.browser();
    browser.sign_in("member@example.com", PASSWORD).await;
    assert_eq!(browser.get("/state").await.status, StatusCode::OK);
    let id: uuid::Uuid = member.user_id.parse().unwrap();
    user::Entity::delete_by_id(id).exec(app.services.store.write()).await.unwrap();
    assert_eq!(browser.get("/state").await.status, StatusCode::UNAUTHORIZED);
    app.stop().await;
}

async fn a_page_that_asks_by_itself_keeps_no_session_alive(database: Database) {
    let app = TestApp::start(database).await;
    let browser = app.signed_in().await;
    let on = app.services.store.write();
    let seen = async || session::Entity::find().one(on).await.unwrap().unwrap().last_seen_at;
    let long_ago = seen().await - 10 * 60 * 1_000;
    let aged = session::Entity::update_many().col_expr(session::Column::LastSeenAt, Expr::value(long_ago));
    aged.exec(on).await.unwrap();
    for path in ["/settings", "/settings/data-encryption", "/workspaces", "/state"] {
        let page = browser.request(Method::GET, path).header("accept", "text/html").header("x-by-itself", "yes");
        assert_eq!(browser.send(page).await.status, StatusCode::OK, "{path}");
        assert_eq!(seen().await, long_ago, "{path}");
    }
    assert_eq!(browser.open("/settings").await.status, StatusCode::OK);
    assert!(seen().await > long_ago, "somebody has looked");
    app.stop().await;
}

async fn over_https_the_cookie_is_bound_to_this_host(database: Database) {
    let https = |config: &mut server::config::Config| {
        config.public_url = PublicUrl::parse("https://keystead.example.com").unwrap();
    };
    let app = TestApp::start_with(database, https).await;
    let mut browser = app.browser();
    let answer = browser.sign_in(ADMIN, PASSWORD).await;
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-keystead=") && cookie.contains("Secure"), "{cookie}");
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=63072000; includeSubDomains"));
    let removed = browser.call("sign_out", &[]).await;
    let cookie = removed.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-keystead=;") && cookie.contains("Secure"), "{cookie}");
    app.stop().await;
}

async fn other_sites_cannot_change_anything(database: Database) {
    let app = TestApp::start(database).await;
    let browser = app.signed_in().await;
    let from = async |name: &str, value: &str| {
        browser.send(browser.form("/api/sign_out", &[]).header(name, value)).await.status
    };
    assert_eq!(from("sec-fetch-site", "cross-site").await, StatusCode::FORBIDDEN);
    assert_eq!(from("sec-fetch-site", "same-site").await, StatusCode::FORBIDDEN);
    assert_eq!(from("origin", "https://evil.example").await, StatusCode::FORBIDDEN);
    assert_eq!(from("origin", "null").await, StatusCode::FORBIDDEN);
    assert_eq!(browser.get("/state").await.status, StatusCode::OK, "nothing has happened");
    assert_ne!(from("origin", "http://127.0.0.1:3000").await, StatusCode::FORBIDDEN, "the public origin may");
    assert_eq!(browser.get("/state").await.status, StatusCode::UNAUTHORIZED);
    app.stop().await;
}
