//! What is true of every answer: headers, request ids, and how errors look.

use crate::{
    on_both_databases,
    support::{Answer, Database, TestApp},
};
use app::model::error::{ApiError, Invalid};
use reqwest::{Method, StatusCode};

on_both_databases!(
    every_answer_carries_the_headers_that_protect_browsers,
    scripts_of_a_page_carry_the_nonce_of_its_policy,
    a_request_id_is_taken_over_only_if_it_is_harmless,
    an_unknown_address_gets_our_page_or_json,
    errors_have_the_face_of_whoever_asks,
    a_body_that_is_too_large_is_refused,
    probes_say_what_they_must,
);

fn assert_protected(answer: &Answer, what: &str) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{what}: {name}");
    }
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{what}: {policy}");
    assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{what}: {policy}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{what}");
    assert!(answer.header("permissions-policy").is_some(), "{what}");
    assert!(answer.header("strict-transport-security").is_none(), "{what}: only over https");
    assert!(answer.header("x-request-id").is_some(), "{what}");
    assert!(answer.header("server").is_none(), "{what}");
}

async fn every_answer_carries_the_headers_that_protect_browsers(database: Database) {
    let app = TestApp::start(database).await;
    let browser = app.signed_in().await;
    for path in ["/sign-in", "/workspaces", "/settings/data-encryption", "/nowhere", "/healthz", "/state"] {
        assert_protected(&browser.open(path).await, path);
        assert_protected(&browser.get(path).await, path);
    }
    assert_protected(&app.browser().get("/state").await, "an error");
    app.stop().await;
}

async fn scripts_of_a_page_carry_the_nonce_of_its_policy(database: Database) {
    let app = TestApp::start(database).await;
    let browser = app.browser();
    let (first, second) = (browser.open("/sign-in").await, browser.open("/sign-in").await);
    assert_eq!(first.status, StatusCode::OK);
    let nonce = |answer: &Answer| {
        let policy = answer.header("content-security-policy").unwrap().to_owned();
        policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned()
    };
    assert_ne!(nonce(&first), nonce(&second));
    let text = first.text();
    let scripts = text.matches("<script").count();
    assert!(scripts > 0);
    assert_eq!(text.matches(&format!("nonce=\"{}\"", nonce(&first))).count(), scripts, "{text}");
    app.stop().await;
}

async fn a_request_id_is_taken_over_only_if_it_is_harmless(database: Database) {
    let app = TestApp::start(database).await;
    let browser = app.browser();
    let asked = async |id: &str| {
        let answer = browser.send(browser.request(Method::GET, "/healthz").header("x-request-id", id)).await;
        answer.header("x-request-id").unwrap().to_owned()
    };
    assert_eq!(asked("abc-123").await, "abc-123");
    assert_ne!(asked("abc 123").await, "abc 123");
    let long = "a".repeat(65);
    assert_ne!(asked(&long).await, long);
    app.stop().await;
}

async fn an_unknown_address_gets_our_page_or_json(database: Database) {
    let app = TestApp::start(database).await;
    let browser = app.signed_in().await;
    for path in ["/nowhere", "/workspaces/a/b/c/d", "/settings/nowhere"] {
        let page = browser.open(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(page.is_page() && page.text().contains("Keystead"), "{path}");
        let json = browser.get(path).await;
        assert_eq!(json.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(browser.get("/nowhere").await.json::<ApiError>(), ApiError::NotFound);
    app.stop().await;
}

async fn errors_have_the_face_of_whoever_asks(database: Database) {
    let app = TestApp::start(database).await;
    let (workspace, browser) = (app.workspace().await, app.signed_in().await);
    let missing = format!("/workspaces/{workspace}/files/00000000-0000-0000-0000-000000000000");

    let page = browser.open(&missing).await;
    assert_eq!((page.status, page.is_page()), (StatusCode::NOT_FOUND, true));
    assert!(page.text().contains(ApiError::NotFound.message()), "{}", page.text());
    assert_protected(&page, "an error page");
    let json = browser.get(&missing).await;
    assert_eq!((json.status, json.json::<ApiError>()), (StatusCode::NOT_FOUND, ApiError::NotFound));

    let nobody = app.browser();
    let sent = nobody.open(&missing).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    assert!(sent.header("location").unwrap().starts_with("/sign-in?next=/workspaces/"), "{sent:?}");
    assert_eq!(nobody.get(&missing).await.json::<ApiError>(), ApiError::SignedOut);

    let wrong_method = browser.send(browser.request(Method::DELETE, "/healthz")).await;
    assert_eq!(wrong_method.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(wrong_method.json::<ApiError>(), ApiError::NotFound);
    app.stop().await;
}

async fn a_body_that_is_too_large_is_refused(database: Database) {
    let app = TestApp::start(database).await;
    let browser = app.signed_in().await;
    let text = "a".repeat(2 * 1024 * 1024);
    // The connection may break before the answer is read, because the rest of the body is not taken.
    if let Ok(response) = browser.form("/api/sign_out", &[("text", &text)]).send().await {
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let error: ApiError = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        assert_eq!(error, ApiError::Invalid(Invalid::TooMuch));
    }
    // On a connection of its own: the other may be about to break.
    let mut again = app.browser();
    again.cookie.clone_from(&browser.cookie);
    assert_eq!(again.get("/state").await.status, StatusCode::OK, "nobody was signed out");
    app.stop().await;
}

async fn probes_say_what_they_must(database: Database) {
    let app = TestApp::start(database).await;
    let browser = app.browser();
    let (health, ready) = (browser.get("/healthz").await, browser.get("/readyz").await);
    assert_eq!((health.status, health.text()), (StatusCode::OK, "ok\n"));
    assert_eq!((ready.status, ready.text()), (StatusCode::OK, "ready: open\n"));
    app.stop().await;
}
