//! The object store fails, is slow, or has no room left in the middle of a job: the job says so, goes on by itself, and nothing is
//! lost.

use crate::{
    s3_proxy::{PREFIX, S3Proxy, Trouble},
    support::{Browser, Database, Ground, PATIENCE, content, program::Program},
};
use app::model::{
    encryption::DataEncryption,
    job::{JobState, JobView, PauseReason},
    workspace::FileEntry,
};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// Some are written whole, some in parts.
const SIZES: [usize; 6] = [0, 70_000, 1_000_000, 9_000_000, 9_000_001, 20_000_000];

/// A server with some files in a workspace, and somebody who works there.
struct Place {
    ground: Arc<Ground>,
    program: Program,
    browser: Browser,
    workspace: String,
    files: Vec<(String, Vec<u8>)>,
    arn: String,
}

impl Place {
    async fn new(ground: Arc<Ground>, program: Program, sizes: &[usize]) -> Self {
        let mut browser = program.signed_in().await;
        browser.call("create_workspace", &[("name", "Survey"), ("description", "")]).await;
        let listed: serde_json::Value = browser.call("list_workspaces", &[]).await.json();
        let workspace = listed["items"][0]["id"].as_str().unwrap().to_owned();
        let arn = ground.keys.create().await;
        let mut place = Self { ground, program, browser, workspace, files: Vec::new(), arn };
        for size in sizes {
            assert!(place.uploads(*size).await, "{}", place.program.logged());
        }
        place
    }

    async fn on_s3(database: Database, proxy: &S3Proxy) -> Self {
        let ground = Ground::new(database).await;
        let objects = proxy.setting();
        let environment = [("KEYSTEAD_OBJECTS", objects.as_str()), ("AWS_ENDPOINT_URL_S3", proxy.url.as_str())];
        let program = Program::start_on(&ground, "log", &environment).await;
        Self::new(ground, program, &SIZES).await
    }

    /// Whether a file could be uploaded.
    async fn uploads(&mut self, size: usize) -> bool {
        let bytes = content(size);
        let upload = self.browser.upload(&self.workspace, &format!("{size}.bin")).body(bytes.clone());
        let answer = self.browser.send(upload).await;
        if answer.status == 201 {
            self.files.push((answer.json::<FileEntry>().id, bytes));
        }
        answer.status == 201
    }

    async fn activate(&mut self) {
        let answer = self.browser.call("activate_key", &[("arn", &self.arn)]).await;
        assert!(answer.status.is_success() || answer.status.is_redirection(), "{answer:?}");
    }

    async fn view(&mut self) -> DataEncryption {
        self.browser.call("data_encryption", &[]).await.json()
    }

