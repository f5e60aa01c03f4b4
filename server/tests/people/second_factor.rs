//! Second factors: set-up, codes that are good once, recovery codes, and resetting one.

use crate::{
    on_both_databases,
    steps::{MEMBER, OTHER, age_proof, between, id, is_in, page, post, row, signed_in},
    support::{Browser, Database, PASSWORD, TestApp},
};
use app::{
    model::error::{ApiError, Invalid},
    ports::MembersPort,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use server::{
    services::accounts::second_factors::totp::code_at,
    store::entities::{recovery_code, user},
};
use vault::{Clock, SystemClock};

on_both_databases!(
    a_code_is_asked_for_once_it_is_set_up,
    a_code_is_good_once,
    recovery_codes_are_good_once_and_stored_as_hashes,
    guessing_codes_is_slowed_down,
    an_administrator_resets_it,
    switching_it_off_ends_other_sessions,
    setting_it_up_asks_for_proof_and_ends_other_sessions,
);

const WRONG: ApiError = ApiError::Invalid(Invalid::CodeWrong);

fn now() -> i64 {
    SystemClock.wall_ms()
}

/// Sets it up in a browser. Gives the secret and the recovery codes.
async fn set_up(app: &TestApp, browser: &mut Browser) -> (String, Vec<String>) {
    browser.call("begin_second_factor", &[]).await;
    let shown = page(browser, "/account/two-factor").await;
    assert!(shown.contains("<path d=\"M"), "there is a picture");
    let secret = row(app, MEMBER).await.totp_pending.unwrap();
    assert!(shown.contains(&format!("data-copy=\"{secret}\"")));
    let code = code_at(&secret, now()).unwrap();
    let answer = post(browser, "/account/two-factor/confirm", &[("code", &code)]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    // The session goes on under another id.
    browser.remember(&answer);
    let codes: Vec<String> = between(answer.text(), "data-copy=\"", "\"").lines().map(str::to_owned).collect();
    assert_eq!(codes.len(), 10);
    (secret, codes)
}

/// Lets the code that was used for the set-up be forgotten, as if it were later.
async fn later(app: &TestApp) {
    user::Entity::update_many()
        .col_expr(user::Column::TotpLastStep, Expr::value(0_i64))
        .exec(app.services.store.write())
        .await
        .unwrap();
}

/// A browser in which the password has been given.
async fn half_way(app: &TestApp) -> Browser {
    let mut browser = app.browser();
    let answer = browser.sign_in(MEMBER, PASSWORD).await;
    assert!(answer.header("location").unwrap().starts_with("/sign-in/code"), "{answer:?}");
    assert!(!is_in(&browser).await, "the password alone lets nobody in");
    browser
}

async fn a_code_is_asked_for_once_it_is_set_up(database: Database) {
    let app = TestApp::start(database).await;
    app.add_member(MEMBER).await;
    let mut browser = signed_in(&app, MEMBER, PASSWORD).await;
    browser.call("begin_second_factor", &[]).await;
    assert!(is_in(&signed_in(&app, MEMBER, PASSWORD).await).await, "before it is confirmed nothing changes");
    let wrong = post(&browser, "/account/two-factor/confirm", &[("code", "000000")]).await;
    assert!(wrong.header("location").unwrap().contains("code_wrong"), "{wrong:?}");
    let (secret, _) = set_up(&app, &mut browser).await;
    later(&app).await;
    let mut other = half_way(&app).await;
    let answer = other.call("sign_in_code", &[("code", "000000"), ("next", "/settings")]).await;
    assert_eq!(answer.json::<ApiError>(), WRONG);
    let spaced = code_at(&secret, now()).unwrap();
    let spaced = format!(" {} {} ", &spaced[..3], &spaced[3..]);
    let answer = other.call("sign_in_code", &[("code", &spaced), ("next", "/settings")]).await;
    assert_eq!(answer.header("location"), Some("/settings"));
    assert!(is_in(&other).await);
    let nobody = app.browser().call("sign_in_code", &[("code", "000000"), ("next", "")]).await;
    assert_eq!(nobody.json::<ApiError>(), ApiError::SignedOut, "without the password no code is looked at");
    app.stop().await;
}

async fn a_code_is_good_once(database: Database) {
    let app = TestApp::start(database).await;
    app.add_member(MEMBER).await;
    let mut browser = signed_in(&app, MEMBER, PASSWORD).await;
    let (secret, _) = set_up(&app, &mut browser).await;
    let used = code_at(&secret, row(&app, MEMBER).await.totp_last_step * 30_000).unwrap();
    let mut other = half_way(&app).await;
    let answer = other.call("sign_in_code", &[("code", &used), ("next", "")]).await;
    assert_eq!(answer.json::<ApiError>(), WRONG, "it was used for the set-up");
    later(&app).await;
    let code = code_at(&secret, now()).unwrap();
    let (mut one, mut two) = (half_way(&app).await, half_way(&app).await);
    let fields = [("code", code.as_str()), ("next", "")];
    let (first, second) = tokio::join!(one.call("sign_in_code", &fields), two.call("sign_in_code", &fields));
    assert!(first.status.is_success() != second.status.is_success(), "{first:?} {second:?}");
    app.stop().await;
}

async fn recovery_codes_are_good_once_and_stored_as_hashes(database: Database) {
    let app = TestApp::start(database).await;
    app.add_member(MEMBER).await;
    let mut browser = signed_in(&app, MEMBER, PASSWORD).await;
    let (_, codes) = set_up(&app, &mut browser).await;
    let stored = format!("{:?}", recovery_code::Entity::find().all(app.services.store.read()).await.unwrap());
    assert!(codes.iter().all(|code| !stored.contains(code) && !stored.contains(&code.replace('-', ""))));
    let mut other = half_way(&app).await;
    let written = codes[3].to_lowercase();
    assert!(other.call("sign_in_code", &[("code", &written), ("next", "")]).await.status.is_success());
    assert!(page(&other, "/account").await.contains("9 recovery codes are left"));
    let mut again = half_way(&app).await;
    let answer = again.call("sign_in_code", &[("code", &codes[3]), ("next", "")]).await;
    assert_eq!(answer.json::<ApiError>(), WRONG);
    // New ones make the old ones worthless.
    let fresh = post(&other, "/account/two-factor/codes", &[]).await;
    assert_eq!(fresh.status, 200, "{fresh:?}");
    let answer = again.call("sign_in_code", &[("code", &codes[4]), ("next", "")]).await;
    assert_eq!(answer.json::<ApiError>(), WRONG);
    app.stop().await;
}

async fn guessing_codes_is_slowed_down(database: Database) {
    let app = TestApp::start(database).await;
    app.add_member(MEMBER).await;
    let mut browser = signed_in(&app, MEMBER, PASSWORD).await;
    set_up(&app, &mut browser).await;
    let mut other = half_way(&app).await;
    let mut refused = None;
    for _ in 0..8 {
        let answer = other.call("sign_in_code", &[("code", "000000"), ("next", "")]).await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("guesses are refused before they are looked at");
    assert!(refused.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
    app.stop().await;
}

async fn an_administrator_resets_it(database: Database) {
    let app = TestApp::start(database).await;
    let member = app.add_member(MEMBER).await;
    let mut browser = signed_in(&app, MEMBER, PASSWORD).await;
    set_up(&app, &mut browser).await;
    app.services.members.reset_second_factor(&app.administrator().await, &member.user_id).await.unwrap();
    assert!(!is_in(&browser).await, "all sessions end");
    assert!(is_in(&signed_in(&app, MEMBER, PASSWORD).await).await, "the password is enough again");
    let left = recovery_code::Entity::find().filter(recovery_code::Column::UserId.eq(id(&member)));
    assert!(left.all(app.services.store.read()).await.unwrap().is_empty());
    app.stop().await;
}

async fn switching_it_off_ends_other_sessions(database: Database) {
    let app = TestApp::start(database).await;
    app.add_member(MEMBER).await;
    let mut browser = signed_in(&app, MEMBER, PASSWORD).await;
    let (_, codes) = set_up(&app, &mut browser).await;
    let mut other = half_way(&app).await;
    other.call("sign_in_code", &[("code", &codes[0]), ("next", "")]).await;
    browser.call("remove_second_factor", &[]).await;
    assert!(is_in(&browser).await && !is_in(&other).await);
    assert!(row(&app, MEMBER).await.totp_secret.is_none());
    app.stop().await;
}

async fn setting_it_up_asks_for_proof_and_ends_other_sessions(database: Database) {
    let app = TestApp::start(database).await;
    app.add_member(MEMBER).await;
    let mut browser = signed_in(&app, MEMBER, PASSWORD).await;
    browser.call("begin_second_factor", &[]).await;
    let secret = row(&app, MEMBER).await.totp_pending.unwrap();
    // Whoever finds the session later can neither see the secret nor put it in force.
    age_proof(&app, 301).await;
    let shown = browser.open("/account/two-factor").await;
    assert_eq!(shown.header("location"), Some("/account/confirm?then=/account/two-factor"), "{shown:?}");
    assert!(!shown.text().contains(&secret));
    let code = code_at(&secret, now()).unwrap();
    let answer = post(&browser, "/account/two-factor/confirm", &[("code", &code)]).await;
    assert!(answer.header("location").unwrap().starts_with("/account/confirm?then="), "{answer:?}");
    assert!(row(&app, MEMBER).await.totp_secret.is_none());
    // What was begun is over when it is begun again, and when the sessions end.
    let mut other = signed_in(&app, MEMBER, PASSWORD).await;
    other.call("begin_second_factor", &[]).await;
    assert_ne!(row(&app, MEMBER).await.totp_pending.unwrap(), secret);
    let fields = [("current", PASSWORD), ("new", OTHER)];
    assert!(other.call("change_password", &fields).await.status.is_success());
    assert_eq!(row(&app, MEMBER).await.totp_pending, None);
    let thief = signed_in(&app, MEMBER, OTHER).await;
    set_up(&app, &mut other).await;
    assert!(is_in(&other).await && !is_in(&thief).await);
    app.stop().await;
}
