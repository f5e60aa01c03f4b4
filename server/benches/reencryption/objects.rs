//! Objects: a job over 4 GiB of files in the local folder, run by the real program in a process of its own.
//!
//! From the moment at which the new root key is in control to the end of the job, so with fresh data keys, the removal of the
//! old objects and the destruction of the old data keys in it. Beside it, in turns: copying the stored files (read, write,
//! fsync), as many at once, and opening and sealing as many bytes in memory with the raw cipher, on as many processors as a
//! job leaves itself. The slower of the two is the baseline.

use crate::{
    deployment::{Administrator, until_complete},
    figures::{Bound, RUNS, Scale, line, median, note, title},
    support::{Database, Ground, content, program::Program},
};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use bytes::Bytes;
use server::store::Store;
use std::{
    fs::{self, File},
    io::{Read, Write},
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

const FILES: usize = 16;
const FILE: usize = 256 << 20;
/// As many objects at once as a job rewrites (`jobs/objects.rs`).
const AT_ONCE: usize = 3;
/// Bytes that are read, and opened and sealed, at once.
const PIECE: usize = 1 << 20;
/// The bound of resident memory, in bytes.
const MEMORY: f64 = 128.0 * 1024.0 * 1024.0;

pub async fn measure(scale: Scale) {
    let size = scale.of(FILE).max(PIECE);
    let bytes = size * FILES;
    title(&format!("Objects: re-encrypting {FILES} files of {} MiB in the local folder, Sqlite", size >> 20));
    let ground = Ground::new(Database::Sqlite).await;
    let program = Program::start_on(&ground, "log", &[]).await;
    let mut browser = program.signed_in().await;
    upload(&mut browser, size).await;
    let store = Store::connect(&ground.url).await.unwrap();
    let mut administrator = Administrator { browser, arn: ground.keys.create().await, is_active: false };
    let (mut job, mut copy, mut cipher, mut memory) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mibs = bytes as f64 / f64::from(1 << 20);
    for _ in 0..RUNS {
        rustix::fs::sync();
        let resident = Resident::from_now(program.id());
        administrator.change_key().await;
        let ended = until_complete(&store).await;
        job.push(mibs / ((ended.finished_at.unwrap() - ended.control_at.unwrap()) as f64 / 1e3));
        memory.push(resident.peak());
        rustix::fs::sync();
        copy.push(mibs / copying(&ground.objects, ground.folder.path(), FILES));
        cipher.push(mibs / opening_and_sealing(bytes));
    }
    store.close().await.unwrap();
    drop(program);
    ground.remove().await;
    let (copy, cipher) = (median(&copy), median(&cipher));
    note(&format!(
        "copying the files: {copy:.0} MiB/s; the raw cipher in memory, opening and sealing: {cipher:.0} MiB/s"
    ));
    line("MiB a second, beside the lower of these", "MiB/s", median(&job), copy.min(cipher), Bound::AtLeast(0.80));
    let peak = memory.into_iter().fold(0.0, f64::max);
    line(
        "peak of resident memory, beside 128 MiB",
        "MiB",
        peak / 1_048_576.0,
        MEMORY / 1_048_576.0,
        Bound::AtMost(1.0),
    );
}

async fn upload(browser: &mut crate::support::Browser, size: usize) {
    browser.call("create_workspace", &[("name", "Survey"), ("description", "")]).await;
    let listed: serde_json::Value = browser.call("list_workspaces", &[]).await.json();
    let workspace = listed["items"][0]["id"].as_str().unwrap();
    let body = Bytes::from(content(size));
    for n in 0..FILES {
        let answer = browser.send(browser.upload(workspace, &format!("{n}.bin")).body(body.clone())).await;
        assert!(answer.status.is_success(), "{}", answer.text());
    }
}

/// The peak of the resident memory of a process.
struct Resident(u32);

impl Resident {
    /// Forgets the peak so far (`man 5 proc`, `clear_refs`).
    fn from_now(process: u32) -> Self {
        fs::write(format!("/proc/{process}/clear_refs"), "5").unwrap();
        Self(process)
    }

    /// Bytes.
    fn peak(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().strip_suffix(" kB").unwrap().parse::<f64>().unwrap() * 1024.0
    }
}

/// Seconds to copy every stored object, so many at once, each until it is on the disk.
fn copying(objects: &Path, folder: &Path, count: usize) -> f64 {
    let to = folder.join("copies");
    fs::create_dir(&to).unwrap();
    let mut found = Vec::new();
    files_in(objects, &mut found);
    assert_eq!(found.len(), count);
    let left = Mutex::new(found);
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let mut buffer = vec![0; PIECE];
                loop {
                    let Some(from) = left.lock().unwrap().pop() else { return };
                    copy(&from, &to.join(from.file_name().unwrap()), &mut buffer);
                }
            });
        }
    });
    let took = began.elapsed().as_secs_f64();
    fs::remove_dir_all(to).unwrap();
    took
}

fn copy(from: &Path, to: &Path, buffer: &mut [u8]) {
    let (mut from, mut to) = (File::open(from).unwrap(), File::create_new(to).unwrap());
    loop {
        let read = from.read(buffer).unwrap();
        if read == 0 {
            return to.sync_all().unwrap();
        }
        to.write_all(&buffer[..read]).unwrap();
    }
}

/// Objects are named by their ids; whatever else is in the folder is not one.
fn files_in(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_object = |name: &str| uuid::Uuid::try_parse(name).is_ok();
        if path.is_dir() {
            files_in(&path, found);
        } else if path.file_name().and_then(|name| name.to_str()).is_some_and(is_object) {
            found.push(path);
        }
    }
}

/// Seconds to open and seal so many bytes with the raw cipher, on all processors but one, as a job does.
fn opening_and_sealing(bytes: usize) -> f64 {
    let processors = thread::available_parallelism().unwrap().get().saturating_sub(1).max(1);
    let pieces = AtomicUsize::new(bytes / PIECE);
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..processors {
            scope.spawn(|| {
                let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[9; 32]).unwrap());
                let nonce = || Nonce::assume_unique_for_key([1; 12]);
                let (mut sealed, mut opened, mut tag) = (vec![0; PIECE], vec![0; PIECE], [0; 16]);
                let mut seal = |opened: &[u8], sealed: &mut [u8]| {
                    key.seal_out_of_place_scatter(nonce(), Aad::empty(), opened, sealed, &[], &mut tag).unwrap();
                    tag
                };
                let mut tag = seal(&opened, &mut sealed);
                while pieces.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                    key.open_separate_gather(nonce(), Aad::empty(), &sealed, &tag, &mut opened).unwrap();
                    tag = seal(&opened, &mut sealed);
                }
            });
        }
    });
    began.elapsed().as_secs_f64()
}
