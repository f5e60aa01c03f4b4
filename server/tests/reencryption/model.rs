//! What must be readable, kept beside the real thing: every change is made in both, and both are compared.

use crate::{
    seed::Dice,
    steps::{download, upload},
    support::TestApp,
};
use app::{
    model::{
        error::ApiError,
        workspace::{Page, Saved},
    },
    ports::{Principal, WorkspacesPort},
};
use std::{collections::BTreeMap, fmt::Debug};

/// Workspaces by id.
#[derive(Clone, Default)]
pub struct Model(BTreeMap<String, Inside>);

#[derive(Clone, Default)]
struct Inside {
    rev: i64,
    name: String,
    notes: BTreeMap<String, (i64, String)>,
    files: BTreeMap<String, File>,
}

#[derive(Clone)]
struct File {
    name: String,
    content: u64,
    size: usize,
}

/// A change that people make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    CreateWorkspace,
    RenameWorkspace,
    DeleteWorkspace,
    CreateNote,
    EditNote,
    DeleteNote,
    Upload,
    RenameFile,
    DeleteFile,
}

/// Every change, the frequent ones more than once.
pub const CHANGES: [Change; 14] = [
    Change::CreateWorkspace,
    Change::CreateWorkspace,
    Change::RenameWorkspace,
    Change::DeleteWorkspace,
    Change::CreateNote,
    Change::CreateNote,
    Change::EditNote,
    Change::EditNote,
    Change::DeleteNote,
    Change::Upload,
    Change::Upload,
    Change::RenameFile,
    Change::RenameFile,
    Change::DeleteFile,
];

/// The largest file: two parts.
const LARGEST: u64 = 9_000_000;

/// What came of a change that the lock may have forbidden.
fn done<T>(answer: Result<T, ApiError>, locked: bool) -> Option<T> {
    match answer {
        Ok(answer) => {
            assert!(!locked, "it went through although everything is locked");
            Some(answer)
        }
        Err(ApiError::Locked(_)) if locked => None,
        Err(error) => panic!("{error:?}"),
    }
}

fn stored<T>(saved: Saved<T>) -> T {
    match saved {
        Saved::Stored(stored) => stored,
        Saved::Conflict(_) => panic!("nobody else has changed it"),
    }
}

fn pick<'a, T>(dice: &mut Dice, of: &'a BTreeMap<String, T>) -> Option<&'a String> {
    if of.is_empty() {
        return None;
    }
    of.keys().nth(usize::try_from(dice.below(of.len() as u64)).unwrap())
}

impl Model {
    /// Puts in so much that a job has something to do for a while.
    pub async fn fill(&mut self, app: &TestApp, who: &Principal, dice: &mut Dice) {
        let workspace = self.create_workspace(app, who, "Ballast", false).await.unwrap();
        for n in 0..150 {
            self.create_note(app, who, &workspace, &format!("note {n}"), false).await;
        }
        for size in [8_000_000, 9_000_000] {
            self.upload(app, who, &workspace, dice.next(), size).await;
        }
    }

    pub fn workspaces(&self) -> usize {
        self.0.len()
    }

    pub fn files(&self) -> usize {
        self.0.values().map(|inside| inside.files.len()).sum()
    }

    /// Makes a change in both. While everything is locked only deletions go through. What there is nothing for is left out.
    pub async fn change(&mut self, change: Change, app: &TestApp, who: &Principal, dice: &mut Dice, locked: bool) {
        let text = format!("{change:?} {:x}", dice.next());
        if change == Change::CreateWorkspace {
            self.create_workspace(app, who, &text, locked).await;
            return;
        }
        let Some(id) = pick(dice, &self.0).cloned() else { return };
        let port = &app.services.workspaces;
        let inside = self.0.get_mut(&id).unwrap();
        match change {
            Change::CreateWorkspace => {}
            Change::RenameWorkspace => {
                let renamed = port.update(who, &id, inside.rev, Some(&text), "what for").await;
                if let Some(saved) = done(renamed, locked) {
                    (inside.rev, inside.name) = (stored(saved).rev, text);
                }
            }
            Change::DeleteWorkspace => {
                port.delete(who, &id).await.unwrap();
                self.0.remove(&id);
            }
            Change::CreateNote => self.create_note(app, who, &id, &text, locked).await,
            Change::EditNote => {
                let Some(note) = pick(dice, &inside.notes).cloned() else { return };
                let rev = inside.notes[&note].0;
                if let Some(saved) = done(port.update_note(who, &id, &note, rev, &text).await, locked) {
                    inside.notes.insert(note, (stored(saved).rev, text));
                }
            }
            Change::DeleteNote => {
                let Some(note) = pick(dice, &inside.notes).cloned() else { return };
                port.delete_note(who, &id, &note).await.unwrap();
                inside.notes.remove(&note);
            }
            Change::Upload => {
                let size = if dice.once_in(8) { dice.below(LARGEST) } else { dice.below(40_000) };
                let content = dice.next();
                if locked {
                    let begun = app.services.files.begin_upload(who, &id, &text, "text/plain", None).await;
                    assert!(matches!(begun, Err(ApiError::Locked(_))), "an upload began although all is locked");
                } else {
                    self.upload(app, who, &id, content, usize::try_from(size).unwrap()).await;
                }
            }
            Change::RenameFile => {
                let Some(file) = pick(dice, &inside.files).cloned() else { return };
                if done(port.rename_file(who, &id, &file, &text).await, locked).is_some() {
                    inside.files.get_mut(&file).unwrap().name = text;
                }
            }
            Change::DeleteFile => {
                let Some(file) = pick(dice, &inside.files).cloned() else { return };
                port.delete_file(who, &id, &file).await.unwrap();
                inside.files.remove(&file);
            }
        }
    }

