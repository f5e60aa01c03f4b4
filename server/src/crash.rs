//! Named points at which the program kills itself, when a test has asked for it: `KEYSTEAD_CRASH_AT=finish.after_commit`, or
//! `records.after_commit:3` for the third time that it gets there. `make torture` goes through all of them.
//!
//! What must stay true: a release build knows nothing of this; and the list is that of the calls in the sources.

/// Every point there is.
pub const POINTS: [&str; 50] = [
    // Who runs the job.
    "claim.before",
    "claim.after",
    "release.before",
    "release.after",
    "lost.noticed",
    "pause.before",
    "pause.after",
    "resume.before",
    "resume.after",
    "turn_round.before_commit",
    // Stage 1.
    "control.prepared",
    "control.before_swap",
    "control.after_swap",
    // Stage 2.
    "fresh_keys.made",
    "fresh_keys.before_commit",
    "fresh_keys.after_commit",
    "count.before_commit",
    "count.after_commit",
    "records.sealed",
    "records.before_commit",
    "records.after_commit",
    "object.noted",
    "object.upload_begun",
    "object.upload_noted",
    "object.part_sent",
    "object.before_completing",
    "object.completed",
    "object.before_pointing",
    "object.pointed_at",
    "stage.before",
    "stage.after",
    // The end.
    "finish.collected",
    "finish.before_destroying",
    "finish.before_commit",
    "finish.after_commit",
    "cleaning.some_overwritten",
    "cleaning.overwritten",
    "cleaning.log_truncated",
    // The audit log.
    "audit.opened",
    "audit.closing",
    // Files of people.
    "file.before_commit",
    "file.after_commit",
    "file.before_deleting",
    "file.deleted",
    // The collector.
    "collector.before_marking",
    "collector.marked",
    "collector.upload_aborted",
    "collector.object_removed",
    "collector.note_removed",
    // The marker of the object store.
    "sweep.numbered",
];

/// Ends the program as `kill -9` does, if it was told to end here.
#[cfg(debug_assertions)]
pub fn point(name: &'static str) {
    use rustix::process::{Signal, getpid, kill_process};
    use std::sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    };

    /// Where, and how many more times it may be passed.
    static AT: OnceLock<Option<(String, AtomicU64)>> = OnceLock::new();

    let at = AT.get_or_init(|| {
        let told = std::env::var("KEYSTEAD_CRASH_AT").ok()?;
        let (point, nth) = told.split_once(':').unwrap_or((&told, "1"));
        Some((point.to_owned(), AtomicU64::new(nth.parse().unwrap_or(1))))
    });
    let Some((point, left)) = at else { return };
    if point == name && left.fetch_sub(1, Ordering::AcqRel) == 1 {
        // It ends in here.
        while kill_process(getpid(), Signal::KILL).is_ok() {
            std::thread::park();
        }
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
#[inline]
pub const fn point(_: &'static str) {}

#[cfg(test)]
mod tests {
    use super::POINTS;
    use std::{
        collections::BTreeSet,
        fs,
        path::{Path, PathBuf},
    };

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("crash.rs") {
                found.push(path);
            }
        }
    }

    #[test]
    fn the_list_is_that_of_the_calls_in_the_sources() {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
        let mut called = Vec::new();
        for text in files.iter().map(|file| fs::read_to_string(file).unwrap()) {
            let calls = text.split("crash::point(\"").skip(1);
            called.extend(calls.filter_map(|rest| rest.split('"').next().map(str::to_owned)));
        }
        let listed: BTreeSet<String> = POINTS.map(str::to_owned).into();
        assert_eq!(listed.len(), POINTS.len(), "a name is listed twice");
        let once: BTreeSet<String> = called.iter().cloned().collect();
        assert_eq!(once.len(), called.len(), "a name is called at two places");
        assert_eq!(once, listed);
    }
}
