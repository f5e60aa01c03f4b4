//! Who a person at the identity provider is here: new, known, connected, disabled; with which role; and their proof.

use crate::{
    on_both_databases,
    steps::{administrator, age_proof, row},
    support::{
        ADMIN, Database, PASSWORD, TestApp,
        issuer::{Issuer, Wrong, now},
    },
    visitor::{Visitor, entry, grace, identities, problem, refused, told, users, with_issuer},
};
use app::{
    model::{error::ApiError, single_sign_on::SingleSignOnRefused as Refused},
    ports::MembersPort,
};
use serde_json::{Value, json};
use server::store::entities::user::Role;

on_both_databases!(
    a_first_sign_in_makes_a_member_and_a_second_is_the_same_one,
    an_address_alone_opens_no_account,
    an_account_is_connected_by_its_owner,
    the_claim_gives_the_role_at_each_sign_in,
    the_last_administrator_stays_one,
    who_has_no_role_or_is_disabled_or_has_no_address_stays_out,
    proof_is_given_again_at_the_provider,
    a_connection_is_let_go,
);

const GRACE: &str = "grace@example.com";

fn with(more: &Value) -> Value {
    let mut claims = grace();
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn ada() -> Value {
    json!({"sub": "a-1", "email": ADMIN, "email_verified": true, "name": "Ada"})
}

async fn a_first_sign_in_makes_a_member_and_a_second_is_the_same_one(database: Database) {
    let (app, issuer) = with_issuer(database, |_| {}).await;
    // What the token does not tell is asked for.
    issuer.tell_apart(&["email", "name"]);
    let mut visitor = Visitor::new(&app);
    assert!(visitor.open("/sign-in").await.text().contains("Example Login"));
    assert_eq!(visitor.sign_in(&issuer, grace()).await, "/workspaces");
    let made = row(&app, GRACE).await;
    assert_eq!((made.name.as_str(), made.role, made.password()), ("Grace Hopper", Role::Member, None));
    assert!(made.last_sign_in_at.is_some());
    let first = visitor.cookie("keystead").unwrap().to_owned();
    // Another address and name there change nothing here: it is the same person.
    let renamed = json!({"sub": "g-1", "email": "other@example.com", "name": "Somebody"});
    assert_eq!(visitor.sign_in(&issuer, renamed).await, "/workspaces");
    assert_ne!(visitor.cookie("keystead").unwrap(), first, "the session has a new id");
    visitor.set_cookie("keystead", Some(&first));
    assert!(!visitor.is_in().await, "the old one is worth nothing");
    assert_eq!((users(&app).await, identities(&app).await), (2, 1));
    let told = told(&app).await;
    assert!(told.contains(&entry("user_added_by_single_sign_on", "succeeded", Some("member"))), "{told:?}");
    let signed_in = entry("sign_in", "succeeded", Some("single_sign_on"));
    assert_eq!(told.iter().filter(|found| **found == signed_in).count(), 2, "{told:?}");
    // Without a password there is none to be guessed.
    for password in ["", "x", PASSWORD] {
        let answer = app.browser().sign_in(GRACE, password).await;
        assert!(answer.status.is_client_error(), "{answer:?}");
    }
    app.stop().await;
}

async fn an_address_alone_opens_no_account(database: Database) {
    let (app, issuer) = with_issuer(database, |settings| settings.administrator_role = Some("admins".to_owned())).await;
    let mut visitor = Visitor::new(&app);
    let place = visitor.sign_in(&issuer, ada()).await;
    assert_eq!(problem(&place), refused(Refused::AccountExists));
    assert!(visitor.open(&place).await.text().contains("sign in with its password, then connect"));
    assert!(!visitor.is_in().await);
    assert_eq!((users(&app).await, identities(&app).await), (1, 0));
    assert!(told(&app).await.contains(&entry("sign_in_failed", "refused", Some("single_sign_on"))));
    app.stop().await;
}

async fn an_account_is_connected_by_its_owner(database: Database) {
    let (app, issuer) = with_issuer(database, |_| {}).await;
    let fresh = |claims: Value| {
        let mut claims = claims;
        claims["auth_time"] = now().into();
        claims
    };
    let mut owner = Visitor::of(administrator(&app).await);
    assert!(owner.open("/account").await.text().contains("Connect single sign-on"));
    age_proof(&app, 301).await;
    let answer = owner.post("/account/single-sign-on/connect", &[]).await;
    assert_eq!(answer.header("location"), Some("/account/confirm?then=/account"), "it needs fresh proof");
    owner.post("/api/give_proof", &[("secret", PASSWORD), ("then", "")]).await;
    let address = owner.leave_by("/account/single-sign-on/connect", &[]).await;
    assert!(address.contains("prompt=login") && address.contains("max_age=0"), "{address}");
    // Nobody was asked there: it may be anybody's.
    let place = owner.come_back(&issuer.sends_back(&address, ada(), Wrong::Nothing)).await;
    assert_eq!(problem(&place), refused(Refused::NotAskedAgain));
    assert!(place.starts_with("/account?"), "{place}");
    // Who has signed out meanwhile connects nothing.
    let address = owner.leave_by("/account/single-sign-on/connect", &[]).await;
    let (session, back) =
        (owner.cookie("keystead").unwrap().to_owned(), issuer.sends_back(&address, fresh(ada()), Wrong::Nothing));
    owner.set_cookie("keystead", None);
    assert_eq!(problem(&owner.come_back(&back).await), refused(Refused::Expired));
    assert_eq!(identities(&app).await, 0);
    owner.set_cookie("keystead", Some(&session));
    let address = owner.leave_by("/account/single-sign-on/connect", &[]).await;
    let place = owner.come_back(&issuer.sends_back(&address, fresh(ada()), Wrong::Nothing)).await;
    assert_eq!(place, "/account?done=connected");
    assert!(owner.open(&place).await.text().contains("Connected since"));
    assert!(told(&app).await.contains(&entry("single_sign_on_connected", "succeeded", None)));
    // From now on it is their account.
    let mut visitor = Visitor::new(&app);
    assert_eq!(visitor.sign_in(&issuer, ada()).await, "/workspaces");
    assert_eq!((users(&app).await, identities(&app).await), (1, 1));
    // One account, one person; one person, one account.
    let address = owner.leave_by("/account/single-sign-on/connect", &[]).await;
    let place = owner.come_back(&issuer.sends_back(&address, fresh(grace()), Wrong::Nothing)).await;
    assert_eq!(problem(&place), refused(Refused::ConnectedElsewhere));
    app.add_member(GRACE).await;
    let mut member = Visitor::of(crate::steps::signed_in(&app, GRACE, PASSWORD).await);
    let address = member.leave_by("/account/single-sign-on/connect", &[]).await;
    let place = member.come_back(&issuer.sends_back(&address, fresh(ada()), Wrong::Nothing)).await;
    assert_eq!(problem(&place), refused(Refused::ConnectedElsewhere));
    // Another site cannot begin it.
    let evil = member.browser.form("/account/single-sign-on/connect", &[]).header("sec-fetch-site", "cross-site");
    assert_eq!(member.browser.send(evil).await.status, 403);
    app.stop().await;
}

async fn the_claim_gives_the_role_at_each_sign_in(database: Database) {
    let (app, issuer) = with_issuer(database, |settings| settings.administrator_role = Some("admins".to_owned())).await;
    let mut visitor = Visitor::new(&app);
    visitor.sign_in(&issuer, with(&json!({"roles": ["admins"]}))).await;
    assert_eq!(row(&app, GRACE).await.role, Role::Administrator);
    visitor.sign_in(&issuer, with(&json!({"roles": ["others"]}))).await;
    assert_eq!(row(&app, GRACE).await.role, Role::Member);
    // The endpoint is asked for it if the token does not tell.
    issuer.tell_apart(&["roles"]);
    visitor.sign_in(&issuer, with(&json!({"roles": "admins"}))).await;
    assert_eq!(row(&app, GRACE).await.role, Role::Administrator);
    let told = told(&app).await;
    for role in ["member", "administrator"] {
        assert!(told.contains(&entry("role_changed_by_single_sign_on", "succeeded", Some(role))), "{told:?}");
    }
    app.stop().await;
}

async fn the_last_administrator_stays_one(database: Database) {
    let (app, issuer) = with_issuer(database, |settings| settings.administrator_role = Some("admins".to_owned())).await;
    let mut visitor = Visitor::new(&app);
    visitor.sign_in(&issuer, with(&json!({"roles": "admins"}))).await;
    let mut admin = administrator(&app).await;
    let first = row(&app, ADMIN).await.id.to_string();
    assert!(admin.call("disable_member", &[("member", &first)]).await.status.is_success());
    assert_eq!(visitor.sign_in(&issuer, grace()).await, "/workspaces", "they come in all the same");
    assert_eq!(row(&app, GRACE).await.role, Role::Administrator);
    let kept = entry("role_changed_by_single_sign_on", "refused", Some("member"));
    assert!(told(&app).await.contains(&kept), "{:?}", told(&app).await);
    app.stop().await;
}

async fn who_has_no_role_or_is_disabled_or_has_no_address_stays_out(database: Database) {
    let (app, issuer) = with_issuer(database, |settings| settings.member_role = Some("staff".to_owned())).await;
    let staff = json!({"roles": ["staff"]});
    let mut visitor = Visitor::new(&app);
    for (claims, expected) in [
        (grace(), Refused::NoRole),
        (json!({"sub": "x", "roles": "staff"}), Refused::EmailMissing),
        (json!({"sub": "x", "roles": "staff", "email": "none"}), Refused::EmailMissing),
        (json!({"sub": "x", "roles": "staff", "email": "a@b", "email_verified": false}), Refused::EmailUnverified),
        (json!({"sub": "x", "roles": "staff", "email": "a@b", "email_verified": "false"}), Refused::EmailUnverified),
        (json!({"sub": "x".repeat(256), "roles": "staff", "email": "a@b"}), Refused::NotVerified),
    ] {
        assert_eq!(problem(&visitor.sign_in(&issuer, claims.clone()).await), refused(expected), "{claims}");
    }
    assert_eq!(users(&app).await, 1);
    assert_eq!(visitor.sign_in(&issuer, with(&staff)).await, "/workspaces");
    let (who, member) = (app.administrator().await, row(&app, GRACE).await.id.to_string());
    app.services.members.set_disabled(&who, &member, true).await.unwrap();
    assert!(!visitor.is_in().await, "at once");
    assert_eq!(problem(&visitor.sign_in(&issuer, with(&staff)).await), ApiError::AccountDisabled);
    assert!(!visitor.is_in().await);
    app.services.members.set_disabled(&who, &member, false).await.unwrap();
    assert_eq!(problem(&visitor.sign_in(&issuer, grace()).await), refused(Refused::NoRole), "no longer");
    app.stop().await;
}

async fn confirmed(visitor: &mut Visitor, issuer: &Issuer, claims: Value) -> String {
    let fields = [("then", "/settings/data-encryption?arn=arn%3Aaws")];
    let address = visitor.leave_by("/account/single-sign-on/confirm", &fields).await;
    assert!(address.contains("prompt=login") && address.contains("max_age=0"), "{address}");
    visitor.come_back(&issuer.sends_back(&address, claims, Wrong::Nothing)).await
}

async fn proof_is_given_again_at_the_provider(database: Database) {
    let (app, issuer) = with_issuer(database, |settings| settings.administrator_role = Some("admins".to_owned())).await;
    let (admins, member) = (json!({"roles": "admins"}), app.add_member("m@example.com").await.user_id);
    let fields = [("member", member.as_str()), ("role", "administrator")];
    let mut visitor = Visitor::new(&app);
    // Nobody may have been asked for days: such a sign-in is no proof.
    visitor.sign_in(&issuer, with(&admins)).await;
    let tried = visitor.browser.call("change_member_role", &fields).await;
    assert_eq!(tried.json::<ApiError>(), ApiError::ProofNeeded);
    let shown = visitor.open("/account/confirm?then=/account").await;
    assert!(shown.text().contains("Confirm with Example Login") && !shown.text().contains("confirm-secret"));
    let old = with(&json!({"auth_time": now() - 3600}));
    let place = confirmed(&mut visitor, &issuer, old).await;
    assert_eq!(problem(&place), refused(Refused::NotAskedAgain));
    assert!(place.starts_with("/account/confirm?then=/settings/data-encryption%3Farn%3D"), "{place}");
    assert_eq!(problem(&confirmed(&mut visitor, &issuer, grace()).await), refused(Refused::NotAskedAgain));
    let other = json!({"sub": "somebody else", "auth_time": now()});
    assert_eq!(problem(&confirmed(&mut visitor, &issuer, other).await), refused(Refused::OtherPerson));
    let tried = visitor.browser.call("change_member_role", &fields).await;
    assert_eq!(tried.json::<ApiError>(), ApiError::ProofNeeded, "none of that was proof");
    let asked = with(&json!({"auth_time": now()}));
    // What had been typed is there again.
    assert_eq!(confirmed(&mut visitor, &issuer, asked.clone()).await, "/settings/data-encryption?arn=arn%3Aaws");
    let left: u32 = visitor.browser.call("proof_left", &[]).await.json();
    assert!(left > 200, "{left}");
    assert!(visitor.browser.call("change_member_role", &fields).await.status.is_success());
    assert!(told(&app).await.contains(&entry("proof_given", "succeeded", Some("single_sign_on"))));
    // A sign-in for which the provider has just asked is one.
    age_proof(&app, 301).await;
    let mut another = Visitor::new(&app);
    another.sign_in(&issuer, with(&json!({"roles": "admins", "auth_time": now()}))).await;
    let fields = [("member", member.as_str()), ("role", "member")];
    assert!(another.browser.call("change_member_role", &fields).await.status.is_success());
    app.stop().await;
}

async fn a_connection_is_let_go(database: Database) {
    let (app, issuer) = with_issuer(database, |_| {}).await;
    let mut owner = Visitor::of(administrator(&app).await);
    let address = owner.leave_by("/account/single-sign-on/connect", &[]).await;
    let mut claims = ada();
    claims["auth_time"] = now().into();
    owner.come_back(&issuer.sends_back(&address, claims, Wrong::Nothing)).await;
    let mut elsewhere = Visitor::new(&app);
    elsewhere.sign_in(&issuer, ada()).await;
    assert!(elsewhere.is_in().await);
    let answer = owner.post("/api/disconnect_single_sign_on", &[]).await;
    assert_eq!(answer.header("location"), Some("/account?done=disconnected"), "{answer:?}");
    assert!(owner.is_in().await && !elsewhere.is_in().await, "all other sessions end");
    assert_eq!(problem(&elsewhere.sign_in(&issuer, ada()).await), refused(Refused::AccountExists));
    // Who has nothing else cannot.
    let mut grace_is = Visitor::new(&app);
    let mut claims = grace();
    claims["auth_time"] = now().into();
    grace_is.sign_in(&issuer, claims).await;
    let answer = grace_is.browser.call("disconnect_single_sign_on", &[]).await;
    assert_eq!(answer.json::<ApiError>(), refused(Refused::OnlyWay));
    assert_eq!(identities(&app).await, 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_servers_share_the_ways_that_were_begun() {
    let issuer = Issuer::start().await;
    let ground = crate::support::Ground::new(Database::Postgres).await;
    let endpoint = std::env::var("KEYSTEAD_TEST_KMS_URL").unwrap();
    let start = async || -> TestApp {
        let settings = issuer.config();
        ground.start(&endpoint, |config| config.single_sign_on = Some(settings)).await
    };
    let (one, two) = (start().await, start().await);
    let mut visitor = Visitor::new(&one);
    let back = issuer.sends_back(&visitor.leave("").await, grace(), Wrong::Nothing);
    let mut there = Visitor::new(&two);
    there.set_cookie("keystead-way", visitor.cookie("keystead-way"));
    assert_eq!(there.come_back(&back).await, "/workspaces");
    assert_eq!(problem(&visitor.come_back(&back).await), refused(Refused::Expired));
    assert!(there.is_in().await);
    drop(ground);
    one.stop().await;
    two.stop().await;
}
