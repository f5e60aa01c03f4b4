//! The figures for monitoring: where they are served, that they follow what happens, and that the dashboard and the alerting
//! rules ask for nothing that does not exist.

use crate::{
    on_both_databases,
    support::{Answer, Browser, Database, TestApp},
};
use app::ports::EncryptionPort;
use reqwest::StatusCode;
use server::metrics::alarms::ALARMS;
use std::{
    collections::BTreeSet,
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Output},
    time::Duration,
};
use tokio::time::{Instant, sleep};

on_both_databases!(
    figures_are_served_on_their_own_listener_alone,
    figures_follow_the_key,
    dashboard_and_rules_ask_for_what_exists,
    a_database_that_does_not_answer_takes_nothing_else_away,
);

const PATIENCE: Duration = Duration::from_secs(30);

/// Starts a server that serves figures.
async fn watched(database: Database) -> TestApp {
    TestApp::start_with(database, |config| config.metrics_listen = Some("127.0.0.1:0".parse().unwrap())).await
}

async fn scrape(app: &TestApp) -> Answer {
    Browser::new(app.metrics_address.unwrap(), false).get("/metrics").await
}

/// The value of one figure, named with its labels as it is printed.
fn figure(text: &str, name: &str) -> Option<f64> {
    let mut values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    let value = values.next();
    assert_eq!(values.next(), None, "{name} is printed twice");
    value
}

