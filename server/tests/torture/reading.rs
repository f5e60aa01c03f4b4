//! Reads everything back as people do, and compares it with the model. What was possible becomes certain: from then on it must
//! stay as it was found.

use super::{
    Checked, Tally,
    calls::{Answer, Caller},
    model::{Item, State, Workspace, file_content, file_name, note_text, parse, workspace_description, workspace_name},
};
use app::model::workspace::{FileEntry, Note, Page, Workspace as ShownWorkspace, WorkspaceSummary};
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use serde::de::DeserializeOwned;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Downloads at once.
const AT_ONCE: usize = 4;
const DOWNLOAD: Duration = Duration::from_mins(1);

/// What was found of one workspace.
struct Found {
    id: String,
    shown: ShownWorkspace,
    notes: Vec<Note>,
    files: Vec<FileEntry>,
}

/// Reads and compares all.
pub async fn everything(caller: &Caller, tally: &mut Tally) -> Checked {
    let mut found = BTreeMap::new();
    for id in workspaces(caller).await? {
        let workspace = read(caller, id).await?;
        let (token, version) = parse(&workspace.shown.name)
            .filter(|(token, version)| workspace_name(*token, *version) == workspace.shown.name)
            .ok_or_else(|| format!("a workspace with a name that nobody gave it: {}", workspace.shown.name))?;
        same(&workspace.shown.description, &workspace_description(token, version), "the description of a workspace")?;
        if found.insert(token, (version, workspace)).is_some() {
            return Err(format!("two workspaces are called {token}"));
        }
    }
    let mut model = std::mem::take(&mut caller.model().workspaces);
    for (token, inside) in &mut model {
        let there = found.remove(token);
        settle(&mut inside.item, there.as_ref().map(|(version, _)| *version), || format!("workspace {token}"))?;
        if let Some((_, there)) = there {
            inside.item.id = Some(there.id.clone());
            inside.item.rev = there.shown.rev;
            compare(caller, inside, there, tally).await?;
            tally.add("workspaces read back", 1);
        }
    }
    if let Some(token) = found.keys().next() {
        return Err(format!("workspace {token} is there again, or was never created"));
    }
    model.retain(|_, inside| inside.item.version().is_some());
    caller.model().workspaces = model;
    Ok(())
}

async fn workspaces(caller: &Caller) -> Checked<Vec<String>> {
    let (mut ids, mut after) = (Vec::new(), None::<String>);
    loop {
        let fields: Vec<_> = after.iter().map(|after| ("after", after.as_str())).collect();
        let page: Page<WorkspaceSummary> = typed(get(caller, "list_workspaces", &fields).await?)?;
        if let Some(damaged) = page.items.iter().find(|item| item.damaged || item.locked) {
            return Err(format!("a workspace does not open: {damaged:?}"));
        }
        ids.extend(page.items.into_iter().map(|item| item.id));
        after = page.next;
        if after.is_none() {
            return Ok(ids);
        }
    }
}

async fn read(caller: &Caller, id: String) -> Checked<Found> {
    let (mut notes, mut files): (Vec<Note>, Vec<FileEntry>) = (Vec::new(), Vec::new());
    let (mut more_notes, mut more_files) = (None::<String>, None::<String>);
    let (mut notes_ended, mut files_ended) = (false, false);
    loop {
        let mut fields = vec![("workspace", id.as_str())];
        fields.extend(more_notes.as_deref().map(|after| ("notes_after", after)));
        fields.extend(more_files.as_deref().map(|after| ("files_after", after)));
        let mut opened = get(caller, "open_workspace", &fields).await?;
        let shown: ShownWorkspace = typed(opened["workspace"].take())?;
        let inside = &mut opened["inside"]["open"];
        let note_page: Page<Note> = typed(inside["notes"].take())?;
        let file_page: Page<FileEntry> = typed(inside["files"].take())?;
        // One list may have ended while the other goes on: then its first page comes again.
        if !notes_ended {
            notes.extend(note_page.items);
        }
        if !files_ended {
            files.extend(file_page.items);
        }
        notes_ended |= note_page.next.is_none();
        files_ended |= file_page.next.is_none();
        if notes_ended && files_ended {
            return Ok(Found { id, shown, notes, files });
        }
        more_notes = if notes_ended { None } else { note_page.next };
        more_files = if files_ended { None } else { file_page.next };
    }
}

