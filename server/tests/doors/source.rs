//! No service asks for rows of a workspace past `services/access.rs`. This reads the program's own text: what it looks for is
//! a query that begins anywhere else than at a proof.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where such queries may begin, each with the reason.
const ALLOWED: [(&str, &str); 6] = [
    ("services/access.rs", "makes the proofs"),
    ("services/workspaces.rs", "counts what is inside the workspaces for which it has been given proofs"),
    ("services/workspace_members.rs", "changes members, with a proof in hand"),
    ("services/workspace_deletion.rs", "deletes what it has been given the proof for"),
    ("services/reset.rs", "a command of the operator destroys everything, and reads nothing"),
    ("cli/sample.rs", "counts whether there is any workspace"),
];
const TABLES: [&str; 5] = ["workspace", "workspace_member", "note", "file", "object"];
const VERBS: [&str; 3] = ["find", "update", "delete"];

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            into.push(path);
        }
    }
}

fn begins_a_query(text: &str) -> bool {
    TABLES.iter().flat_map(|table| VERBS.map(|verb| format!("{table}::Entity::{verb}"))).any(|query| {
        text.match_indices(&query).any(|(at, _)| {
            // `set_workspace::` is another word.
            !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
        })
    })
}

#[test]
fn rows_of_a_workspace_are_asked_for_through_a_proof() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    // Jobs act for nobody: they rewrite what is sealed, whoever's it is.
    for part in ["services", "http", "cli", "metrics"] {
        sources(&root.join(part), &mut files);
    }
    assert!(files.len() > 60, "only {} files were read", files.len());
    let found: Vec<String> = files
        .iter()
        .filter(|path| begins_a_query(&fs::read_to_string(path).unwrap()))
        .map(|path| path.strip_prefix(&root).unwrap().to_string_lossy().into_owned())
        .collect();
    let astray: Vec<_> = found.iter().filter(|path| ALLOWED.iter().all(|(allowed, _)| path != allowed)).collect();
    assert!(astray.is_empty(), "these ask for rows of a workspace without a proof: {astray:?}");
    for (allowed, _) in ALLOWED {
        assert!(found.iter().any(|path| path == allowed), "{allowed} needs to be allowed no more");
    }
}
