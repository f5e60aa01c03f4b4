//! Workspaces and what is inside them, opened for the person who asked.

use serde::{Deserialize, Serialize};

/// Limits that both sides check. Lengths are in characters (Unicode scalar values) unless they say bytes.
pub mod limits {
    pub const NAME_CHARS: usize = 120;
    pub const DESCRIPTION_CHARS: usize = 2_000;
    pub const NOTE_BYTES: usize = 256 * 1024;
    pub const FILE_NAME_BYTES: usize = 255;
}

/// What somebody may do in a workspace. Each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkspaceRole {
    /// May read, and download files.
    Reader,
    /// May also write notes and files, and describe the workspace.
    Editor,
    /// May also rename and delete the workspace, and decide who its members are.
    Owner,
}

impl WorkspaceRole {
    pub const ALL: [Self; 3] = [Self::Reader, Self::Editor, Self::Owner];

    /// The word in forms and in the audit log.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }

    /// What [`Self::word`] gave.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }

    /// The word people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Reader => "Reader",
            Self::Editor => "Editor",
            Self::Owner => "Owner",
        }
    }

    /// What the role allows, beside its label.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Reader => "reads notes and downloads files",
            Self::Editor => "also writes notes and files, and describes the workspace",
            Self::Owner => "also renames and deletes the workspace, and decides who its members are",
        }
    }
}

/// One page of a list. `next` is given back, unchanged, to get the page after this one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

/// A workspace in the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceSummary {
    pub id: String,
    pub name: String,
    /// What the person who asked is there.
    pub role: WorkspaceRole,
    /// The stored name does not open; it is empty here.
    pub damaged: bool,
    /// What is inside is locked alone.
    pub locked: bool,
    pub notes: u64,
    pub files: u64,
    /// Bytes of file content before encryption.
    pub stored_bytes: u64,
    /// Unix milliseconds.
    pub updated_at: i64,
}

/// A workspace, opened. `rev` goes back with a change, so that nobody overwrites a change they have not seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workspace {
    pub id: String,
    pub rev: i64,
    /// What the person who asked is here.
    pub role: WorkspaceRole,
    pub name: String,
    pub description: String,
    pub created_at: i64,
    pub updated_at: i64,
}

/// A note. `html` is made by the server from `text` (Markdown) and is safe to show as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    pub id: String,
    pub rev: i64,
    /// The stored text does not open; it is empty here.
    pub damaged: bool,
    pub text: String,
    pub html: String,
    pub author: String,
    pub created_at: i64,
    pub updated_at: i64,
}

/// A file in a workspace; its content is at `/workspaces/{workspace}/files/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileEntry {
    pub id: String,
    pub name: String,
    /// The stored name or type does not open; both are empty here.
    pub damaged: bool,
    /// The media type the uploader named; shown, never trusted.
    pub media_type: String,
    pub bytes: u64,
    pub uploaded_by: String,
    pub created_at: i64,
}

/// What became of a save. A conflict is an answer, not an error: the page shows both texts and loses neither.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Saved<T> {
    /// The change was stored; this is how the thing looks now.
    Stored(T),
    /// Somebody else saved first; this is how it looks now. Nothing was stored.
    Conflict(T),
}
