//! What an administrator can do with a job, and what is left to read of it.

use crate::{
    on_both_databases,
    steps::{Filled, activate, download, job_ended, rows, view},
    support::{Database, PATIENCE, TestApp, content},
};
use app::{
    model::{
        encryption::RootKind,
        error::{ApiError, KeyRefused},
        job::{JobKind, JobStage, JobState, PauseReason, SetAsideReason},
    },
    ports::{EncryptionPort, WorkspacesPort},
};
use bytes::Bytes;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::Value;
use server::{
    config::ObjectsAt,
    jobs::queue::{self, Claim},
    store::entities::job_mark,
};
use std::{collections::HashSet, fs, time::Duration};
use tokio::time::Instant;

on_both_databases!(
    an_administrator_pauses_a_job_and_lets_it_go_on,
    a_paused_job_can_be_turned_round,
    what_was_set_aside_is_tried_again_after_repair,
    a_complete_job_has_a_report_and_a_place_in_the_list,
    what_nothing_names_is_removed_and_what_is_not_ours_stays,
    objects_of_another_database_stay,
    an_empty_folder_in_place_of_the_objects_is_waited_for,
    an_upload_under_a_key_that_is_kept_for_something_else_is_waited_for,
);

fn refused<T: std::fmt::Debug>(answer: Result<T, ApiError>) -> KeyRefused {
    match answer.unwrap_err() {
        ApiError::KeyRefused(refused) => refused,
        other => panic!("{other:?}"),
    }
}

