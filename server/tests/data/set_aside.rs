//! Items that do not open: what is said of them while people go on working, and what becomes of them afterwards.

use crate::{
    on_both_databases,
    steps::{Filled, activate, content, download, headers_agree, job_ended, rows, tamper, view},
    support::{Database, PATIENCE, TestApp},
};
use app::{
    model::job::{JobFailure, JobKind, JobState, PauseReason, SetAsideReason},
    ports::{EncryptionPort, Principal, WorkspacesPort},
};
use bytes::Bytes;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::Value;
use server::store::entities::{
    data_key::{self, DataKeyState},
    job, set_aside,
};
use std::{fs, time::Duration};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

on_both_databases!(
    what_was_saved_or_deleted_meanwhile_is_not_set_aside,
    what_is_kept_can_be_tried_again_after_a_later_job_has_failed,
    a_great_number_is_counted_and_not_listed,
);

/// Puts the sealed text of the newest note into the others, where it does not belong.
async fn damage_all_but_one_note(app: &TestApp) {
    let newest = |column| format!("(SELECT {column} FROM notes ORDER BY created_at DESC, id DESC LIMIT 1)");
    tamper(app, &format!("UPDATE notes SET text_sealed = {} WHERE id <> {}", newest("text_sealed"), newest("id")))
        .await;
}

/// Takes the content of the smallest file away.
async fn lose_a_file(app: &TestApp) {
    let row = &rows(app, "SELECT place FROM objects ORDER BY size LIMIT 1").await[0];
    fs::remove_file(app.objects.join(row.try_get::<String>("", "place").unwrap())).unwrap();
}

async fn report(app: &TestApp, job: &str) -> Value {
    app.signed_in().await.get(&format!("/settings/data-encryption/jobs/{job}/report")).await.json()
}

async fn until_waiting_for_uploads(app: &TestApp, who: &Principal) {
    let patience = Instant::now() + PATIENCE;
    while view(app, who).await.job.unwrap().waiting != Some(PauseReason::WaitingForUploads) {
        assert!(Instant::now() < patience, "{:?}", view(app, who).await.job);
        sleep(Duration::from_millis(20)).await;
    }
}

async fn what_was_saved_or_deleted_meanwhile_is_not_set_aside(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let port = &app.services.workspaces;
    let filled = Filled::new(&app, &who, "Claims triage", 3, &[]).await;
    damage_all_but_one_note(&app).await;
    // The job cannot end before this upload does.
    let begun = app.services.files.begin_upload(&who, &filled.workspace, "slow", "text/plain", Some(1_000)).await;
    let mut slow = begun.unwrap();
    let sent = content(1_000);
    let arn = app.keys.create().await;
    app.services.encryption.activate(&who, &arn).await.unwrap();
    until_waiting_for_uploads(&app, &who).await;
    let job = view(&app, &who).await.job.unwrap();
    let [group] = &job.set_aside[..] else { panic!("{job:?}") };
    assert_eq!((group.reason, group.items), (SetAsideReason::DoesNotBelongHere, 2));

    let notes = port.notes(&who, &filled.workspace, None).await.unwrap().items;
    let mut damaged = notes.iter().filter(|note| note.damaged);
    let (one, two) = (damaged.next().unwrap(), damaged.next().unwrap());
    port.delete_note(&who, &filled.workspace, &one.id).await.unwrap();
    port.update_note(&who, &filled.workspace, &two.id, two.rev, "written anew").await.unwrap();
    slow.write(Bytes::copy_from_slice(&sent)).await.unwrap();
    let file = slow.finish().await.unwrap();
    let job = job_ended(&app, &who).await;
    assert_eq!((job.state, &job.set_aside[..]), (JobState::Complete, &[][..]));
    assert!(!job.may_retry, "nothing is kept");
    headers_agree(&app).await;
    assert_eq!(view(&app, &who).await.data_keys, 2);
    assert_eq!(report(&app, &job.id).await["nothing_names_an_old_data_key"]["holds"], Value::from(true));
    assert!(download(&app, &who, &filled.workspace, &file.id).await == sent);
    app.stop().await;
}

