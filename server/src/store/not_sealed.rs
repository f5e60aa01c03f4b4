//! What is stored and not sealed, in one list with the reasons: what people are told of it, and what a test compares with the
//! schema of both databases. A table or column that is in neither this list nor `sealed_tables` fails that test.
//!
//! What must stay true: nothing that people put into a workspace is here, and a reason is one that an auditor can check.

/// A kind of data that is stored as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotSealed {
    /// What people call it.
    pub label: &'static str,
    /// Why it is not sealed.
    pub reason: &'static str,
    pub what: Plain,
}

/// Where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    /// Whole tables.
    Tables(&'static [&'static str]),
    /// Columns of the tables that hold sealed data too, whichever of them a table has.
    Columns(&'static [&'static str]),
}

/// Everything in the database that is not sealed.
pub const NOT_SEALED: &[NotSealed] = &[
    NotSealed {
        label: "Accounts and roles",
        reason: "You must be able to sign in while data is locked. Of a password only a hash is stored. The secret of a second factor is stored as it is: whoever reads the database can make its codes, but still needs the password.",
        what: Plain::Tables(&["users"]),
    },
    NotSealed {
        label: "Invitations and recovery codes",
        reason: "People must be able to join and to sign in while data is locked. Of links and codes only hashes are stored.",
        what: Plain::Tables(&["invitations", "recovery_codes"]),
    },
    NotSealed {
        label: "Attempts to sign in",
        reason: "All servers slow down together whoever guesses passwords. They hold network addresses and times, and accounts as hashes.",
        what: Plain::Tables(&["sign_in_attempts"]),
    },
    NotSealed {
        label: "Sessions",
        reason: "They keep you signed in while data is locked. Of a session's id only a hash is stored.",
        what: Plain::Tables(&["sessions"]),
    },
    NotSealed {
        label: "Members of workspaces",
        reason: "They decide who is let in, also while data is locked. They name accounts and workspaces by id.",
        what: Plain::Tables(&["workspace_members"]),
    },
    NotSealed {
        label: "Name of the organization",
        reason: "It is shown before anybody has signed in, and while data is locked.",
        what: Plain::Tables(&["organization"]),
    },
    NotSealed {
        label: "Settings of encryption",
        reason: "They say which key to ask. They hold no secret.",
        what: Plain::Tables(&["encryption"]),
    },
    NotSealed {
        label: "Data keys",
        reason: "Each is encrypted by the key in control itself, and opens nothing without it.",
        what: Plain::Tables(&["data_keys"]),
    },
    NotSealed {
        label: "Changes of key",
        reason: "A change goes on after a crash, and you see how far it is. They hold ids, times and amounts.",
        what: Plain::Tables(&["jobs", "job_items", "job_marks", "job_keys", "set_aside"]),
    },
    NotSealed {
        label: "Tests of keys",
        reason: "They say whether each server can use a key. They hold its ARN and AWS's answers.",
        what: Plain::Tables(&["key_tests", "key_test_answers"]),
    },
    NotSealed {
        label: "Access history",
        reason: "You must see why data is locked while it is. It holds AWS's answers and times.",
        what: Plain::Tables(&["lock_events", "resets"]),
    },
    NotSealed {
        label: "Audit log",
        reason: "You must see what was done while data is locked. It names people and keys, never what they wrote.",
        what: Plain::Tables(&["audit_entries", "audit_head", "audit_heads", "audit_open"]),
    },
    NotSealed {
        label: "Running servers",
        reason: "Servers watch each other to end access together. They hold names and times.",
        what: Plain::Tables(&["servers"]),
    },
    NotSealed {
        label: "Places in the object store",
        reason: "They say what is being written or removed, so that nothing is lost. A place is named by random ids.",
        what: Plain::Tables(&["object_notes"]),
    },
    NotSealed {
        label: "Upkeep",
        reason: "Backups under way, the clean-up of old files, and the version of the database's form.",
        what: Plain::Tables(&["backups", "object_sweeps", "seaql_migrations"]),
    },
    NotSealed {
        label: "Ids of workspaces, notes and files",
        reason: "They are random. They say what belongs to what, and under which data key it is.",
        what: Plain::Columns(&["id", "scope", "data_key_id", "object_row", "object_id", "place"]),
    },
    NotSealed {
        label: "Times and revisions",
        reason: "Lists are in order of time, and a revision keeps two people from overwriting each other.",
        what: Plain::Columns(&["created_at", "updated_at", "rev"]),
    },
    NotSealed {
        label: "Who wrote or uploaded it",
        reason: "It names an account by its id, also after the account has changed.",
        what: Plain::Columns(&["created_by", "author_id", "uploaded_by"]),
    },
    NotSealed {
        label: "Sizes of files",
        reason: "A part of a file can be sent only if its size is known. Encryption does not hide a size either.",
        what: Plain::Columns(&["size"]),
    },
];

/// The tables that are not sealed at all.
pub fn tables() -> impl Iterator<Item = &'static str> {
    NOT_SEALED.iter().flat_map(|kind| match kind.what {
        Plain::Tables(tables) => tables.iter().copied(),
        Plain::Columns(_) => [].iter().copied(),
    })
}

/// The columns that are not sealed though their table holds sealed data.
pub fn columns() -> impl Iterator<Item = &'static str> {
    NOT_SEALED.iter().flat_map(|kind| match kind.what {
        Plain::Columns(columns) => columns.iter().copied(),
        Plain::Tables(_) => [].iter().copied(),
    })
}
