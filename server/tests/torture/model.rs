//! What must be stored, as far as answers have told. Whoever sends a change says so first, and what it led to afterwards; a
//! change whose answer was lost leaves both possible, the state before it and the one after, and nothing between.
//!
//! What must stay true: each item belongs to one client, which sends one change of it at a time.

use super::seed::Dice;
use std::collections::{BTreeMap, BTreeSet};

/// A state of an item: its version, or that it is not there.
pub type State = Option<u32>;

/// A workspace, a note or a file.
#[derive(Clone, Debug)]
pub struct Item {
    /// As the server calls it, once that is known.
    pub id: Option<String>,
    pub rev: i64,
    /// Every state that no answer has ruled out.
    pub possible: BTreeSet<State>,
    /// Of a file: how long it is.
    pub size: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Workspace,
    Note,
    File,
}

#[derive(Clone, Debug)]
pub struct Workspace {
    pub item: Item,
    pub notes: BTreeMap<u64, Item>,
    pub files: BTreeMap<u64, Item>,
}

/// Where an item is in the model. A workspace is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub kind: Kind,
    pub workspace: u64,
    pub token: u64,
}

#[derive(Default)]
pub struct Model {
    pub workspaces: BTreeMap<u64, Workspace>,
    last: u64,
}

impl Item {
    fn new(size: usize) -> Self {
        Self { id: None, rev: 0, possible: BTreeSet::from([None]), size }
    }

    /// The one version it can be in, if it is certainly there.
    pub fn version(&self) -> Option<u32> {
        let mut states = self.possible.iter();
        match (states.next(), states.next()) {
            (Some(state), None) => *state,
            _ => None,
        }
    }

    fn is_usable(&self) -> bool {
        self.version().is_some() && self.id.is_some()
    }
}

impl Model {
    /// A new item that is not stored yet.
    pub fn invent(&mut self, kind: Kind, workspace: u64, size: usize) -> Key {
        self.last += 1;
        let (token, item) = (self.last, Item::new(size));
        match kind {
            Kind::Workspace => {
                let inside = Workspace { item, notes: BTreeMap::new(), files: BTreeMap::new() };
                self.workspaces.insert(token, inside);
                return Key { kind, workspace: token, token };
            }
            Kind::Note => self.workspaces.get_mut(&workspace).map(|inside| inside.notes.insert(token, item)),
            Kind::File => self.workspaces.get_mut(&workspace).map(|inside| inside.files.insert(token, item)),
        };
        Key { kind, workspace, token }
    }

    pub fn item(&mut self, key: Key) -> Option<&mut Item> {
        let inside = self.workspaces.get_mut(&key.workspace)?;
        match key.kind {
            Kind::Workspace => Some(&mut inside.item),
            Kind::Note => inside.notes.get_mut(&key.token),
            Kind::File => inside.files.get_mut(&key.token),
        }
    }

    /// A change is about to be sent.
    pub fn begins(&mut self, key: Key, state: State) {
        if let Some(item) = self.item(key) {
            item.possible.insert(state);
        }
    }

    /// It was acknowledged.
    pub fn happened(&mut self, key: Key, state: State) {
        if let Some(item) = self.item(key) {
            item.possible = BTreeSet::from([state]);
        }
        if state.is_none() {
            self.remove(key);
        }
    }

    /// It was refused: nothing has changed.
    pub fn refused(&mut self, key: Key, state: State) {
        let Some(item) = self.item(key) else { return };
        item.possible.remove(&state);
        if item.possible == BTreeSet::from([None]) {
            self.remove(key);
        }
    }

    /// It is certainly not there: whoever finds it again has found something wrong.
    pub fn remove(&mut self, key: Key) {
        if key.kind == Kind::Workspace {
            self.workspaces.remove(&key.workspace);
        } else if let Some(inside) = self.workspaces.get_mut(&key.workspace) {
            if key.kind == Kind::Note {
                inside.notes.remove(&key.token)
            } else {
                inside.files.remove(&key.token)
            };
        }
    }

    /// What can be acted upon of the items of one kind in a workspace: what is certainly there, the oldest first.
    pub fn usable(&self, kind: Kind, workspace: u64) -> Vec<Key> {
        let Some(inside) = self.workspaces.get(&workspace) else { return Vec::new() };
        let items = if kind == Kind::Note { &inside.notes } else { &inside.files };
        let usable = items.iter().filter(|(_, item)| item.is_usable());
        usable.map(|(token, _)| Key { kind, workspace, token: *token }).collect()
    }

    /// The same of workspaces, beginning with that of `first`.
    pub fn usable_workspaces(&self, first: u64) -> Vec<Key> {
        let usable = self.workspaces.range(first..).filter(|(_, inside)| inside.item.is_usable());
        usable.map(|(token, _)| Key { kind: Kind::Workspace, workspace: *token, token: *token }).collect()
    }
}

/// What a note says.
pub fn note_text(token: u64, version: u32) -> String {
    let dice = &mut Dice::of(token, &version.to_string());
    let words = dice.below(200);
    let filler: Vec<_> = (0..words).map(|_| format!("{:x}", dice.next())).collect();
    format!("note {token} version {version} {}.", filler.join(" "))
}

pub fn file_name(token: u64, version: u32) -> String {
    format!("file {token} version {version} .bin")
}

pub fn file_content(token: u64, size: usize) -> Vec<u8> {
    Dice::of(token, "content").bytes(size)
}

pub fn workspace_name(token: u64, version: u32) -> String {
    format!("workspace {token} version {version} .")
}

pub fn workspace_description(token: u64, version: u32) -> String {
    format!("What workspace {token} is for, version {version}")
}

/// The token and the version that a text or a name says it is of.
pub fn parse(text: &str) -> Option<(u64, u32)> {
    let mut words = text.split(' ');
    let (_, token, _, version) = (words.next()?, words.next()?, words.next()?, words.next()?);
    Some((token.parse().ok()?, version.parse().ok()?))
}