async fn what_is_kept_can_be_tried_again_after_a_later_job_has_failed(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let port = &app.services.encryption;
    let filled = Filled::new(&app, &who, "Claims triage", 2, &[1_000, 2_000]).await;
    lose_a_file(&app).await;
    let arn = activate(&app, &who).await;
    assert!(view(&app, &who).await.job.unwrap().may_retry);

    // Another change of key fails, because somebody has damaged a stored data key.
    let on = app.services.store.write();
    let current = data_key::Entity::find().filter(data_key::Column::State.eq(DataKeyState::Current));
    let found = current.all(on).await.unwrap();
    let key = found.into_iter().find(|key| key.scope.to_string() == filled.workspace).unwrap();
    let check_value = key.check_value.clone();
    let write = async |value: Vec<u8>| {
        let mut row = key.clone().into_active_model();
        row.check_value = Set(value);
        row.update(on).await.unwrap();
    };
    write(vec![7; check_value.len()]).await;
    port.delete_key(&who, &arn).await.unwrap();
    let failed = job_ended(&app, &who).await;
    assert_eq!((failed.state, failed.failure), (JobState::Failed, Some(JobFailure::DamagedDataKey)));
    assert!(failed.may_retry && failed.set_aside.is_empty(), "{failed:?}");
    write(check_value).await;

    let lost = &filled.files[0].0;
    app.services.workspaces.delete_file(&who, &filled.workspace, lost).await.unwrap();
    port.retry_set_aside(&who).await.unwrap();
    let job = job_ended(&app, &who).await;
    assert_eq!((job.kind, job.state, job.may_retry), (JobKind::Retry, JobState::Complete, false));
    assert_eq!(view(&app, &who).await.data_keys, 2, "the key that was kept for it is gone");
    app.stop().await;
}

async fn a_great_number_is_counted_and_not_listed(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    Filled::new(&app, &who, "Claims triage", 2, &[1_000]).await;
    lose_a_file(&app).await;
    activate(&app, &who).await;
    let on = app.services.store.write();
    let one = set_aside::Entity::find().one(on).await.unwrap().unwrap();
    let more = |reason: &'static str, from: u128, count: u128| {
        let one = one.clone();
        (from..from + count).map(move |id| {
            let mut row = one.clone().into_active_model();
            (row.id, row.item_id) = (Set(Uuid::from_u128(id)), Set(Uuid::from_u128(id)));
            (row.item_table, row.reason) = (Set("notes".to_owned()), Set(reason.to_owned()));
            row
        })
    };
    for rows in more("tampered", 1, 1_200).chain(more("malformed", 5_000, 300)).collect::<Vec<_>>().chunks(500) {
        set_aside::Entity::insert_many(rows.to_vec()).exec_without_returning(on).await.unwrap();
    }
    let job = view(&app, &who).await.job.unwrap();
    let groups: Vec<_> = job.set_aside.iter().map(|group| (group.reason, group.items, group.listed.len())).collect();
    let expected =
        [(SetAsideReason::Malformed, 300, 20), (SetAsideReason::Missing, 1, 1), (SetAsideReason::Tampered, 1_200, 20)];
    assert_eq!(groups, expected);
    assert_eq!(job.items.iter().find(|kind| kind.kind == "Notes").unwrap().set_aside, 1_500);

    let told = report(&app, &job.id).await;
    assert_eq!((told["set_aside_items"].as_i64(), told["set_aside_listed"].as_i64()), (Some(1_501), Some(1_000)));
    assert_eq!(told["set_aside"].as_array().unwrap().len(), 1_000);
    assert_eq!(told["nothing_names_an_old_data_key"]["holds"], Value::from(false));

    // A job of an earlier version has no account: then nothing is asserted.
    set_aside::Entity::delete_many().exec(on).await.unwrap();
    for table in ["job_items", "job_keys"] {
        tamper(&app, &format!("DELETE FROM {table}")).await;
    }
    let told = report(&app, &job.id).await;
    for list in ["data", "data_keys"] {
        assert_eq!(told[list], Value::from("not recorded"), "{told}");
    }
    assert_eq!(told["nothing_names_an_old_data_key"]["holds"], Value::Null);
    assert_eq!(job::Entity::find().all(on).await.unwrap().len(), 1);
    app.stop().await;
}
