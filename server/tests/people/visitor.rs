//! Somebody on their way to the identity provider and back, in a browser with the two cookies that this takes.

use crate::support::{
    Answer, Browser, Database, TestApp,
    issuer::{Issuer, Wrong, pairs},
};
use app::model::{error::ApiError, single_sign_on::SingleSignOnRefused};
use reqwest::{
    Method,
    header::{ACCEPT, SET_COOKIE},
};
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::{Value, json};
use server::{
    config::{Config, SingleSignOnConfig},
    store::entities::{audit_entry, identity, user},
};
use std::collections::BTreeMap;

pub struct Visitor {
    pub browser: Browser,
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    pub fn new(app: &TestApp) -> Self {
        Self::of(app.browser())
    }

    /// One who is signed in already.
    pub fn of(browser: Browser) -> Self {
        let cookies = browser.cookie.iter().filter_map(|pair| pair.split_once('='));
        let cookies = cookies.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { browser, cookies }
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    pub fn set_cookie(&mut self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => self.cookies.insert(name.to_owned(), value.to_owned()),
            None => self.cookies.remove(name),
        };
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.browser.cookie = (!pairs.is_empty()).then(|| pairs.join("; "));
    }

    fn keep(&mut self, answer: Answer) -> Answer {
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            let (name, value) = (name.to_owned(), value.to_owned());
            self.set_cookie(&name, Some(&value).filter(|value| !value.is_empty()).map(String::as_str));
        }
        answer
    }

    pub async fn open(&mut self, path: &str) -> Answer {
        let answer = self.browser.send(self.browser.request(Method::GET, path).header(ACCEPT, "text/html")).await;
        self.keep(answer)
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.browser.send(self.browser.form(path, fields).header(ACCEPT, "text/html")).await;
        self.keep(answer)
    }

    /// Presses the button of the sign-in page, and gives where it leads.
    pub async fn leave(&mut self, next: &str) -> String {
        let answer = self.open(&format!("/sign-in/provider?next={next}")).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        place(&answer)
    }

    /// Sends a form, and gives where the page leads that goes on by itself.
    pub async fn leave_by(&mut self, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.post(path, fields).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.header("refresh").unwrap().strip_prefix("0; url=").unwrap().to_owned()
    }

    /// All the way, and where it ends.
    pub async fn sign_in(&mut self, issuer: &Issuer, claims: Value) -> String {
        self.sign_in_with(issuer, claims, Wrong::Nothing).await
    }

    pub async fn sign_in_with(&mut self, issuer: &Issuer, claims: Value, wrong: Wrong) -> String {
        let address = self.leave("").await;
        self.come_back(&issuer.sends_back(&address, claims, wrong)).await
    }

    pub async fn come_back(&mut self, path: &str) -> String {
        let answer = self.open(path).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        place(&answer)
    }

    pub async fn is_in(&self) -> bool {
        crate::steps::is_in(&self.browser).await
    }
}

pub fn place(answer: &Answer) -> String {
    answer.header("location").unwrap().to_owned()
}

/// What the place says was wrong.
pub fn problem(place: &str) -> ApiError {
    let query = place.split_once('?').unwrap_or_else(|| panic!("nothing was wrong: {place}")).1;
    serde_json::from_str(&pairs(query)["problem"]).unwrap()
}

pub fn refused(refused: SingleSignOnRefused) -> ApiError {
    refused.into()
}

/// A deployment with single sign-on, as `change` wants it.
pub async fn with_issuer(database: Database, change: impl FnOnce(&mut SingleSignOnConfig)) -> (TestApp, Issuer) {
    let issuer = Issuer::start().await;
    let mut settings = issuer.config();
    change(&mut settings);
    let app = TestApp::start_with(database, |config: &mut Config| config.single_sign_on = Some(settings)).await;
    (app, issuer)
}

pub fn grace() -> Value {
    json!({"sub": "g-1", "email": "Grace@Example.com", "name": "Grace Hopper"})
}

pub async fn users(app: &TestApp) -> usize {
    user::Entity::find().all(app.services.store.read()).await.unwrap().len()
}

pub async fn identities(app: &TestApp) -> usize {
    identity::Entity::find().all(app.services.store.read()).await.unwrap().len()
}

/// What the audit log tells, without keys: action, outcome, word.
pub async fn told(app: &TestApp) -> Vec<(String, String, Option<String>)> {
    let rows = audit_entry::Entity::find().order_by_asc(audit_entry::Column::Sequence);
    let rows = rows.all(app.services.store.read()).await.unwrap();
    rows.into_iter().map(|row| (row.action, row.outcome, row.detail)).collect()
}

pub fn entry(action: &str, outcome: &str, detail: Option<&str>) -> (String, String, Option<String>) {
    (action.to_owned(), outcome.to_owned(), detail.map(str::to_owned))
}
