//! General settings: the organization's name, and the servers.

use crate::{
    on_both_databases,
    steps::{MEMBER, accept, administrator, between, invite, page, post, signed_in},
    support::{Database, Ground, PASSWORD, TestApp},
};
use app::{
    model::{
        error::{ApiError, Invalid},
        organization::{ServerLine, ServerState},
    },
    ports::OrganizationPort,
};
use reqwest::StatusCode;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use server::store::{
    database_now,
    entities::{audit_entry, server as row},
};
use std::env;
use uuid::Uuid;

on_both_databases!(
    a_new_name_is_everywhere_at_once,
    a_name_that_is_none_changes_nothing,
    servers_are_listed_with_how_they_stand,
);

const PAGE: &str = "/settings";

async fn a_new_name_is_everywhere_at_once(database: Database) {
    let ground = Ground::new(database).await;
    let endpoint = env::var("KEYSTEAD_TEST_KMS_URL").unwrap();
    let one = ground.start(&endpoint, |_| {}).await;
    let other = ground.start(&endpoint, |_| {}).await;
    assert!(other.browser().open("/sign-in").await.text().contains("Northwind Labs"), "the name of the configuration");
    let admin = administrator(&one).await;
    let new = "Läbs & Söhne <b>";
    let answer = post(&admin, "/api/rename_organization", &[("name", &format!("  {new} "))]).await;
    assert_eq!(answer.header("location"), Some("/settings?done=name"));
    assert!(page(&admin, "/settings?done=name").await.contains("The new name is saved."));

    // On the other server too, and not as markup.
    let shown = "Läbs &amp; Söhne &lt;b&gt;";
    assert!(other.browser().open("/sign-in").await.text().contains(shown));
    let elsewhere = administrator(&other).await;
    assert!(page(&elsewhere, "/workspaces").await.contains(shown), "the frame");
    let token = invite(&elsewhere, "guest@example.com", "member").await;
    assert!(one.browser().open(&format!("/invitations/{token}")).await.text().contains(shown));
    assert!(accept(&other, &token, "Guest", "another long pass phrase").await.status.is_success());
    let noted = audit_entry::Entity::find().filter(audit_entry::Column::Action.eq("setting_changed"));
    let noted = noted.all(one.services.store.read()).await.unwrap();
    assert_eq!(noted.len(), 1);
    assert_eq!(noted[0].object_id.as_deref(), Some("organization_name"));
    assert!(!format!("{noted:?}").contains("Söhne"), "what people wrote is not in the log");
    drop(ground);
    one.stop().await;
    other.stop().await;
}

async fn a_name_that_is_none_changes_nothing(database: Database) {
    let app = TestApp::start(database).await;
    app.add_member(MEMBER).await;
    let (mut admin, mut member) = (administrator(&app).await, signed_in(&app, MEMBER, PASSWORD).await);
    let long = "ä".repeat(121);
    for name in ["", "   ", "a\r\nb", "a\0b", &long] {
        let answer = admin.call("rename_organization", &[("name", name)]).await;
        assert_eq!(answer.json::<ApiError>(), Invalid::OrganizationName.into(), "{name:?}");
    }
    let answer = post(&admin, "/api/rename_organization", &[("name", &long)]).await;
    let shown = page(&admin, answer.header("location").unwrap()).await;
    assert!(shown.contains("Enter a name of 1 to 120 characters.") && shown.contains(&long), "it can be mended");
    let answer = member.call("rename_organization", &[("name", "Ours")]).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::FORBIDDEN, ApiError::NotAllowed));
    let shown = page(&member, PAGE).await;
    assert!(shown.contains("Northwind Labs") && !shown.contains("<input class=\"input\" id=\"organization-name\""));
    assert!(page(&admin, PAGE).await.contains("value=\"Northwind Labs\""));
    let noted = audit_entry::Entity::find().filter(audit_entry::Column::Action.eq("setting_changed"));
    assert!(noted.one(app.services.store.read()).await.unwrap().is_none());
    app.stop().await;
}

/// The row of a server of which nothing was heard for so long.
async fn another(app: &TestApp, name: &str, key_state: &str, silent_for: i64) {
    let on = app.services.store.write();
    let now = database_now(on).await.unwrap();
    let one = row::ActiveModel {
        id: Set(Uuid::from_u128(u128::from(silent_for.unsigned_abs()) + 1)),
        name: Set(name.to_owned()),
        version: Set("0.0.1".to_owned()),
        started_at: Set(now - 100_000),
        heartbeat_at: Set(now - silent_for),
        key_state: Set(key_state.to_owned()),
        key_state_at: Set(now - 90_000),
        verified_at: Set(None),
    };
    row::Entity::insert(one).exec_without_returning(on).await.unwrap();
}

async fn servers_are_listed_with_how_they_stand(database: Database) {
    let app = TestApp::start(database).await;
    app.add_member(MEMBER).await;
    let (admin, member) = (administrator(&app).await, signed_in(&app, MEMBER, PASSWORD).await);
    let look = async || {
        let general = app.services.organization.general(&app.administrator().await).await.unwrap();
        let standing = general.servers.standing().unwrap();
        (standing, general.lines)
    };
    let (standing, lines) = look().await;
    assert_eq!(standing, "1 server, with the key");
    assert!(lines.len() == 1 && lines[0].is_this && lines[0].state == ServerState::Open, "{lines:?}");
    assert_eq!(lines[0].version, env!("CARGO_PKG_VERSION"));
    assert!(lines[0].verified_at.is_some() && lines[0].name.contains(&app.address.to_string()));

    // Hours stay hours whatever the clock of this machine does meanwhile.
    another(&app, "b: locked", "locked", 0).await;
    another(&app, "c: in doubt", "suspect", 1).await;
    another(&app, "d: silent", "open", 10_800_000).await;
    let (standing, mut lines) = look().await;
    assert_eq!(standing, "1 of 3 servers has ended access", "who is silent is not counted");
    lines.retain(|line| !line.is_this);
    let states: Vec<(&str, ServerState)> =
        lines.iter().map(|ServerLine { name, state, .. }| (&name[..1], *state)).collect();
    assert_eq!(states, [("b", ServerState::Locked), ("c", ServerState::Suspect), ("d", ServerState::Silent)]);
    assert!(lines[2].heard_ms_ago >= 10_800_000);

    let shown = page(&admin, PAGE).await;
    let list = between(&shown, "aria-label=\"List of servers\"", "</ul>");
    for text in ["With the key", "Access ended", "Key in doubt", "Silent", "(shows this page)", "0.0.1", "3 hours"] {
        assert!(list.contains(text), "{text}: {list}");
    }
    assert!(shown.contains("different versions"), "{shown}");
    // Members are told how many there are, and not what they are called.
    let shown = page(&member, PAGE).await;
    assert!(shown.contains("1 of 3 servers has ended access"), "{shown}");
    assert!(!shown.contains("d: silent") && !shown.contains(&app.address.to_string()), "{shown}");
    app.stop().await;
}