    async fn create_workspace(&mut self, app: &TestApp, who: &Principal, name: &str, locked: bool) -> Option<String> {
        let made = done(app.services.workspaces.create(who, name, "what for").await, locked)?;
        let inside = Inside { rev: made.rev, name: name.to_owned(), ..Inside::default() };
        self.0.insert(made.id.clone(), inside);
        Some(made.id)
    }

    async fn create_note(&mut self, app: &TestApp, who: &Principal, workspace: &str, text: &str, locked: bool) {
        let made = app.services.workspaces.create_note(who, workspace, text).await;
        if let Some(note) = done(made, locked) {
            self.0.get_mut(workspace).unwrap().notes.insert(note.id, (note.rev, text.to_owned()));
        }
    }

    async fn upload(&mut self, app: &TestApp, who: &Principal, workspace: &str, content: u64, size: usize) {
        let name = format!("{content:x}.bin");
        let entry = upload(app, who, workspace, &name, &Dice::new(content).bytes(size)).await;
        self.0.get_mut(workspace).unwrap().files.insert(entry.id, File { name, content, size });
    }

    /// Compares everything that can be read with what must be there; content of files only if `whole`.
    pub async fn compare(&self, app: &TestApp, who: &Principal, whole: bool) {
        let port = &app.services.workspaces;
        let listed = all(async |after| port.list(who, after.as_deref()).await).await;
        let listed: BTreeMap<_, _> = listed.into_iter().map(|entry| (entry.id, (entry.name, entry.damaged))).collect();
        let expected = self.0.iter().map(|(id, inside)| (id.clone(), (inside.name.clone(), false)));
        same("the workspaces", &listed, &expected.collect());
        for (id, inside) in &self.0 {
            assert_eq!(port.get(who, id).await.unwrap().rev, inside.rev);
            let notes = all(async |after| port.notes(who, id, after.as_deref()).await).await;
            let notes: BTreeMap<_, _> = notes.into_iter().map(|note| (note.id, (note.rev, note.text))).collect();
            same(&format!("the notes of {id}"), &notes, &inside.notes);
            let files = all(async |after| port.files(who, id, after.as_deref()).await).await;
            let files: BTreeMap<_, _> = files.into_iter().map(|file| (file.id, (file.name, file.bytes))).collect();
            let expected = inside.files.iter().map(|(id, file)| (id.clone(), (file.name.clone(), file.size as u64)));
            same(&format!("the files of {id}"), &files, &expected.collect());
            for (file, expected) in inside.files.iter().filter(|_| whole) {
                let read = download(app, who, id, file).await;
                assert!(read == Dice::new(expected.content).bytes(expected.size), "the content of {file} in {id}");
            }
        }
    }

    /// Nothing of it can be read.
    pub async fn is_locked(&self, app: &TestApp, who: &Principal) {
        let port = &app.services.workspaces;
        refused(&port.list(who, None).await);
        for (id, inside) in &self.0 {
            refused(&port.get(who, id).await);
            refused(&port.notes(who, id, None).await);
            refused(&port.files(who, id, None).await);
            for file in inside.files.keys() {
                refused(&app.services.files.open(who, id, file).await.map(drop));
            }
        }
    }
}

/// Says only what is different.
fn same<T: PartialEq + Debug>(what: &str, found: &BTreeMap<String, T>, expected: &BTreeMap<String, T>) {
    let wrong: Vec<_> = found.iter().filter(|(id, item)| expected.get(*id) != Some(item)).collect();
    let missing: Vec<_> = expected.iter().filter(|(id, item)| found.get(*id) != Some(item)).collect();
    assert!(found == expected, "{what}: there is {wrong:?}, and there should be {missing:?}");
}

fn refused<T>(answer: &Result<T, ApiError>) {
    assert!(matches!(answer, Err(ApiError::Locked(_))), "something could be read although everything is locked");
}

/// All pages of a list.
async fn all<T>(page: impl AsyncFn(Option<String>) -> Result<Page<T>, ApiError>) -> Vec<T> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = page(after).await.unwrap();
        found.extend(page.items);
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}
