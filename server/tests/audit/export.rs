//! The log as a file: whole, guarded, noted, and such that the chain can be checked with it.

use crate::{
    on_both_databases,
    scene::{all, fill, pairs, told, until_told},
    support::{Browser, Database, TestApp},
};
use server::{services::audit::chain, store::entities::audit_entry};

on_both_databases!(
    a_file_holds_every_entry_and_its_making_is_noted,
    a_file_holds_what_the_filter_lets_through,
    an_export_that_is_broken_off_is_noted_as_failed,
);

async fn exported(browser: &Browser, query: &str) -> crate::support::Answer {
    browser.send(browser.form(&format!("/settings/audit-log/export?{query}"), &[])).await
}

async fn a_file_holds_every_entry_and_its_making_is_noted(database: Database) {
    let app = TestApp::start(database).await;
    let browser = app.signed_in().await;
    // More than one batch.
    fill(&app.services.store, 1_050).await;
    let answer = exported(&browser, "format=jsonl").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/jsonl"));
    assert!(answer.header("content-disposition").unwrap().contains("keystead-audit-log.jsonl"));
    let lines: Vec<serde_json::Value> = answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let entries = all(&app.services.store).await;
    // The last line is the opening entry of the export itself; the closing one came after.
    assert_eq!(lines.len(), entries.len() - 1);
    assert_eq!(lines.last().unwrap()["action"], "audit_exported");
    assert_eq!(lines.last().unwrap()["outcome"], "opened");
    let expected = [("audit_exported", "opened"), ("audit_exported", "succeeded")];
    assert_eq!(told(&app.services.store, &["audit_exported"]).await, pairs(&expected));
    let closing = entries.last().unwrap();
    assert_eq!(closing.amount, i64::try_from(lines.len()).ok());
    // Whoever has the file can check the chain without us.
    let mut previous = chain::FIRST;
    for line in &lines {
        let row = row(line);
        previous = chain::hash(&previous, &row);
        assert_eq!(line["hash"], serde_json::json!(hex::encode(previous)), "{line}");
    }

    let answer = exported(&browser, "format=csv").await;
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
    let text = answer.text();
    assert!(text.starts_with("sequence,time,action,outcome,"));
    assert_eq!(
        text.lines().count(),
        entries.len() + 2,
        "a heading, and the two entries of the first export, and one more"
    );
    assert!(text.contains(",sign_in_failed,succeeded,,nobody,,,192.0.2.7,"));
    assert_eq!(exported(&browser, "format=xls").await.status, 404);
    app.stop().await;
}

/// The line as the row that it was.
fn row(line: &serde_json::Value) -> audit_entry::Model {
    let text = |name: &str| line[name].as_str().map(str::to_owned);
    audit_entry::Model {
        sequence: line["sequence"].as_i64().unwrap(),
        at: line["at"].as_i64().unwrap(),
        action: text("action").unwrap(),
        outcome: text("outcome").unwrap(),
        operation: text("operation").map(|id| id.parse().unwrap()),
        actor: text("actor").unwrap(),
        actor_name: text("actor_name"),
        actor_email: text("actor_email"),
        address: text("address"),
        object_kind: text("object_kind"),
        object_id: text("object_id"),
        detail: text("detail"),
        amount: line["amount"].as_i64(),
        key_arn: text("key_arn"),
        region: text("region"),
        request_id: text("request_id"),
        server: text("server").map(|id| id.parse().unwrap()),
        hash: Vec::new(),
    }
}

async fn a_file_holds_what_the_filter_lets_through(database: Database) {
    let app = TestApp::start(database).await;
    let browser = app.signed_in().await;
    fill(&app.services.store, 7).await;
    let answer = exported(&browser, "format=csv&actor=nobody&outcome=succeeded").await;
    assert_eq!(answer.text().lines().count(), 8);
    let answer = exported(&browser, "format=jsonl&action=sign_in").await;
    assert_eq!(answer.text().lines().count(), 1);
    let answer = exported(&browser, "format=csv&to=2020-01-01").await;
    assert_eq!(answer.text().lines().count(), 1);
    app.stop().await;
}

async fn an_export_that_is_broken_off_is_noted_as_failed(database: Database) {
    let app = TestApp::start(database).await;
    let browser = app.signed_in().await;
    fill(&app.services.store, 20).await;
    let who = app.administrator().await;
    let filter = app::model::audit::AuditFilter::default();
    let format = server::services::audit::export::Format::Csv;
    let stream = app.services.audit_log.export(&who, &filter, format).await;
    drop(stream);
    until_told(&app.services.store, &["audit_exported"], &[("audit_exported", "opened"), ("audit_exported", "failed")])
        .await;
    assert!(browser.cookie.is_some());
    app.stop().await;
}
