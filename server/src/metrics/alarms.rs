//! The alarms: events in the log that an operator should hear of, in one list.
//!
//! What must stay true: a name that is listed here stays, because monitoring is built on it; and each is really logged somewhere
//! at the level of a warning or an error, which is where it is counted. Nobody has to remember to count.

use std::sync::atomic::{AtomicU64, Ordering};

/// An event that an operator should hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Its name in the log, and as a label of the counter.
    pub event: &'static str,
    /// What has happened.
    pub means: &'static str,
    /// What to do about it.
    pub act: &'static str,
}

/// Every alarm there is. README shows the same list.
pub const ALARMS: &[Alarm] = &[
    Alarm {
        event: "locked",
        means: "All data is locked on a server; the field `cause` says why.",
        act: "See Data Encryption. A refused customer key is its owner's decision; anything else is the operator's to mend.",
    },
    Alarm {
        event: "workspace_locked",
        means: "AWS refuses the data key of one workspace, which is locked alone.",
        act: "Its owner allows the workspace in the key policy again, or an administrator deletes the workspace.",
    },
    Alarm {
        event: "own_credentials_refused",
        means: "AWS does not accept the server's own credentials. Access ends when the grace has run out.",
        act: "Renew the server's role or keys; compare its clock with the time.",
    },
    Alarm {
        event: "kms_answer_unlisted",
        means: "KMS gave an answer that this version does not know. It counts as no answer.",
        act: "Look the field `code` up in the AWS documentation; update the program.",
    },
    Alarm {
        event: "root_account_not_allowed",
        means: "The root key belongs to an account that `KEYSTEAD_CUSTOMER_ACCOUNTS` does not name. Access ends when the grace has run out.",
        act: "Name the account again, or find out who changed the row `encryption`.",
    },
    Alarm {
        event: "data_key_tampered",
        means: "The organization's stored data key does not open to what it was.",
        act: "Restore the table `data_keys` from a backup of the same generation.",
    },
    Alarm {
        event: "data_key_expired",
        means: "KMS gave no answer for a workspace's data key for 10 minutes, so what was open there has ended.",
        act: "Look at the network and at the state of AWS.",
    },
    Alarm {
        event: "key_check_without_database",
        means: "A key check could not read what to unwrap. Access ends when the grace has run out.",
        act: "Bring the database back.",
    },
    Alarm {
        event: "key_pending_deletion",
        means: "AWS will delete the root key; the field `deletion_at` says when. Nothing under it can be read afterwards.",
        act: "Its owner cancels the deletion, or an administrator presses Delete Key before.",
    },
    Alarm {
        event: "key_material_expires",
        means: "The root key's imported material expires; the field `valid_to` says when.",
        act: "Its owner imports the material again before.",
    },
    Alarm {
        event: "clock_jumped",
        means: "The wall clock ran ahead of the machine's own: it was frozen or its clock was set. The data is locked until two checks pass.",
        act: "Nothing, if the machine was suspended; otherwise look after its time service.",
    },
    Alarm {
        event: "data_damaged",
        means: "A stored record or object does not open.",
        act: "Find out who wrote to the database or the object store; restore the item from a backup.",
    },
    Alarm {
        event: "item_set_aside",
        means: "A change of key has met an item that does not open, and left it as it is. Its data key is kept.",
        act: "As for `data_damaged`; the table `set_aside` names the item.",
    },
    Alarm {
        event: "database_inconsistent",
        means: "The database holds what it must not.",
        act: "Find out who wrote to it; restore it from a backup.",
    },
    Alarm {
        event: "job_failed",
        means: "A change of key failed. The old state is intact.",
        act: "Data Encryption says why, and what to do.",
    },
    Alarm {
        event: "locked_data_destroyed",
        means: "The operator destroyed all data that was locked under a key that is gone.",
        act: "Nothing, if it was you.",
    },
    Alarm {
        event: "lock_not_noted",
        means: "A lock or its end is missing from the history.",
        act: "Bring the database back; the log has the lock.",
    },
    Alarm {
        event: "heartbeat_missed",
        means: "A server could not write its row, so the others take it for gone.",
        act: "Bring the database back.",
    },
    Alarm {
        event: "database_failed",
        means: "A request could not be served because of the database.",
        act: "Look at the database; the field `error` says what it answered.",
    },
    Alarm {
        event: "object_store_failed",
        means: "A request could not be served because of the object store.",
        act: "Look at the object store; the field `error` says what it answered.",
    },
    Alarm {
        event: "database_file_not_cleaned",
        means: "After a change of key, old ciphertext in unused space of the SQLite file, or in its write-ahead log, could not be overwritten. Its data keys are destroyed.",
        act: "The field `why` says what was in the way. It is tried again until it is done; the job's report then says when. A file with `auto_vacuum`, or of 128 GiB, is not overwritten.",
    },
    Alarm {
        event: "collector_waits",
        means: "Objects that nothing names any more could not be removed. A change of key does not end before they are.",
        act: "Look at the object store; allow the server to delete.",
    },
    Alarm {
        event: "objects_of_another_database",
        means: "The object store is marked by another deployment, or by a later state of this database, or has no mark and does not hold what this database names, or holds what it does not name. Nothing is removed, and a change of key that waits for that does not end.",
        act: "Look whether `DATABASE_URL` and `KEYSTEAD_OBJECTS` name what belongs together, and whether the folder is mounted. Only if no other database uses this store, and this one was restored over it, remove the object `keystead-sweeps`: a store without it is marked anew if it holds mostly what the database names, and for a day is not swept.",
    },
    Alarm {
        event: "entropy_failed",
        means: "The system gave no random bytes, so nothing could be sealed.",
        act: "Look at the machine.",
    },
    Alarm {
        event: "password_hash_unreadable",
        means: "A stored password hash is not one: its user cannot sign in.",
        act: "Find out who wrote to the table `users`; remove the user and add them again.",
    },
    Alarm {
        event: "mail_not_sent",
        means: "An invitation could not be sent by e-mail. Whoever made it has its link.",
        act: "Look at the server for e-mail; the field `error` says what it answered.",
    },
    Alarm {
        event: "identity_provider_failed",
        means: "The identity provider did not answer, or not as it should, so nobody comes in by single sign-on. Passwords work.",
        act: "Look at the identity provider, the network, and the `KEYSTEAD_OIDC_` variables; the field `error` says what was wrong.",
    },
    Alarm {
        event: "identity_not_verified",
        means: "An answer in the identity provider's name does not stand the checks. Nobody was let in by it.",
        act: "The field `error` says which: compare `KEYSTEAD_OIDC_CLIENT_ID` and the clocks. If both are right, somebody tries to forge an identity.",
    },
    Alarm {
        event: "last_administrator_kept",
        means: "By the identity provider's roles no administrator would be left, so the last one stays one.",
        act: "Give somebody the role of `KEYSTEAD_OIDC_ADMINISTRATOR_ROLE` at the identity provider.",
    },
    Alarm {
        event: "audit_head_unsigned",
        means: "For ten minutes the head of the audit log could not be signed. Entries are written all the same.",
        act: "The field `error` says why: look at the provider key, the server's credentials, and the database.",
    },
    Alarm {
        event: "audit_log_altered",
        means: "Somebody changed the audit log in the database: it does not go on from what this server knew. Its head is not signed any more.",
        act: "Keep a copy of the database. Run `keystead audit verify`, with `--head` and the log of a server; the field `error` names the entry.",
    },
    Alarm {
        event: "audit_not_written",
        means: "An entry of the audit log is written later than it should be. Nothing grave happens without its entry.",
        act: "Bring the database back.",
    },
    Alarm {
        event: "task_failed",
        means: "A task in the background broke off and was begun anew; the field `task` says which.",
        act: "Report it with the log.",
    },
    Alarm {
        event: "job_thread_failed",
        means: "A batch of a change of key broke off. The job repeats it.",
        act: "Report it with the log.",
    },
    Alarm {
        event: "panic",
        means: "A part of the program came upon a mistake of ours. A request failed; the server goes on.",
        act: "Report it with the fields `place` and `said`.",
    },
];

