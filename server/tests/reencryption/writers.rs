//! People who write at the worst moment of a job: with a key that is destroyed meanwhile, under the hands of the sweep, for
//! longer than the job takes, and in what is being deleted.

use crate::{
    on_both_databases,
    scene::Scene,
    steps::{Filled, content, headers_agree, job_ended, view},
    support::{Database, TestApp},
};
use app::{
    model::{
        error::ApiError,
        job::{JobState, PauseReason},
        workspace::{FileEntry, Note, Page, Saved},
    },
    ports::{EncryptionPort, Principal, WorkspacesPort},
};
use bytes::Bytes;
use server::store::is_reference_violation;
use std::collections::HashSet;
use tokio::sync::mpsc;

on_both_databases!(what_people_save_during_a_sweep_wins_and_stays);

const FIRST: &str = "ORDER BY id";

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_with_a_key_that_was_destroyed_meanwhile_is_refused_and_takes_the_new_one() {
    let mut scene = Scene::new().await;
    let heir = scene.heir().await;
    // No job has to write a note about an object when there is none.
    for (file, _) in scene.filled.files.drain(..) {
        heir.app.services.workspaces.delete_file(&heir.who, &scene.filled.workspace, &file).await.unwrap();
    }
    heir.app.until_object_notes(0).await;
    let old = keys(&scene).await;
    let held = scene.levers.hold_table("object_notes").await;
    let bytes = content(500_000);
    // It has chosen its key and is about to put down its note, under that key.
    let late = scene.browser.send(scene.browser.upload(&scene.filled.workspace, "late.bin").body(bytes.clone()));
    let job = async {
        scene.levers.until_waiting("object_notes").await;
        heir.app.services.encryption.activate(&heir.who, &scene.arn).await.unwrap();
        let job = job_ended(&heir.app, &heir.who).await;
        assert_eq!(job.state, JobState::Complete, "{job:?}");
        assert!(old.is_disjoint(&keys(&scene).await), "the key that was chosen is destroyed");
        held.let_go().await;
    };
    let (late, ()) = tokio::join!(late, job);
    assert_eq!(late.status, 201, "{}", late.text());
    let file = late.json::<FileEntry>().id;
    // Whatever a server does, the database lets no row name a destroyed key.
    for table in ["notes", "workspaces"] {
        let key = old.iter().next().unwrap();
        let sql = format!("UPDATE {table} SET data_key_id = '{key}'");
        let refused = sea_orm::ConnectionTrait::execute_unprepared(scene.levers.on(), &sql).await.unwrap_err();
        assert!(is_reference_violation(&refused), "{refused}");
    }
    scene.filled.files.push((file, bytes));
    scene.is_all_there(&heir).await;
    scene.end(heir).await;
}