async fn an_administrator_pauses_a_job_and_lets_it_go_on(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let port = &app.services.encryption;
    assert_eq!(refused(port.pause_job(&who).await), KeyRefused::NothingToPause);
    let filled = Filled::new(&app, &who, "Claims triage", 300, &[12_000_000; 4]).await;
    let arn = app.keys.create().await;
    port.activate(&who, &arn).await.unwrap();
    while view(&app, &who).await.root.kind == RootKind::Provider {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    port.pause_job(&who).await.unwrap();
    assert_eq!(refused(port.pause_job(&who).await), KeyRefused::NothingToPause, "it is paused already");
    let member = app.add_member("member@example.com").await;
    assert_eq!(port.resume_job(&member).await, Err(ApiError::NotAllowed));

    let paused = view(&app, &who).await.job.unwrap();
    assert_eq!((paused.state, paused.waiting), (JobState::Paused, Some(PauseReason::Administrator)));
    assert_eq!(paused.paused_by.as_deref(), Some(who.name.as_str()));
    // Nobody takes it, though servers look for jobs all the time, and nothing that was under way is written any more.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let still = view(&app, &who).await.job.unwrap();
    assert_eq!((still.state, &still.items), (JobState::Paused, &paused.items));
    marks_are_fenced(&app).await;
    filled.is_intact(&app, &who).await;
    assert_eq!(refused(port.activate(&who, &arn).await), KeyRefused::JobUnfinished);

    port.resume_job(&who).await.unwrap();
    let job = job_ended(&app, &who).await;
    assert_eq!((job.state, job.paused_by), (JobState::Complete, None));
    assert_eq!(refused(port.resume_job(&who).await), KeyRefused::NothingPaused);
    filled.is_intact(&app, &who).await;
    app.stop().await;
}

/// Only who holds the job notes how far it is.
async fn marks_are_fenced(app: &TestApp) {
    let store = &app.services.store;
    let count = async || job_mark::Entity::find().count(store.read()).await.unwrap();
    let before = count().await;
    let mut claim = Claim { job: queue::unfinished(store.read()).await.unwrap().unwrap() };
    claim.job.fence -= 1;
    assert!(claim.mark(store).await.is_err(), "it was paused, so its last holder has lost it");
    assert_eq!(count().await, before);
    claim.job.fence += 1;
    claim.mark(store).await.unwrap();
    assert_eq!(count().await, before + 1);
}

async fn a_paused_job_can_be_turned_round(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let port = &app.services.encryption;
    let filled = Filled::new(&app, &who, "Claims triage", 100, &[12_000_000; 3]).await;
    let arn = app.keys.create().await;
    port.activate(&who, &arn).await.unwrap();
    while view(&app, &who).await.root.kind == RootKind::Provider {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    port.pause_job(&who).await.unwrap();
    port.delete_key(&who, &arn).await.unwrap();
    let job = job_ended(&app, &who).await;
    assert_eq!((job.kind, job.state), (JobKind::Delete, JobState::Complete));
    app.keys.disable(&arn).await;
    filled.is_intact(&app, &who).await;
    app.stop().await;
}

async fn what_was_set_aside_is_tried_again_after_repair(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let port = &app.services.encryption;
    let filled = Filled::new(&app, &who, "Claims triage", 3, &[2_000, 300_000]).await;
    assert_eq!(refused(port.retry_set_aside(&who).await), KeyRefused::NothingSetAside);
    let row = &rows(&app, "SELECT place FROM objects ORDER BY size LIMIT 1").await[0];
    let place = app.objects.join(row.try_get::<String>("", "place").unwrap());
    let content = fs::read(&place).unwrap();
    fs::remove_file(&place).unwrap();
    activate(&app, &who).await;
    let job = view(&app, &who).await.job.unwrap();
    let [group] = &job.set_aside[..] else { panic!("{job:?}") };
    assert_eq!((group.reason, group.items, group.listed.len()), (SetAsideReason::Missing, 1, 1));
    assert_eq!(group.listed[0].kind, "File content");
    assert_eq!(group.listed[0].workspace.as_deref(), Some(filled.workspace.as_str()));

    // Nothing was repaired: the item is set aside again, and its data key kept.
    port.retry_set_aside(&who).await.unwrap();
    let again = job_ended(&app, &who).await;
    assert_eq!((again.kind, again.state, again.set_aside.len()), (JobKind::Retry, JobState::Complete, 1));
    assert_eq!(view(&app, &who).await.data_keys, 3);

    fs::write(&place, content).unwrap();
    port.retry_set_aside(&who).await.unwrap();
    let last = job_ended(&app, &who).await;
    assert_eq!((last.state, last.files_done, last.set_aside.len()), (JobState::Complete, 1, 0));
    assert_eq!(view(&app, &who).await.data_keys, 2, "nothing needs the old data key any more");
    filled.is_intact(&app, &who).await;
    assert_eq!(refused(port.retry_set_aside(&who).await), KeyRefused::NothingSetAside);
    let past = view(&app, &who).await.past_jobs;
    let kinds: Vec<_> = past.iter().map(|job| (job.kind, job.set_aside)).collect();
    assert_eq!(kinds, [(JobKind::Retry, 1), (JobKind::Activate, 1)]);
    app.stop().await;
}

async fn a_complete_job_has_a_report_and_a_place_in_the_list(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    Filled::new(&app, &who, "Claims triage", 20, &[1_000, 20_000]).await;
    let before: HashSet<String> = keys(&app).await;
    let arn = activate(&app, &who).await;
    let seen = view(&app, &who).await;
    let job = seen.job.unwrap();
    assert!(seen.past_jobs.is_empty(), "the job on the card is not in the list");
    let notes = job.items.iter().find(|kind| kind.kind == "Notes").unwrap();
    assert_eq!((notes.total, notes.done, notes.set_aside), (20, 20, 0));
    assert!(notes.bytes_done > 0);

    let browser = app.signed_in().await;
    let path = format!("/settings/data-encryption/jobs/{}/report", job.id);
    let answer = browser.get(&path).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-disposition").unwrap().starts_with("attachment"));
    let report: Value = answer.json();
    assert_eq!(report["root_key"]["before"], Value::from(app.keys.provider.as_str()));
    assert_eq!(report["root_key"]["after"], Value::from(arn.as_str()));
    assert_eq!(report["nothing_names_an_old_data_key"]["holds"], Value::from(true));
    let listed = report["data_keys"].as_array().unwrap();
    let of = |step: &str| listed.iter().filter(|key| key["step"] == step).collect::<Vec<_>>();
    let (rewrapped, made) = (of("rewrapped"), of("made"));
    assert_eq!((rewrapped.len(), made.len()), (2, 2));
    for key in rewrapped {
        assert!(before.contains(key["id"].as_str().unwrap()) && key["destroyed_at"].is_string(), "{key}");
        for answer in ["unwrapped_with_old_root", "wrapped_with_new_root", "unwrapped_with_new_root"] {
            assert!(key[answer].as_str().is_some_and(|id| !id.is_empty()), "{answer}: {key}");
        }
    }
    assert_eq!(made.iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect::<HashSet<_>>(), keys(&app).await);
    let files = report["data"].as_array().unwrap().iter().find(|kind| kind["kind"] == "File content").unwrap();
    assert_eq!((files["items"].as_i64(), files["bytes_before_encryption"].as_i64()), (Some(2), Some(21_000)));

    assert_eq!(app.browser().get(&path).await.status, 401);
    let unknown = "/settings/data-encryption/jobs/00000000-0000-4000-8000-000000000000/report";
    assert_eq!(browser.get(unknown).await.status, 404);
    app.services.encryption.delete_key(&who, &arn).await.unwrap();
    job_ended(&app, &who).await;
    let past = view(&app, &who).await.past_jobs;
    assert_eq!(past.iter().map(|past| past.id.as_str()).collect::<Vec<_>>(), [&job.id]);
    assert_eq!((past[0].records, past[0].files), (job.records_done, 2));
    app.stop().await;
}

/// The ids of all data keys.
async fn keys(app: &TestApp) -> HashSet<String> {
    let all = server::store::house::all_keys(app.services.store.read()).await.unwrap();
    all.iter().map(|key| key.id.to_string()).collect()
}

/// A server that was started over the right store with the wrong database, perhaps an older copy of it: what that takes for
/// garbage may be needed, so nothing is removed, and a change of key waits.
async fn objects_of_another_database_stay(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let filled = Filled::new(&app, &who, "Claims triage", 1, &[1_000, 9_000]).await;
    activate(&app, &who).await;
    let objects = app.objects.clone();
    let other = TestApp::start_with(database, |config| config.objects = ObjectsAt::File(objects)).await;
    let stranger = other.administrator().await;
    let theirs = Filled::new(&other, &stranger, "By mistake", 1, &[1_000]).await;
    let arn = other.keys.create().await;
    other.services.encryption.activate(&stranger, &arn).await.unwrap();
    let patience = Instant::now() + PATIENCE;
    while view(&other, &stranger).await.job.unwrap().stage != JobStage::Finish {
        assert!(Instant::now() < patience, "{:?}", view(&other, &stranger).await.job);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Longer than the collector waits until it looks again.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(other.object_notes().await, 1, "what was replaced is still there");
    theirs.is_intact(&other, &stranger).await;
    other.stop().await;
    filled.is_intact(&app, &who).await;
    app.stop().await;
}

/// A folder that somebody has forgotten to mount: nothing is taken for lost, and nothing for removed.
async fn an_empty_folder_in_place_of_the_objects_is_waited_for(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let mut filled = Filled::new(&app, &who, "Claims triage", 3, &[1_000, 9_000, 20_000]).await;
    let elsewhere = app.objects.with_extension("elsewhere");
    app.until("the store is marked", |app| app.objects.join("keystead-sweeps").exists()).await;
    fs::rename(&app.objects, &elsewhere).unwrap();
    fs::create_dir(&app.objects).unwrap();
    let arn = app.keys.create().await;
    app.services.encryption.activate(&who, &arn).await.unwrap();
    let patience = Instant::now() + PATIENCE;
    loop {
        let job = view(&app, &who).await.job.unwrap();
        if job.waiting == Some(PauseReason::ObjectStore) {
            break;
        }
        assert!(job.state.is_unfinished() && Instant::now() < patience, "{job:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // As long as the collector believes what it has seen.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let (gone, _) = filled.files.remove(0);
    app.services.workspaces.delete_file(&who, &filled.workspace, &gone).await.unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(app.object_notes().await, 1, "what is elsewhere was not removed");
    assert!(view(&app, &who).await.job.unwrap().set_aside.is_empty());
    assert!(!app.objects.join("keystead-sweeps").exists(), "a store without the objects is not marked");

    fs::remove_dir_all(&app.objects).unwrap();
    fs::rename(&elsewhere, &app.objects).unwrap();
    let job = job_ended(&app, &who).await;
    assert_eq!((job.state, job.set_aside.len(), job.files_done), (JobState::Complete, 0, 2));
    app.until_object_notes(0).await;
    assert_eq!(app.stored_objects(), 2);
    filled.is_intact(&app, &who).await;
    app.stop().await;
}

/// An item that does not open keeps its data key alive, which an upload names too that began before the job.
async fn an_upload_under_a_key_that_is_kept_for_something_else_is_waited_for(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let filled = Filled::new(&app, &who, "Claims triage", 2, &[2_000]).await;
    let row = &rows(&app, "SELECT place FROM objects").await[0];
    fs::remove_file(app.objects.join(row.try_get::<String>("", "place").unwrap())).unwrap();
    let size = Some(2_000_000);
    let begun = app.services.files.begin_upload(&who, &filled.workspace, "slow", "text/plain", size).await;
    let mut slow = begun.unwrap();
    let sent = content(2_000_000);
    slow.write(Bytes::copy_from_slice(&sent[..1_000_000])).await.unwrap();
    let arn = app.keys.create().await;
    app.services.encryption.activate(&who, &arn).await.unwrap();
    let patience = Instant::now() + PATIENCE;
    while view(&app, &who).await.job.unwrap().waiting != Some(PauseReason::WaitingForUploads) {
        assert!(Instant::now() < patience, "{:?}", view(&app, &who).await.job);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    slow.write(Bytes::copy_from_slice(&sent[1_000_000..])).await.unwrap();
    let file = slow.finish().await.unwrap();
    let job = job_ended(&app, &who).await;
    assert_eq!((job.state, job.set_aside.len()), (JobState::Complete, 1));
    let strays = "SELECT o.id FROM objects o JOIN data_keys k ON k.id = o.data_key_id WHERE k.state = 'retiring'";
    assert_eq!(rows(&app, strays).await.len(), 1, "nothing but what was set aside names the key that is kept");
    assert!(download(&app, &who, &filled.workspace, &file.id).await == sent);
    app.stop().await;
}

async fn what_nothing_names_is_removed_and_what_is_not_ours_stays(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let filled = Filled::new(&app, &who, "Claims triage", 1, &[1_000, 9_000_000]).await;
    let (ours, theirs) = (app.objects.join(&filled.workspace), app.objects.join("somebody-elses"));
    fs::create_dir_all(&theirs).unwrap();
    fs::write(theirs.join("file"), "x").unwrap();
    let orphan = ours.join("00000000-0000-4000-8000-00000000000a");
    let half = ours.join("00000000-0000-4000-8000-00000000000b#1");
    fs::write(&orphan, "x").unwrap();
    fs::write(&half, "x").unwrap();
    activate(&app, &who).await;
    assert!(!orphan.exists() && !half.exists(), "nothing names these");
    assert!(theirs.join("file").exists());
    filled.is_intact(&app, &who).await;
    app.stop().await;
}