/// How often each was logged. The log is that of the process, and so are these.
static COUNTS: [AtomicU64; ALARMS.len()] = [const { AtomicU64::new(0) }; ALARMS.len()];

/// Counts an event that was logged, if it is an alarm.
pub fn note(event: &str) {
    if let Some(place) = ALARMS.iter().position(|alarm| alarm.event == event) {
        COUNTS[place].fetch_add(1, Ordering::Relaxed);
    }
}

/// Every alarm with how often it was logged.
pub fn counts() -> impl Iterator<Item = (&'static str, u64)> {
    ALARMS.iter().zip(&COUNTS).map(|(alarm, count)| (alarm.event, count.load(Ordering::Relaxed)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        collections::BTreeSet,
        fs,
        path::{Path, PathBuf},
    };

    /// Warnings that are no alarms: what they tell of is counted otherwise, mends itself, or was somebody else's doing.
    const NO_ALARMS: &[&str] = &[
        // Key checks and calls to KMS have figures of their own.
        "key_suspect",
        "key_refused",
        "kms_unreachable",
        "kms_failed",
        "data_key_not_renewed",
        // A job that waits shows as paused.
        "job_waits",
        "job_lost",
        "job_database",
        "job_object_store",
        "job_not_claimed",
        "job_not_failed",
        "job_not_read",
        "job_not_released",
        // What an upload leaves behind is the collector's.
        "note_not_given_up",
        "note_not_renewed",
        "upload_not_aborted",
        // Refused, as it should be.
        "cross_site",
        // Monitoring notices by itself.
        "metrics_not_served",
        // Seen once, by whoever starts or stops the program.
        "core_dumps",
        "principal_unknown",
        "requests_cut",
        "worker_cut",
        "site_missing",
    ];

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs")
                && !path.ends_with(Path::new(file!()).file_name().unwrap())
            {
                found.push(path);
            }
        }
    }

    /// The events that the program logs at the level of a warning or an error.
    fn logged() -> BTreeSet<String> {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
        let mut events = BTreeSet::new();
        for text in files.iter().map(|file| fs::read_to_string(file).unwrap()) {
            for (at, name) in text.match_indices("event = \"") {
                let event = text[at + name.len()..].split('"').next().unwrap();
                let level = text[..at].rsplit("tracing::").next().unwrap().split('!').next().unwrap();
                if matches!(level, "warn" | "error") {
                    events.insert(event.to_owned());
                }
            }
        }
        events
    }

    #[test]
    fn every_alarm_is_logged_and_every_warning_is_an_alarm_or_known_not_to_be() {
        let alarms: BTreeSet<String> = ALARMS.iter().map(|alarm| alarm.event.to_owned()).collect();
        assert_eq!(alarms.len(), ALARMS.len(), "a name is listed twice");
        let no_alarms = NO_ALARMS.iter().map(|event| (*event).to_owned()).collect();
        assert_eq!(alarms.intersection(&no_alarms).count(), 0);
        assert_eq!(logged(), alarms.union(&no_alarms).cloned().collect());
    }

    #[test]
    fn the_readme_documents_every_alarm() {
        let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
        for Alarm { event, means, act } in ALARMS {
            let row = format!("| `{event}` | {means} | {act} |");
            assert!(readme.contains(&row), "README has no such row: {row}");
        }
    }
}
