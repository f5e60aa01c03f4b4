//! The program is killed in the middle of a job, and started again.

use crate::support::{
    content,
    program::{Program, objects_below},
};
use app::model::{
    encryption::{DataEncryption, RootKind},
    job::JobState,
    workspace::{FileEntry, Note, Page},
};
use std::time::Duration;

const FILES: usize = 6;
const FILE: usize = 24_000_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_on_after_kill_9_and_a_disabled_key_stays_disabled() {
    let mut program = Program::start().await;
    let mut browser = program.signed_in().await;
    browser.call("create_workspace", &[("name", "Survey"), ("description", "")]).await;
    let listed: serde_json::Value = browser.call("list_workspaces", &[]).await.json();
    let id = listed["items"][0]["id"].as_str().unwrap().to_owned();
    for n in 0..40 {
        browser.call("create_note", &[("workspace", &id), ("text", &format!("note {n}"))]).await;
    }
    let bytes = content(FILE);
    let mut files: Vec<String> = Vec::new();
    for n in 0..FILES {
        let upload = browser.upload(&id, &format!("{n}.bin")).body(bytes.clone());
        files.push(browser.send(upload).await.json::<FileEntry>().id);
    }
    let key = program.keys.create().await;
    browser.call("activate_key", &[("arn", &key)]).await;

    // Killed again and again: each time something has been done, and nothing is lost.
    let mut kills = 0;
    loop {
        let seen: DataEncryption = browser.call("data_encryption", &[]).await.json();
        let job = seen.job.unwrap();
        if job.state == JobState::Complete {
            assert_eq!((job.files_done, job.files_total), (FILES as u64, FILES as u64));
            break;
        }
        if kills < 3 && seen.root.kind == RootKind::Customer && job.files_done > kills {
            program.kill();
            kills += 1;
            program.start_again().await;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(kills > 0, "there was too little to do to be killed in the middle of it");

    program.keys.disable(&key).await;
    until_locked(&program, true).await;
    program.kill();
    program.start_again().await;
    until_locked(&program, true).await;
    let refused = browser.get(&format!("/workspaces/{id}/files/{}", files[0])).await;
    assert_eq!(refused.status, 423);
    program.keys.enable(&key).await;
    until_locked(&program, false).await;

    for file in &files {
        let read = browser.get(&format!("/workspaces/{id}/files/{file}")).await;
        assert!(read.body == bytes, "a file has changed");
    }
    let notes: serde_json::Value = browser.call("open_workspace", &[("workspace", &id)]).await.json();
    let notes: Page<Note> = serde_json::from_value(notes["inside"]["open"]["notes"].clone()).unwrap();
    assert_eq!(notes.items.len(), 40);
    let objects = objects_below(&program.path("objects"));
    for _ in 0..1_500 {
        if objects_below(&program.path("objects")).len() == FILES {
            return;
        }
        // What a killed writer has left is found when its note expires.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("something is left in the object store: {objects:?}");
}

/// Waits until data is locked, or open.
pub async fn until_locked(program: &Program, locked: bool) {
    let browser = program.signed_in().await;
    for _ in 0..600 {
        let state: serde_json::Value = browser.get("/state").await.json();
        if state["lock"].is_null() != locked {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the lock did not become {locked}");
}

/// A transfer of any size takes the same memory: what is added is far below the size of the file.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_transfer_takes_little_memory() {
    const LARGE: usize = 512 << 20;
    let program = Program::start().await;
    let mut browser = program.signed_in().await;
    browser.call("create_workspace", &[("name", "Survey"), ("description", "")]).await;
    let listed: serde_json::Value = browser.call("list_workspaces", &[]).await.json();
    let id = listed["items"][0]["id"].as_str().unwrap().to_owned();
    let before = program.peak_memory();
    let piece = bytes::Bytes::from(content(1 << 20));
    let pieces = std::iter::repeat_n(piece.clone(), LARGE >> 20).map(Ok::<_, std::io::Error>);
    let body = reqwest::Body::wrap_stream(futures::stream::iter(pieces));
    let file: FileEntry = browser.send(browser.upload(&id, "large.bin").body(body)).await.json();
    assert_eq!(file.bytes, LARGE as u64);
    let mut answer =
        browser.request(reqwest::Method::GET, &format!("/workspaces/{id}/files/{}", file.id)).send().await.unwrap();
    let mut position = 0;
    while let Some(chunk) = answer.chunk().await.unwrap() {
        for part in chunk.chunks(4_096) {
            let at = position % piece.len();
            let length = part.len().min(piece.len() - at);
            assert!(part[..length] == piece[at..at + length], "the content has changed");
            position += part.len();
        }
    }
    assert_eq!(position, LARGE);
    let added = program.peak_memory() - before;
    assert!(added < 64 << 20, "{added} bytes were added");
}
