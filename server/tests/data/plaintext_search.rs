//! Distinctive text in every field, a full activation, and then a search for it everywhere the program has written to.

use crate::support::program::{Program, files_below};
use app::model::{
    encryption::DataEncryption,
    job::JobState,
    workspace::{FileEntry, Workspace},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use std::time::Duration;

/// Never twice the same, so that a hit says where it comes from. Long enough to show through any base64 alignment.
const NAME: &str = "Zyxomma-name-4711-Quartz";
const DESCRIPTION: &str = "Zyxomma-description-4712-Basalt";
const NOTE: &str = "Zyxomma-note-4713-Obsidian";
const FILE_NAME: &str = "Zyxomma-file-name-4714-Feldspar.txt";
const MEDIA_TYPE: &str = "application/x-zyxomma-type-4715-gneiss";
const CONTENT: &str = "Zyxomma-content-4716-Granite";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_stored_can_be_found_on_disk_or_in_the_log() {
    let mut program = Program::start().await;
    let mut browser = program.signed_in().await;
    let created = browser.call("create_workspace", &[("name", NAME), ("description", DESCRIPTION)]).await;
    assert!(created.status.is_success() || created.status.is_redirection(), "{created:?}");
    let listed = browser.call("list_workspaces", &[]).await;
    let workspace: serde_json::Value = listed.json();
    let id = workspace["items"][0]["id"].as_str().unwrap().to_owned();
    let note = browser.call("create_note", &[("workspace", &id), ("text", NOTE)]).await;
    assert!(note.status.is_success() || note.status.is_redirection(), "{note:?}");
    let body = CONTENT.repeat(3_000);
    let upload = browser.upload(&id, FILE_NAME).header("content-type", MEDIA_TYPE).body(body.clone());
    let stored: FileEntry = browser.send(upload).await.json();
    // Requests that fail must not put what they carried into the log either.
    browser.call("create_workspace", &[("name", ""), ("description", DESCRIPTION)]).await;
    browser.call("create_note", &[("workspace", "nowhere"), ("text", NOTE)]).await;

    let key = program.keys.create().await;
    browser.call("activate_key", &[("arn", &key)]).await;
    for n in 0.. {
        let seen: DataEncryption = browser.call("data_encryption", &[]).await.json();
        if seen.job.is_some_and(|job| job.state == JobState::Complete) {
            break;
        }
        assert!(n < 500, "the job did not end");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let content = browser.get(&format!("/workspaces/{id}/files/{}", stored.id)).await;
    assert_eq!(content.text(), body, "it is there, for whoever may read it");
    let opened: Workspace = workspace_of(&browser.call("open_workspace", &[("workspace", &id)]).await);
    assert_eq!(opened.name, NAME);

    // As the program leaves it while it runs, with the write-ahead log, and after it was killed.
    search(&program);
    program.kill();
    search(&program);
}

/// The workspace in the answer, at its top or inside it.
fn workspace_of(answer: &crate::support::Answer) -> Workspace {
    let value: serde_json::Value = answer.json();
    serde_json::from_value(value.clone()).or_else(|_| serde_json::from_value(value["workspace"].clone())).unwrap()
}

fn search(program: &Program) {
    let needles: Vec<(String, Vec<u8>)> =
        [NAME, DESCRIPTION, NOTE, FILE_NAME, MEDIA_TYPE, CONTENT].into_iter().flat_map(disguises).collect();
    let files = files_below(program.folder());
    for expected in ["test.db", "test.db-wal", "log"] {
        assert!(files.iter().any(|file| file.ends_with(expected)), "{expected} is not there to be searched: {files:?}");
    }
    assert!(files.iter().any(|file| file.starts_with(program.path("objects"))));
    for file in files {
        let bytes = std::fs::read(&file).unwrap().to_ascii_lowercase();
        for (what, needle) in &needles {
            let hit = bytes.windows(needle.len()).any(|window| window == needle);
            assert!(!hit, "{what} in {}", file.display());
        }
    }
}

/// The text as it is, in hexadecimal, and the middle of it in base64 at each of the three alignments; all in lower case, as
/// the files are searched.
fn disguises(text: &str) -> Vec<(String, Vec<u8>)> {
    let mut found = vec![
        (format!("{text} as it is"), text.to_ascii_lowercase().into_bytes()),
        (format!("{text} in hexadecimal"), hex::encode(text).into_bytes()),
    ];
    for skip in 0..3 {
        let middle = &text.as_bytes()[skip..];
        let whole = &middle[..middle.len() / 3 * 3];
        let encoded = BASE64_STANDARD.encode(whole).to_ascii_lowercase();
        found.push((format!("{text} in base64"), encoded.into_bytes()));
    }
    found
}