    /// Waits until the job is such.
    async fn until(&mut self, what: &str, is_such: impl Fn(&JobView) -> bool) -> JobView {
        let patience = Instant::now() + 4 * PATIENCE;
        loop {
            let job = self.view().await.job.unwrap();
            if is_such(&job) {
                return job;
            }
            assert!(Instant::now() < patience, "waited in vain until {what}: {job:?}\n{}", self.program.logged());
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn until_waiting(&mut self, reason: PauseReason) {
        let what = format!("the job waits for {reason:?}");
        let job = self.until(&what, |job| job.waiting == Some(reason) || !job.state.is_unfinished()).await;
        assert_eq!((job.state, job.waiting), (JobState::Paused, Some(reason)));
    }

    /// The job ends by itself, nothing was set aside, and every byte is there.
    async fn ends_well(&mut self) {
        let job = self.until("the job has ended", |job| !job.state.is_unfinished()).await;
        assert_eq!(job.state, JobState::Complete, "{job:?}");
        assert!(job.set_aside.is_empty(), "{job:?}");
        assert_eq!((job.files_done, job.files_total), (self.files.len() as u64, self.files.len() as u64));
        let bytes: usize = self.files.iter().map(|(_, bytes)| bytes.len()).sum();
        assert_eq!(job.bytes_done, bytes as u64);
        let seen = self.view().await;
        assert_eq!((seen.root.arn.as_str(), seen.data_keys), (self.arn.as_str(), 2));
        self.is_readable().await;
    }

    async fn is_readable(&self) {
        for (file, bytes) in &self.files {
            let read = self.browser.get(&format!("/workspaces/{}/files/{file}", self.workspace)).await;
            assert!(read.body == *bytes, "{} of {} bytes", read.status, bytes.len());
        }
    }

    async fn end(self) {
        drop(self.program);
        self.ground.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_store_that_is_out_of_order_is_waited_for() {
    tokio::join!(out_of_order(Database::Sqlite, 500), out_of_order(Database::Postgres, 503));
}

async fn out_of_order(database: Database, status: u16) {
    let proxy = S3Proxy::start().await;
    let mut place = Place::on_s3(database, &proxy).await;
    proxy.set(Trouble::Fails(status));
    place.activate().await;
    place.until_waiting(PauseReason::ObjectStore).await;
    // What is not in the object store is done meanwhile.
    let job = place.view().await.job.unwrap();
    assert_eq!((job.records_done, job.files_done), (job.records_total, 0));
    proxy.set(Trouble::Nothing);
    place.ends_well().await;
    assert_eq!(proxy.objects().await, SIZES.len(), "and nothing is left over");
    place.end().await;
}

/// A server that was killed before it could note the id of an upload, or whose last part came after the upload was aborted.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_nobody_speaks_of_is_aborted_and_what_is_not_ours_stays() {
    let proxy = S3Proxy::start().await;
    let mut place = Place::on_s3(Database::Sqlite, &proxy).await;
    let theirs = ["elsewhere/file".to_owned(), format!("{PREFIX}/somebody-elses/file")];
    for left in &theirs {
        proxy.leave_upload(left).await;
    }
    proxy.leave_upload(&format!("{PREFIX}/{}/00000000-0000-4000-8000-00000000000a", place.workspace)).await;
    place.activate().await;
    place.ends_well().await;
    let mut left = proxy.uploads().await;
    left.sort();
    assert_eq!(left, theirs);
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_store_that_fails_now_and_then_or_is_slow_is_no_trouble() {
    let (flaky, slow) = (Trouble::FailsAt(3), Trouble::Slow(Duration::from_millis(200)));
    tokio::join!(bearable(Database::Sqlite, flaky), bearable(Database::Postgres, slow));
}

async fn bearable(database: Database, trouble: Trouble) {
    let proxy = S3Proxy::start().await;
    let mut place = Place::on_s3(database, &proxy).await;
    proxy.set(trouble);
    place.activate().await;
    // People read and write meanwhile.
    place.is_readable().await;
    assert!(place.uploads(100_000).await);
    let job = place.until("the job has ended", |job| !job.state.is_unfinished()).await;
    assert_eq!((job.state, job.set_aside.len()), (JobState::Complete, 0), "{job:?}");
    if trouble == Trouble::FailsAt(3) {
        assert!(proxy.refused() > 0);
    }
    place.is_readable().await;
    proxy.set(Trouble::Nothing);
    assert_eq!(place.view().await.data_keys, 2);
    assert_eq!(proxy.objects().await, place.files.len());
    place.end().await;
}

/// Its data keys are wiped under the job, the notes of the job's objects become garbage, and its data keys go.
#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_is_deleted_under_the_job_is_nothing_to_wait_for() {
    tokio::join!(deleted_meanwhile(Database::Sqlite), deleted_meanwhile(Database::Postgres));
}

async fn deleted_meanwhile(database: Database) {
    let proxy = S3Proxy::start().await;
    let mut place = Place::on_s3(database, &proxy).await;
    proxy.set(Trouble::Slow(Duration::from_millis(500)));
    place.activate().await;
    let records_are_done = |job: &JobView| job.records_total > 0 && job.records_done == job.records_total;
    let job = place.until("objects are being rewritten", records_are_done).await;
    assert!(job.state == JobState::Running && job.files_done < job.files_total, "{job:?}");
    // By the server that runs the job.
    let deleted = place.browser.call("delete_workspace", &[("workspace", &place.workspace)]).await;
    assert!(deleted.status.is_success() || deleted.status.is_redirection(), "{deleted:?}");
    proxy.set(Trouble::Nothing);
    let has_ended = |job: &JobView| {
        assert!(!matches!(job.waiting, Some(PauseReason::Locked | PauseReason::Database)), "{job:?}");
        !job.state.is_unfinished()
    };
    let job = place.until("the job has ended", has_ended).await;
    assert_eq!((job.state, job.set_aside.len()), (JobState::Complete, 0), "{job:?}");
    assert_eq!(place.view().await.data_keys, 1, "the organization's");
    assert_eq!(proxy.objects().await, 0);
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_without_room_is_named_and_the_job_goes_on_when_there_is_some() {
    tokio::join!(
        full(Database::Sqlite, Trouble::Full(507, "InsufficientStorage")),
        full(Database::Postgres, Trouble::Full(403, "QuotaExceeded"))
    );
}

async fn full(database: Database, trouble: Trouble) {
    let proxy = S3Proxy::start().await;
    let mut place = Place::on_s3(database, &proxy).await;
    proxy.set(trouble);
    place.activate().await;
    place.until_waiting(PauseReason::ObjectStoreFull).await;
    place.is_readable().await;
    proxy.set(Trouble::Nothing);
    place.ends_well().await;
    assert_eq!(proxy.objects().await, SIZES.len(), "and nothing is left over");
    place.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_without_room_is_named_and_the_job_goes_on_when_there_is_some() {
    tokio::join!(full_folder(Database::Sqlite), full_folder(Database::Postgres));
}

/// The folder of a server with a disk of its own, which nobody else sees and which goes with it. It holds all files twice.
const DISK: &str = "mkdir -p objects && mount -t tmpfs -o size=64m tmpfs objects && exec \"$@\"";
/// The same with room for one of three files twice, and not for two.
const SMALL_DISK: &str = "mkdir -p objects && mount -t tmpfs -o size=42m tmpfs objects && exec \"$@\"";
const ONE_OF_THREE: usize = 9_000_000;

async fn full_folder(database: Database) {
    let ground = Ground::new(database).await;
    let behind = ["unshare", "--map-root-user", "--mount", "sh", "-c", DISK, "sh"];
    let program = Program::start_behind(&ground, "log", &behind, &[]).await;
    let mut place = Place::new(ground, program, &[100, 2_000_000, 9_000_000, 12_000_000]).await;
    let disk = PathBuf::from(format!("/proc/{}/root{}", place.program.id(), place.ground.objects.display()));
    let filler = disk.join("somebody-elses");
    fill(&filler);
    place.activate().await;
    place.until_waiting(PauseReason::ObjectStoreFull).await;
    assert!(!place.uploads(3_000_000).await, "there is no room for a new file either");
    place.is_readable().await;
    std::fs::remove_file(&filler).unwrap();
    place.ends_well().await;
    place.end().await;
}

/// A job writes several objects at once. Where that is too much, it must not go on trying just that.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_with_room_for_one_object_at_a_time_is_enough() {
    let ground = Ground::new(Database::Sqlite).await;
    let behind = ["unshare", "--map-root-user", "--mount", "sh", "-c", SMALL_DISK, "sh"];
    let program = Program::start_behind(&ground, "log", &behind, &[]).await;
    let mut place = Place::new(ground, program, &[ONE_OF_THREE; 3]).await;
    place.activate().await;
    place.until_waiting(PauseReason::ObjectStoreFull).await;
    place.ends_well().await;
    place.end().await;
}

/// Takes all room that is left.
fn fill(path: &std::path::Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(path).unwrap();
    let piece = vec![1; 64 * 1024];
    while file.write_all(&piece).is_ok() {}
}