/// Scrapes until a figure is as it should be; gives the whole text.
async fn until(app: &TestApp, name: &str, is_so: impl Fn(f64) -> bool) -> String {
    let patience = Instant::now() + PATIENCE;
    loop {
        let text = scrape(app).await.text().to_owned();
        if figure(&text, name).is_some_and(&is_so) {
            return text;
        }
        assert!(Instant::now() < patience, "waited in vain for {name}:\n{text}");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn figures_are_served_on_their_own_listener_alone(database: Database) {
    let app = watched(database).await;
    let answer = scrape(&app).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    assert!(answer.text().ends_with("# EOF\n"));
    let build = format!("keystead_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(figure(answer.text(), &build), Some(1.0));

    assert_eq!(app.signed_in().await.get("/metrics").await.status, StatusCode::NOT_FOUND);
    let apart = Browser::new(app.metrics_address.unwrap(), false);
    for path in ["/", "/healthz", "/sign-in", "/workspaces"] {
        assert_eq!(apart.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let address = app.metrics_address.unwrap();
    app.stop().await;
    assert!(TcpListener::bind(address).is_ok(), "nobody listens any more");
}

async fn figures_follow_the_key(database: Database) {
    let app = watched(database).await;
    let open = until(&app, "keystead_key_checks_total{class=\"passed\"}", |count| count >= 1.0).await;
    for (name, value) in [
        ("keystead_key_state{state=\"open\"}", 1.0),
        ("keystead_key_state{state=\"suspect\"}", 0.0),
        ("keystead_key_state{state=\"locked\"}", 0.0),
        ("keystead_root_key_info{kind=\"provider\"}", 1.0),
        ("keystead_key_checks_total{class=\"refused\"}", 0.0),
        ("keystead_locks_total{cause=\"provider_refused\"}", 0.0),
        ("keystead_cutoff_seconds_count", 0.0),
        ("keystead_workspaces_locked", 0.0),
        ("keystead_database_up", 1.0),
    ] {
        assert_eq!(figure(&open, name), Some(value), "{name}");
    }
    assert!(figure(&open, "keystead_key_last_success_seconds").unwrap() < 5.0);
    assert!(figure(&open, "keystead_kms_calls_total{operation=\"Decrypt\",class=\"passed\"}").unwrap() >= 1.0);
    let locked_before = figure(&open, "keystead_alarms_total{alarm=\"locked\"}").unwrap();

    app.lock().await;
    let locked = until(&app, "keystead_cutoff_seconds_count", |count| count > 0.0).await;
    assert_eq!(figure(&locked, "keystead_key_state{state=\"locked\"}"), Some(1.0));
    assert_eq!(figure(&locked, "keystead_key_state{state=\"open\"}"), Some(0.0));
    assert_eq!(figure(&locked, "keystead_locks_total{cause=\"provider_refused\"}"), Some(1.0));
    assert!(figure(&locked, "keystead_key_checks_total{class=\"refused\"}").unwrap() >= 2.0);
    assert!(figure(&locked, "keystead_kms_calls_total{operation=\"Decrypt\",class=\"refused\"}").unwrap() >= 2.0);
    assert!(figure(&locked, "keystead_cutoff_seconds_sum").unwrap() < 15.0);
    // Other tests in this process lock too.
    assert!(figure(&locked, "keystead_alarms_total{alarm=\"locked\"}").unwrap() > locked_before);
    until(&app, "keystead_key_last_success_seconds", |seconds| seconds > 2.0).await;

    app.unlock().await;
    let again = until(&app, "keystead_unlocks_total", |count| count >= 1.0).await;
    assert_eq!(figure(&again, "keystead_key_state{state=\"open\"}"), Some(1.0));
    assert!(figure(&again, "keystead_key_last_success_seconds").unwrap() < 5.0);
    app.stop().await;
}

async fn dashboard_and_rules_ask_for_what_exists(database: Database) {
    let app = watched(database).await;
    let who = app.administrator().await;
    app.workspace().await;
    app.services.encryption.activate(&who, &app.keys.create().await).await.unwrap();
    let done = "keystead_job_running{kind=\"activate\",stage=\"done\",state=\"complete\"}";
    until(&app, done, |running| running == 0.0).await;
    // The next key check finds out.
    let text = until(&app, "keystead_root_key_info{kind=\"customer\"}", |one| one > 0.0).await;
    let records = figure(&text, "keystead_job_records{part=\"done\"}").unwrap();
    assert!(records >= 1.0);
    assert_eq!(figure(&text, "keystead_job_records{part=\"total\"}"), Some(records));
    for alarm in ALARMS {
        let name = format!("keystead_alarms_total{{alarm=\"{}\"}}", alarm.event);
        assert!(figure(&text, &name).is_some(), "{name}");
    }
    app.stop().await;

    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let printed: BTreeSet<&str> = samples.map(|line| line.split(['{', ' ']).next().unwrap()).collect();
    let read =
        |name: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("monitoring").join(name)).unwrap();
    let (dashboard, rules) = (read("grafana-dashboard.json"), read("alerts.yml"));
    serde_json::from_str::<serde_json::Value>(&dashboard).unwrap();
    for (file, text) in [("dashboard", &dashboard), ("rules", &rules)] {
        let names = names_in(text);
        assert!(names.len() > 10, "{file}: {names:?}");
        let missing: Vec<_> = names.difference(&printed).collect();
        assert!(missing.is_empty(), "{file}: {missing:?}");
    }
    let shown = names_in(&dashboard);
    for family in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()) {
        assert!(shown.iter().any(|name| name.starts_with(family)), "the dashboard does not show {family}");
    }
    let mut asked = 0;
    for part in
        rules.split("alarm").skip(1).filter_map(|part| part.split('"').nth(1).filter(|_| part.starts_with(['=', '!'])))
    {
        for name in part.split('|') {
            assert!(ALARMS.iter().any(|alarm| alarm.event == name), "the rules ask for the alarm {name:?}");
            asked += 1;
        }
    }
    assert!(asked > 10);
}

/// The names of figures in a text.
fn names_in(text: &str) -> BTreeSet<&str> {
    let starts = text.match_indices("keystead_").map(|(at, _)| &text[at..]);
    starts.map(|text| text.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap()).collect()
}

async fn a_database_that_does_not_answer_takes_nothing_else_away(database: Database) {
    let app = watched(database).await;
    app.services.store.read().clone().close().await.unwrap();
    let text = scrape(&app).await.text().to_owned();
    assert_eq!(figure(&text, "keystead_database_up"), Some(0.0));
    assert_eq!(figure(&text, "keystead_key_state{state=\"open\"}"), Some(1.0));
    assert!(!text.contains("keystead_job") && !text.contains("keystead_resets"), "{text}");
    app.stop().await;
}

fn served_with(metrics: &str) -> Output {
    let key = "arn:aws:kms:us-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    Command::new(env!("CARGO_BIN_EXE_keystead"))
        .args(["serve", "--listen=127.0.0.1:0", "--database-url=sqlite::memory:", "--provider-key-arn", key])
        .env("KEYSTEAD_METRICS_LISTEN", metrics)
        .env_remove("AWS_REGION")
        .env_remove("AWS_DEFAULT_REGION")
        .output()
        .unwrap()
}

#[test]
fn an_address_that_cannot_be_used_stops_the_start_with_the_name_of_the_variable() {
    let output = served_with("here");
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("KEYSTEAD_METRICS_LISTEN: \"here\" is not an address."), "{said}");

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = served_with(&address);
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("KEYSTEAD_METRICS_LISTEN: {address} cannot be listened on: ")), "{said}");
}
