//! What browsers are told by every answer: each door of the table is asked, by those whose it is and by somebody who is not
//! signed in, over http and over https.

use crate::{
    on_both_databases,
    scene::{Actor, People},
    support::{Answer, Database},
    table::{DOORS, Door, How},
};
use server::config::{Config, PublicUrl};
use std::collections::HashSet;

on_both_databases!(over_http_every_answer_protects_the_browser, over_https_every_answer_protects_the_browser);

const FIXED: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// What has been seen so far.
#[derive(Default)]
struct Seen {
    nonces: HashSet<String>,
    answers: usize,
    cookies: usize,
    wrong: Vec<String>,
}

impl Seen {
    fn expect(&mut self, is_so: bool, what: impl FnOnce() -> String) {
        if !is_so {
            self.wrong.push(what());
        }
    }

    fn look(&mut self, answer: &Answer, who: Actor, door: &Door, https: bool) {
        let place = format!("{who:?} at {} ({})", door.path, answer.status);
        self.answers += 1;
        for (name, value) in FIXED {
            let found: Vec<_> = answer.headers.get_all(name).iter().collect();
            self.expect(found == [value], || format!("{place}: {name} is {found:?}"));
        }
        let referrer = answer.header("referrer-policy");
        let is_secret = door.path.starts_with("/invitations/") && answer.is_page();
        let expected = if is_secret { "strict-origin" } else { "same-origin" };
        self.expect(referrer == Some(expected), || format!("{place}: referrer-policy is {referrer:?}"));
        let cache = answer.header("cache-control");
        self.expect(cache == Some("no-store"), || format!("{place}: cache-control is {cache:?}"));
        let transport = answer.header("strict-transport-security");
        let expected = https.then_some("max-age=63072000; includeSubDomains");
        self.expect(transport == expected, || format!("{place}: strict-transport-security is {transport:?}"));
        self.look_at_policy(answer, &place);
        for cookie in answer.headers.get_all("set-cookie") {
            self.look_at_cookie(cookie.to_str().unwrap(), &place, https);
        }
    }

    fn look_at_policy(&mut self, answer: &Answer, place: &str) {
        let policies: Vec<_> = answer.headers.get_all("content-security-policy").iter().collect();
        self.expect(policies.len() == 1, || format!("{place}: {} policies", policies.len()));
        let policy = answer.header("content-security-policy").unwrap_or_default().to_owned();
        for part in ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"] {
            self.expect(policy.split(';').any(|own| own.trim() == part), || format!("{place}: no {part} in {policy}"));
        }
        let loose = ["'unsafe-inline'", "'unsafe-eval'", "'unsafe-hashes'", "*", "data:", "http:", "https:"];
        let is_loose = policy.split([' ', ';']).any(|word| loose.contains(&word));
        self.expect(!is_loose, || format!("{place}: {policy}"));
        let nonce = policy.split("'nonce-").nth(1).map(|rest| rest.split('\'').next().unwrap_or_default().to_owned());
        if let Some(nonce) = &nonce {
            self.expect(nonce.len() >= 22, || format!("{place}: the nonce is short: {nonce}"));
            let is_new = self.nonces.insert(nonce.clone());
            self.expect(is_new, || format!("{place}: the nonce {nonce} was given before"));
        }
        if answer.is_page() {
            let (text, own) = (answer.text(), format!("nonce=\"{}\"", nonce.unwrap_or_default()));
            let (scripts, with_nonce) = (text.matches("<script").count(), text.matches(&own).count());
            self.expect(scripts == with_nonce || scripts == 0, || {
                format!("{place}: {with_nonce} of {scripts} scripts")
            });
            for inline in [" style=\"", " onclick=", " onload=", " onerror=", "javascript:", "<style"] {
                self.expect(!text.contains(inline), || format!("{place}: {inline} is inline"));
            }
        }
    }

    fn look_at_cookie(&mut self, cookie: &str, place: &str, https: bool) {
        self.cookies += 1;
        let parts: Vec<&str> = cookie.split(';').map(str::trim).collect();
        let name = if https { "__Host-keystead=" } else { "keystead=" };
        self.expect(parts[0].starts_with(name), || format!("{place}: {cookie}"));
        self.expect(parts.contains(&"Path=/"), || format!("{place}: {cookie}"));
        self.expect(parts.contains(&"Secure") == https, || format!("{place}: {cookie}"));
        self.expect(!parts.iter().any(|part| part.starts_with("Domain")), || format!("{place}: {cookie}"));
        // One that is removed holds nothing to protect.
        let is_removed = parts[0] == name;
        for part in ["HttpOnly", "SameSite=Lax"] {
            self.expect(is_removed || parts.contains(&part), || format!("{place}: {cookie}"));
        }
    }
}

async fn look_at_every_door(database: Database, https: bool) {
    let change = |config: &mut Config| {
        if https {
            config.public_url = PublicUrl::parse("https://keystead.example.com").unwrap();
        }
    };
    let people = People::with(database, change).await;
    let shared = people.scene().await;
    let mut seen = Seen::default();
    for door in DOORS {
        for actor in [Actor::Nobody, Actor::Owner, Actor::Administrator] {
            let changes = door.is_in_a_workspace() && !matches!(door.how, How::Page | How::Get);
            let scene = if changes && actor == Actor::Owner { people.scene().await } else { shared.clone() };
            seen.look(&people.ask(actor, door, &scene).await, actor, door, https);
        }
    }
    // Signing in, as a script does and as a plain form does, and signing out.
    let door = DOORS.iter().find(|door| door.path == "/api/sign_in").unwrap();
    let mut browser = people.app.browser();
    let answer = browser.sign_in(&people.owner.email, crate::support::PASSWORD).await;
    assert!(browser.cookie.is_some(), "{answer:?}");
    seen.look(&answer, Actor::Nobody, door, https);
    let fields = [("email", people.owner.email.as_str()), ("password", crate::support::PASSWORD), ("next", "")];
    let form = people.app.browser().form(door.path, &fields).header("accept", "text/html");
    let answer = people.app.browser().send(form).await;
    assert_eq!(answer.status, 302, "{answer:?}");
    seen.look(&answer, Actor::Nobody, door, https);
    seen.look(&browser.call("sign_out", &[]).await, Actor::Owner, door, https);
    assert!(seen.wrong.is_empty(), "{}", seen.wrong.join("\n"));
    assert!(seen.answers > 3 * DOORS.len() && seen.nonces.len() > 20 && seen.cookies >= 3, "too little was looked at");
    people.app.stop().await;
}

async fn over_http_every_answer_protects_the_browser(database: Database) {
    look_at_every_door(database, false).await;
}

async fn over_https_every_answer_protects_the_browser(database: Database) {
    look_at_every_door(database, true).await;
}
