//! A deletion that interrupts an activation and cannot take control: the activation goes on as if nothing had been.

use crate::{
    control::Site,
    on_both_databases,
    scene::account_is_exact,
    steps::{Filled, headers_agree, job_ended, view},
    support::{
        Database, PASSWORD,
        kms_proxy::{Act, Operation, Rule},
    },
};
use app::{
    model::{
        encryption::RootKind,
        identity::Role,
        job::{JobFailure, JobKind, JobState},
    },
    ports::EncryptionPort,
};
use serde_json::Value;
use std::time::Duration;

on_both_databases!(a_deletion_that_fails_gives_the_activation_back);

async fn a_deletion_that_fails_gives_the_activation_back(database: Database) {
    let site = Site::new(database).await;
    let (app, who) = (&site.app, &site.who);
    let other = app.services.accounts.create_user("bea@example.com", "Bea", Role::Administrator, PASSWORD).await;
    let other = other.unwrap();
    let filled = Filled::new(app, who, "Claims triage", 300, &[12_000_000; 3]).await;
    let (provider, arn) = (site.ground.keys.provider.clone(), site.ground.keys.create().await);
    site.activate(&arn).await;
    while view(app, who).await.job.unwrap().items.is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let port = &app.services.encryption;
    port.pause_job(who).await.unwrap();
    let activation = view(app, who).await.job.unwrap();
    site.proxy.set([Rule::on(Operation::Encrypt, Act::Fail(400, "AccessDeniedException")).key(&provider)]);
    port.delete_key(&other, &arn).await.unwrap();
    let asked = view(app, who).await.job.unwrap();
    if asked.kind == JobKind::Delete {
        assert_eq!((asked.requested_by.as_str(), asked.items.len()), ("Bea", 0), "nothing was done for it yet");
    }
    let job = job_ended(app, who).await;
    assert_eq!((&job.id, job.kind, job.state), (&activation.id, JobKind::Activate, JobState::Complete));
    assert_eq!(job.failure, Some(JobFailure::NewRootRefused));
    assert_eq!((&job.requested_by, job.created_at), (&activation.requested_by, activation.created_at));
    assert_eq!((job.control_at, job.keys_done, job.keys_total), (activation.control_at, 2, 2));
    account_is_exact(&job, &filled, filled.notes.len());
    let root = view(app, who).await.root;
    assert_eq!((root.kind, root.arn), (RootKind::Customer, arn));

    let report = format!("/settings/data-encryption/jobs/{}/report", job.id);
    let report: Value = app.signed_in().await.get(&report).await.json();
    let turned = &report["job"]["came_out_of"];
    assert_eq!((&turned["kind"], &turned["requested_by"]), (&Value::from("delete"), &Value::from("Bea")));
    assert_eq!(turned["failure"], Value::from("new_root_refused"));
    let keys = report["data_keys"].as_array().unwrap();
    let rewrapped = keys.iter().filter(|key| key["step"] == "rewrapped").collect::<Vec<_>>();
    assert_eq!((rewrapped.len(), keys.len()), (2, 4));
    assert!(rewrapped.iter().all(|key| key["wrapped_with_new_root"].is_string() && key["destroyed_at"].is_string()));
    filled.is_intact(app, who).await;
    headers_agree(app).await;
    site.stop().await;
}
