//! What many of these tests do.

use crate::support::{ADMIN, Answer, Browser, PASSWORD, TestApp};
use app::ports::Principal;
use reqwest::{Method, header::ACCEPT};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use server::store::entities::{session, user};
use uuid::Uuid;

pub const MEMBER: &str = "grace@example.com";
/// A good password that is not the usual one.
pub const OTHER: &str = "another long pass phrase";

/// A browser in which somebody is signed in.
pub async fn signed_in(app: &TestApp, email: &str, password: &str) -> Browser {
    let mut browser = app.browser();
    let answer = browser.sign_in(email, password).await;
    assert!(answer.status.is_success() || answer.status.is_redirection(), "{answer:?}");
    browser
}

/// Whether a browser is signed in.
pub async fn is_in(browser: &Browser) -> bool {
    browser.get("/state").await.status.is_success()
}

pub fn id(who: &Principal) -> Uuid {
    who.user_id.parse().unwrap()
}

pub async fn row(app: &TestApp, email: &str) -> user::Model {
    app.services.accounts.by_email(email).await.unwrap().unwrap()
}

/// Sends a form as a page without scripts does.
pub async fn post(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    browser.send(browser.form(path, fields).header(ACCEPT, "text/html")).await
}

/// The text between two others in a page.
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before:?} in {text}"));
    rest.split_once(after).unwrap().0
}

/// Makes the last proof of everybody's sessions one of `seconds` ago.
pub async fn age_proof(app: &TestApp, seconds: i64) {
    let rows = session::Entity::find().filter(session::Column::UserId.is_not_null());
    for row in rows.all(app.services.store.read()).await.unwrap() {
        let mut data: serde_json::Value = serde_json::from_str(&row.data).unwrap();
        data["proven"] = (data["proven"].as_i64().unwrap() - seconds * 1_000).into();
        session::Entity::update_many()
            .col_expr(session::Column::Data, Expr::value(data.to_string()))
            .filter(session::Column::IdHash.eq(row.id_hash))
            .exec(app.services.store.write())
            .await
            .unwrap();
    }
}

/// The link of a new invitation, read from the page that shows it.
pub async fn invite(administrator: &Browser, email: &str, role: &str) -> String {
    let answer = post(administrator, "/settings/members/invite", &[("email", email), ("role", role)]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let link = between(answer.text(), "data-copy=\"", "\"");
    link.split_once("/invitations/").unwrap().1.to_owned()
}

pub async fn accept(app: &TestApp, token: &str, name: &str, password: &str) -> Answer {
    let fields = [("token", token), ("name", name), ("password", password)];
    app.browser().call("accept_invitation", &fields).await
}

pub async fn administrator(app: &TestApp) -> Browser {
    signed_in(app, ADMIN, PASSWORD).await
}

/// Opens a page, which must be there.
pub async fn page(browser: &Browser, path: &str) -> String {
    let answer = browser.send(browser.request(Method::GET, path).header(ACCEPT, "text/html")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text().to_owned()
}