async fn compare(caller: &Caller, inside: &mut Workspace, there: Found, tally: &mut Tally) -> Checked {
    let (workspace, mut notes) = (there.id, BTreeMap::new());
    for note in there.notes {
        let (token, version) = parse(&note.text).ok_or_else(|| format!("a note that nobody wrote: {note:?}"))?;
        if note.damaged || note.text != note_text(token, version) {
            return Err(format!("note {token} is not whole: {note:?}"));
        }
        if notes.insert(token, (version, note.id, note.rev)).is_some() {
            return Err(format!("note {token} is there twice"));
        }
    }
    tally.add("notes read back", notes.len());
    let mut files = BTreeMap::new();
    for file in there.files {
        let (token, version) = parse(&file.name).ok_or_else(|| format!("a file that nobody sent: {file:?}"))?;
        if file.damaged || file.name != file_name(token, version) || file.media_type != "text/plain" {
            return Err(format!("the name of file {token} is not whole: {file:?}"));
        }
        if files.insert(token, (version, file.id, file.bytes)).is_some() {
            return Err(format!("file {token} is there twice"));
        }
    }
    tally.add("files read back", files.len());
    let mut downloads = Vec::new();
    for (token, item) in &mut inside.files {
        let there = files.remove(token);
        settle(item, there.as_ref().map(|(version, ..)| *version), || format!("file {token}"))?;
        if let Some((_, id, bytes)) = there {
            if bytes != item.size as u64 {
                return Err(format!("file {token} has {bytes} bytes instead of {}", item.size));
            }
            tally.add("bytes of files read back", item.size);
            item.id = Some(id.clone());
            let path = format!("/workspaces/{workspace}/files/{id}");
            downloads.push(download(caller, path, *token, item.size));
        }
    }
    for (token, item) in &mut inside.notes {
        let there = notes.remove(token);
        settle(item, there.as_ref().map(|(version, ..)| *version), || format!("note {token}"))?;
        if let Some((_, id, rev)) = there {
            (item.id, item.rev) = (Some(id), rev);
        }
    }
    if let Some(token) = notes.keys().chain(files.keys()).next() {
        return Err(format!("note or file {token} is there again, or was never completed"));
    }
    inside.notes.retain(|_, item| item.version().is_some());
    inside.files.retain(|_, item| item.version().is_some());
    stream::iter(downloads).buffer_unordered(AT_ONCE).try_collect::<()>().await
}

/// What was found becomes the only thing that is possible, if it was possible.
fn settle(item: &mut Item, found: State, what: impl Fn() -> String) -> Checked {
    if !item.possible.contains(&found) {
        let said = |state: &State| state.map_or("absent".to_owned(), |version| format!("version {version}"));
        let possible: Vec<_> = item.possible.iter().map(said).collect();
        return Err(format!("{} is {}, and must be {}", what(), said(&found), possible.join(" or ")));
    }
    item.possible = BTreeSet::from([found]);
    Ok(())
}

async fn download(caller: &Caller, path: String, token: u64, size: usize) -> Checked {
    let answer = caller.browser.request(Method::GET, &path).timeout(DOWNLOAD).send().await;
    let answer =
        answer.and_then(reqwest::Response::error_for_status).map_err(|error| format!("file {token}: {error}"))?;
    let content = answer.bytes().await.map_err(|error| format!("file {token} is not whole: {error}"))?;
    // Not with `assert_eq`: nobody wants to read megabytes.
    if content == file_content(token, size) { Ok(()) } else { Err(format!("the content of file {token} has changed")) }
}

async fn get(caller: &Caller, function: &str, fields: &[(&str, &str)]) -> Checked<serde_json::Value> {
    match caller.call(function, fields).await {
        Answer::Done(body, _) => Ok(body),
        Answer::Refused | Answer::Lost => Err(caller.wrong().unwrap_or(format!("{function} is not answered"))),
    }
}

fn typed<T: DeserializeOwned>(value: serde_json::Value) -> Checked<T> {
    serde_json::from_value(value).map_err(|error| format!("an answer that nobody understands: {error}"))
}

fn same(found: &str, expected: &str, what: &str) -> Checked {
    if found == expected { Ok(()) } else { Err(format!("{what} is {found:?} instead of {expected:?}")) }
}
