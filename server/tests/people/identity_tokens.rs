//! What comes back from the identity provider, and everything that can be wrong with it.

use crate::{
    on_both_databases,
    support::{
        ADMIN, Database, PASSWORD, TestApp,
        issuer::{Issuer, Manner, Wrong},
    },
    visitor::{Visitor, grace, identities, place, problem, refused, users, with_issuer},
};
use app::model::{error::ApiError, single_sign_on::SingleSignOnRefused as Refused};
use server::config::PublicUrl;

on_both_databases!(a_way_is_gone_once_in_the_browser_in_which_it_began);

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_does_not_stand_a_check_lets_nobody_in() {
    let (app, issuer) = with_issuer(Database::Sqlite, |_| {}).await;
    for wrong in Wrong::ALL {
        let mut visitor = Visitor::new(&app);
        let place = visitor.sign_in_with(&issuer, grace(), wrong).await;
        assert_eq!(problem(&place), refused(Refused::NotVerified), "{wrong:?}");
        assert!(!visitor.is_in().await, "{wrong:?}");
        assert_eq!((users(&app).await, identities(&app).await), (1, 0), "{wrong:?}");
    }
    // The same without a fault.
    let mut visitor = Visitor::new(&app);
    assert_eq!(visitor.sign_in(&issuer, grace()).await, "/workspaces");
    assert!(visitor.is_in().await);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_new_is_fetched_and_the_description_is_not() {
    let (app, issuer) = with_issuer(Database::Sqlite, |_| {}).await;
    for rounds in 1..=3 {
        for _ in 0..2 {
            assert_eq!(Visitor::new(&app).sign_in(&issuer, grace()).await, "/workspaces");
        }
        assert_eq!(issuer.calls("/keys"), rounds);
        assert_eq!(issuer.calls("/.well-known/openid-configuration"), 1);
        issuer.rotate();
    }
    app.stop().await;
}

async fn a_way_is_gone_once_in_the_browser_in_which_it_began(database: Database) {
    let (app, issuer) = with_issuer(database, |_| {}).await;
    let expired = refused(Refused::Expired);
    let mut visitor = Visitor::new(&app);
    let back = issuer.sends_back(&visitor.leave("/settings").await, grace(), Wrong::Nothing);
    // In another browser: without a half, with another half.
    let mut other = Visitor::new(&app);
    assert_eq!(problem(&other.come_back(&back).await), expired);
    other.leave("").await;
    assert_eq!(problem(&other.come_back(&back).await), expired);
    // With another state, and with none.
    let (head, _) = back.split_once("&state=").unwrap();
    for state in ["", "&state=x", &format!("&state={}", "x".repeat(43))] {
        assert_eq!(problem(&visitor.come_back(&format!("{head}{state}")).await), expired, "{state}");
    }
    assert!(!visitor.is_in().await && !other.is_in().await);
    // None of that has used it up.
    assert_eq!(visitor.come_back(&back).await, "/settings");
    assert!(visitor.is_in().await);
    assert_eq!(problem(&visitor.come_back(&back).await), expired, "a second time");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_the_provider_and_a_word_of_another_are_told_apart() {
    let (app, issuer) = with_issuer(Database::Sqlite, |_| {}).await;
    let mut visitor = Visitor::new(&app);
    let cases = [
        ("error=access_denied", Refused::Declined),
        ("code=", Refused::Declined),
        ("code=made-up", Refused::Expired),
        ("code=x&iss=https%3A%2F%2Fevil.example", Refused::NotVerified),
    ];
    for (told, expected) in cases {
        let back = issuer.sends_back(&visitor.leave("").await, grace(), Wrong::Nothing);
        let (_, state) = back.split_once("&state=").unwrap();
        let place = visitor.come_back(&format!("/sign-in/callback?{told}&state={state}")).await;
        assert_eq!(problem(&place), refused(expected), "{told}");
        assert!(!place.contains("evil") && !place.contains("access_denied"), "{place}");
    }
    let address = visitor.leave("").await;
    let iss: String = issuer.url.replace(':', "%3A").replace('/', "%2F");
    let back = format!("{}&iss={iss}", issuer.sends_back(&address, grace(), Wrong::Nothing));
    assert_eq!(visitor.come_back(&back).await, "/workspaces");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_of_no_use_is_said_to_be_and_passwords_still_work() {
    for manner in [Manner::Redirects, Manner::AtLength, Manner::Nonsense, Manner::OtherIssuer, Manner::InClear] {
        let (app, issuer) = with_issuer(Database::Sqlite, |_| {}).await;
        issuer.behave(manner);
        is_unreachable(&app, &format!("{manner:?}")).await;
        assert!(issuer.calls("/.well-known/openid-configuration") <= 1, "{manner:?}: no redirect is followed");
        app.stop().await;
    }
    let nobody = Issuer::start().await;
    let settings = server::config::SingleSignOnConfig { issuer: "http://127.0.0.1:1".to_owned(), ..nobody.config() };
    let app = TestApp::start_with(Database::Sqlite, |config| config.single_sign_on = Some(settings)).await;
    is_unreachable(&app, "nobody there").await;
    app.stop().await;
}

async fn is_unreachable(app: &TestApp, what: &str) {
    let mut visitor = Visitor::new(app);
    for _ in 0..2 {
        let answer = visitor.open("/sign-in/provider?next=/settings").await;
        let place = place(&answer);
        assert_eq!(problem(&place), refused(Refused::Unreachable), "{what}");
        assert!(place.starts_with("/sign-in?next=/settings&"), "{what}: {place}");
        let shown = visitor.open(&place).await;
        assert!(shown.text().contains("Single sign-on does not answer now"), "{what}");
    }
    let mut browser = app.browser();
    assert!(browser.sign_in(ADMIN, PASSWORD).await.status.is_success(), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_fails_on_the_way_lets_nobody_in() {
    let (app, issuer) = with_issuer(Database::Sqlite, |_| {}).await;
    for manner in [Manner::Redirects, Manner::AtLength, Manner::Nonsense] {
        let mut visitor = Visitor::new(&app);
        let back = issuer.sends_back(&visitor.leave("").await, grace(), Wrong::Nothing);
        issuer.behave(manner);
        assert_eq!(problem(&visitor.come_back(&back).await), refused(Refused::Unreachable), "{manner:?}");
        issuer.behave(Manner::Good);
        assert!(!visitor.is_in().await);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_ends_on_a_page_of_this_site() {
    let (app, issuer) = with_issuer(Database::Sqlite, |_| {}).await;
    for (next, expected) in [
        ("/settings/members", "/settings/members"),
        ("https%3A%2F%2Fevil.example%2F", "/workspaces"),
        ("%2F%2Fevil.example", "/workspaces"),
        ("%2Fsign-in%2Fprovider", "/workspaces"),
    ] {
        let mut visitor = Visitor::new(&app);
        let back = issuer.sends_back(&visitor.leave(next).await, grace(), Wrong::Nothing);
        assert_eq!(visitor.come_back(&back).await, expected, "{next}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_half_of_the_browser_is_as_guarded_as_a_session() {
    let issuer = Issuer::start().await;
    let settings = issuer.config();
    let app = TestApp::start_with(Database::Sqlite, |config| {
        config.single_sign_on = Some(settings);
        config.public_url = PublicUrl::parse("https://keystead.example.com").unwrap();
    })
    .await;
    let mut visitor = Visitor::new(&app);
    let answer = visitor.open("/sign-in/provider").await;
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-keystead-way="), "{cookie}");
    for part in ["Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=600", "Secure"] {
        assert!(cookie.split("; ").any(|found| found == part), "{cookie}");
    }
    let address = place(&answer);
    assert!(address.contains("redirect_uri=https%3A%2F%2Fkeystead.example.com%2Fsign-in%2Fcallback"), "{address}");
    let before = visitor.cookie("__Host-keystead-way").unwrap().to_owned();
    assert!(!address.contains(&before), "it does not go through the provider");
    let back = issuer.sends_back(&address, grace(), Wrong::Nothing);
    assert_eq!(visitor.come_back(&back).await, "/workspaces");
    assert!(visitor.cookie("__Host-keystead").is_some());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_single_sign_on_there_is_none_of_it() {
    let app = TestApp::start(Database::Sqlite).await;
    let mut visitor = Visitor::new(&app);
    assert!(!visitor.open("/sign-in").await.text().contains("/sign-in/provider"));
    assert_eq!(app.browser().get("/sign-in/callback?code=x&state=y").await.json::<ApiError>(), ApiError::NotFound);
    app.stop().await;
}