async fn keys(scene: &Scene) -> HashSet<String> {
    let rows = scene.levers.rows("SELECT CAST(id AS text) AS id FROM data_keys").await;
    rows.iter().map(|row| row.try_get("", "id").unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_saved_between_its_reading_and_its_writing_stays_as_it_was_saved() {
    let mut scene = Scene::new().await;
    let (filled, levers) = (&scene.filled, scene.levers.clone());
    // Two batches ahead of where the job will stand, the last note is read and sealed by the job, but not yet written.
    let ids = "SELECT CAST(id AS text) AS id FROM notes ORDER BY notes.id LIMIT 100";
    let read_ahead: String = levers.rows(ids).await[99].try_get("", "id").unwrap();
    let (workspace, file) = (filled.workspace.clone(), filled.files[0].0.clone());
    let held = scene.stands_still_at("notes", FIRST).await;
    let files = scene.levers.hold_row("files", FIRST).await;
    let heir = scene.heir().await;
    let (app, who) = (&heir.app, &heir.who);
    let port = &app.services.workspaces;
    let note = all_notes(app, who, &workspace).await.into_iter().find(|note| note.id == read_ahead).unwrap();
    let saved = port.update_note(who, &workspace, &note.id, note.rev, "saved during the sweep").await.unwrap();
    assert!(matches!(saved, Saved::Stored(_)), "{saved:?}");
    held.let_go().await;
    // The same with a name, whose row the job is about to write at this very moment: whichever comes first, the name stays.
    scene.levers.until_waiting("files").await;
    let renaming = port.rename_file(who, &workspace, &file, "renamed during the sweep.bin");
    let letting_go = async {
        tokio::task::yield_now().await;
        files.let_go().await;
    };
    let (renamed, ()) = tokio::join!(renaming, letting_go);
    renamed.unwrap();
    let place = scene.filled.notes.iter().position(|text| *text == note.text).unwrap();
    scene.filled.notes[place] = "saved during the sweep".to_owned();
    let job = scene.ends_well(&heir).await;
    let notes = job.items.iter().find(|items| items.kind == "Notes").unwrap();
    assert_eq!(notes.done, scene.filled.notes.len() as u64 - 1, "what somebody saved is not the job's");
    let others = scene.filled.notes.iter().enumerate().filter(|(at, _)| *at != place);
    assert_eq!(notes.bytes_done, others.map(|(_, text)| text.len() as u64).sum::<u64>(), "nor are its bytes");
    let listed = heir.app.services.workspaces.files(&heir.who, &workspace, None).await.unwrap().items;
    assert_eq!(listed.iter().find(|entry| entry.id == file).unwrap().name, "renamed during the sweep.bin");
    scene.end(heir).await;
}

/// Notes, newest first.
async fn all_notes(app: &TestApp, who: &Principal, workspace: &str) -> Vec<Note> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page: Page<Note> = app.services.workspaces.notes(who, workspace, after.as_deref()).await.unwrap();
        found.extend(page.items);
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

/// Whatever the sweep does, people's saves are never in conflict with it, and the last one is what is there at the end.
async fn what_people_save_during_a_sweep_wins_and_stays(database: Database) {
    let app = TestApp::start(database).await;
    let who = app.administrator().await;
    let mut filled = Filled::new(&app, &who, "Claims triage", 400, &[5_000_000; 3]).await;
    let port = &app.services.workspaces;
    let mut workspace = port.get(&who, &filled.workspace).await.unwrap();
    let mut notes = all_notes(&app, &who, &filled.workspace).await;
    notes.reverse();
    let arn = app.keys.create().await;
    app.services.encryption.activate(&who, &arn).await.unwrap();
    let (mut turn, mut name) = (0, String::new());
    while view(&app, &who).await.job.unwrap().state.is_unfinished() || turn == 0 {
        turn += 1;
        name = format!("renamed {turn}.bin");
        let renamed = port.update(&who, &workspace.id, workspace.rev, Some(&name), "still the same").await.unwrap();
        let Saved::Stored(stored) = renamed else { panic!("nobody else has renamed it: {renamed:?}") };
        workspace = stored;
        port.rename_file(&who, &workspace.id, &filled.files[0].0, &name).await.unwrap();
        let at = turn * 37 % notes.len();
        let saved = port.update_note(&who, &workspace.id, &notes[at].id, notes[at].rev, &name).await.unwrap();
        let Saved::Stored(stored) = saved else { panic!("nobody else has changed it: {saved:?}") };
        notes[at] = stored;
        filled.notes[at].clone_from(&name);
    }
    assert_eq!(job_ended(&app, &who).await.state, JobState::Complete);
    filled.is_intact(&app, &who).await;
    headers_agree(&app).await;
    assert_eq!(port.get(&who, &workspace.id).await.unwrap(), workspace);
    let files = port.files(&who, &workspace.id, None).await.unwrap().items;
    assert_eq!(files.iter().find(|file| file.id == filled.files[0].0).unwrap().name, name);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_to_another_server_that_spans_the_whole_job_is_readable_on_both() {
    let mut scene = Scene::new().await;
    let heir = scene.heir().await;
    let bytes = content(12_000_000);
    let (pieces, body) = mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let body = reqwest::Body::wrap_stream(futures::stream::unfold(body, async |mut body| {
        body.recv().await.map(|piece| (piece, body))
    }));
    let browser = heir.app.signed_in().await;
    let uploading = browser.send(browser.upload(&scene.filled.workspace, "long.bin").body(body));
    let meanwhile = async {
        pieces.send(Ok(Bytes::copy_from_slice(&bytes[..9_000_000]))).await.unwrap();
        scene.levers.until("its note is there", async || writing(&scene).await == 1).await;
        scene.browser.call("activate_key", &[("arn", &scene.arn)]).await;
        let levers = scene.levers.clone();
        let waits = "SELECT count(*) AS found FROM jobs WHERE waiting = 'waiting_for_uploads'";
        levers.until("the job waits for the upload", async || levers.number(waits).await == 1).await;
        let job = scene.view().await.job.unwrap();
        assert_eq!(job.waiting, Some(PauseReason::WaitingForUploads));
        assert_eq!(job.files_done, scene.filled.files.len() as u64, "the rest is done meanwhile");
        pieces.send(Ok(Bytes::copy_from_slice(&bytes[9_000_000..]))).await.unwrap();
        drop(pieces);
    };
    let (uploaded, ()) = tokio::join!(uploading, meanwhile);
    assert_eq!(uploaded.status, 201, "{}", uploaded.text());
    let file = uploaded.json::<FileEntry>().id;
    scene.filled.files.push((file.clone(), bytes.clone()));
    let job = scene.ends_well(&heir).await;
    let content = job.items.iter().find(|items| items.kind == "File content").unwrap();
    assert_eq!(
        content.done,
        scene.filled.files.len() as u64,
        "it came to be under the old key, and the job has rewritten it"
    );
    assert_eq!(scene.fence().await, 1, "waiting for an upload is no reason to lose the job");
    let read = scene.browser.get(&format!("/workspaces/{}/files/{file}", scene.filled.workspace)).await;
    assert!(read.body == bytes, "{}", read.status);
    scene.end(heir).await;
}

async fn writing(scene: &Scene) -> i64 {
    scene.levers.number("SELECT count(*) AS found FROM object_notes WHERE state = 'writing'").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_another_server_deletes_under_the_sweep_is_gone_and_nothing_else() {
    tokio::join!(deleted_at("notes"), deleted_at("objects"));
}

async fn deleted_at(table: &str) {
    let mut scene = Scene::new().await;
    let heir = scene.heir().await;
    let (app, who) = (&heir.app, &heir.who);
    let gone = Filled::new(app, who, "Gone", 100, &[100, 9_000_000]).await;
    let held = scene.stands_still_at(table, &format!("WHERE scope = '{}' ORDER BY id DESC", gone.workspace)).await;
    let browser = app.signed_in().await;
    let deleting = async {
        // It waits for whoever writes there, and they for the row.
        let mut browser = browser.clone();
        browser.call("delete_workspace", &[("workspace", &gone.workspace)]).await
    };
    let letting_go = async {
        scene.levers.until_waiting("data_keys").await;
        held.let_go().await;
    };
    let (deleted, ()) = tokio::join!(deleting, letting_go);
    assert!(deleted.status.is_success() || deleted.status.is_redirection(), "{deleted:?}");
    let job = scene.ends_well(&heir).await;
    assert!(job.items.iter().all(|items| items.done == items.total), "{job:?}");
    assert_eq!(app.services.workspaces.get(who, &gone.workspace).await, Err(ApiError::NotFound));
    let report = format!("/settings/data-encryption/jobs/{}/report", job.id);
    let report: serde_json::Value = app.signed_in().await.get(&report).await.json();
    for key in report["data_keys"].as_array().unwrap() {
        let (is_destroyed, is_gone) = (key["destroyed_at"].is_string(), key["gone_with_its_workspace_at"].is_string());
        let expected = (key["scope"] != gone.workspace && key["step"] == "rewrapped", key["scope"] == gone.workspace);
        assert_eq!((is_destroyed, is_gone), expected, "{key}");
    }
    assert_eq!(view(app, who).await.data_keys, 2);
    app.until_object_notes(0).await;
    scene.end(heir).await;
}
