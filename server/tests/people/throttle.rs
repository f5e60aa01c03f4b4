//! Guessing is slowed down, on all servers together, and nobody is locked out by a stranger.

use crate::{
    on_both_databases,
    steps::{MEMBER, is_in},
    support::{Answer, Browser, Database, Ground, PASSWORD, TestApp},
};
use app::model::error::ApiError;
use reqwest::header::ACCEPT;
use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter,
    sea_query::{Expr, ExprTrait},
};
use server::{
    config::Config,
    store::entities::{sign_in_attempt, user},
};

on_both_databases!(
    two_servers_count_together,
    a_stranger_locks_nobody_out,
    an_unknown_email_is_treated_like_any_other,
    attempts_are_forgotten,
);

/// Requests may say where they come from.
fn behind_a_proxy(config: &mut Config) {
    config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
}

async fn attempt(app: &TestApp, from: &str, email: &str, password: &str) -> (Answer, Browser) {
    let mut browser = app.browser();
    let fields = [("email", email), ("password", password), ("next", "")];
    let request = browser.form("/api/sign_in", &fields).header(ACCEPT, "application/json");
    let answer = browser.send(request.header("x-forwarded-for", from)).await;
    if let Some(cookie) = answer.header("set-cookie") {
        browser.cookie = Some(cookie.split(';').next().unwrap().to_owned());
    }
    (answer, browser)
}

async fn two_servers_count_together(database: Database) {
    let ground = Ground::new(database).await;
    let endpoint = std::env::var("KEYSTEAD_TEST_KMS_URL").unwrap();
    let one = ground.start(&endpoint, behind_a_proxy).await;
    let other = ground.start(&endpoint, behind_a_proxy).await;
    one.add_member(MEMBER).await;
    let mut statuses = Vec::new();
    for (at, app) in [&one, &other].into_iter().cycle().take(8).enumerate() {
        let (answer, _) = attempt(app, "203.0.113.7", MEMBER, "not the password").await;
        statuses.push(answer.status.as_u16());
        if answer.status == 429 {
            assert!(at >= 5, "five are free");
            assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
            assert!(matches!(answer.json(), ApiError::TooManyAttempts { .. }));
        }
    }
    assert!(statuses[..5].iter().all(|status| *status == 401), "{statuses:?}");
    assert!(statuses.contains(&429), "{statuses:?}");
    drop(ground);
    one.stop().await;
    other.stop().await;
}

async fn a_stranger_locks_nobody_out(database: Database) {
    let app = TestApp::start_with(database, behind_a_proxy).await;
    app.add_member(MEMBER).await;
    let (answer, _) = attempt(&app, "2001:db8:1:2::1", MEMBER, PASSWORD).await;
    assert!(answer.status.is_success(), "{answer:?}");
    // From many addresses, so that none of them is refused: the account as a whole has hundreds of failures.
    let failures = sign_in_attempt::Column::Failures;
    for host in 0..20 {
        attempt(&app, &format!("198.51.100.{host}"), MEMBER, "not the password").await;
    }
    sign_in_attempt::Entity::update_many()
        .col_expr(failures, Expr::value(500_i64))
        .filter(sign_in_attempt::Column::Subject.starts_with("up:"))
        .exec(app.services.store.write())
        .await
        .unwrap();
    let (answer, browser) = attempt(&app, "2001:db8:1:2:ffff::9", MEMBER, PASSWORD).await;
    assert!(answer.status.is_success() && is_in(&browser).await, "from the same network: {answer:?}");
    let (answer, browser) = attempt(&app, "192.0.2.200", MEMBER, PASSWORD).await;
    assert!(answer.status.is_success() && is_in(&browser).await, "from a new place, held but not refused: {answer:?}");
    app.stop().await;
}

async fn an_unknown_email_is_treated_like_any_other(database: Database) {
    let app = TestApp::start_with(database, behind_a_proxy).await;
    app.add_member(MEMBER).await;
    let mut seen = [Vec::new(), Vec::new()];
    for (at, email) in [MEMBER, "nobody@example.com"].into_iter().enumerate() {
        for _ in 0..8 {
            let (answer, browser) = attempt(&app, &format!("203.0.113.{at}"), email, "not the password").await;
            assert!(browser.cookie.is_none());
            seen[at].push((answer.status, answer.body));
        }
    }
    let statuses = |seen: &[(reqwest::StatusCode, Vec<u8>)]| seen.iter().map(|(status, _)| *status).collect::<Vec<_>>();
    assert_eq!(statuses(&seen[0])[..6], statuses(&seen[1])[..6]);
    assert_eq!(seen[0][0].1, seen[1][0].1);
    let stored = format!("{:?}", sign_in_attempt::Entity::find().all(app.services.store.read()).await.unwrap());
    assert!(!stored.contains("nobody") && !stored.contains("grace"), "{stored}");
    app.stop().await;
}

async fn attempts_are_forgotten(database: Database) {
    let app = TestApp::start_with(database, behind_a_proxy).await;
    app.add_member(MEMBER).await;
    for _ in 0..7 {
        attempt(&app, "203.0.113.7", MEMBER, "not the password").await;
    }
    let (answer, _) = attempt(&app, "203.0.113.7", MEMBER, PASSWORD).await;
    assert_eq!(answer.status, 429, "also the right one waits");
    let store = &app.services.store;
    let hour = 3_600_000_i64;
    sign_in_attempt::Entity::update_many()
        .col_expr(sign_in_attempt::Column::LastAt, Expr::col(sign_in_attempt::Column::LastAt).sub(hour))
        .exec(store.write())
        .await
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let (answer, _) = attempt(&app, "203.0.113.7", MEMBER, PASSWORD).await;
    assert!(answer.status.is_success(), "{answer:?}");
    app.services.accounts.sweep().await.unwrap();
    let left = sign_in_attempt::Entity::find().count(store.read()).await.unwrap();
    assert!(left <= 3, "{left}");
    assert_eq!(user::Entity::find().count(store.read()).await.unwrap(), 2);
    app.stop().await;
}
