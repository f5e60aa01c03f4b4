//! What is left of data keys in the memory of the program: nothing, once they are destroyed and once access is locked.
//!
//! What to search for is had from the key management service itself, which is asked to decrypt what the database holds. That
//! the search can find anything is shown with the keys in use. Not covered, here and by the program: the registers of the
//! processor, buffers of the kernel, and swap space.

use crate::{
    core_file::{CoreFile, Needles},
    crash::until_locked,
    support::{
        Browser, content,
        kms_proxy::{Act, Call, KmsProxy, Operation, Rule},
        program::Program,
    },
};
use app::model::{
    encryption::{DataEncryption, RootKind},
    job::JobState,
    workspace::{FileEntry, Page, WorkspaceSummary},
};
use aws_sdk_kms::primitives::Blob;
use reqwest::{Method, StatusCode};
use sea_orm::Database;
use server::store::{entities::data_key::DataKeyState, house};
use std::{
    collections::{BTreeSet, HashMap},
    process::Command,
    time::Duration,
};
use tokio::{io::AsyncWriteExt, net::TcpStream};
use uuid::Uuid;
use vault::{DataKeyId, DeploymentId, Scope, WrapContext};

/// So that gdb need not run as root; and a dump is small, because address space that is only reserved is in it as well.
const ALLOW_DUMPS: &[(&str, &str)] = &[("KEYSTEAD_TEST_ALLOW_CORE_DUMPS", "1"), ("MALLOC_ARENA_MAX", "2")];
const WORKSPACES: usize = 6;
/// More than the buffers between the two ends of a download hold.
const FILE: usize = 24_000_000;
/// Within what time nothing may be left: what is promised for access as a whole.
const GONE_WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn no_data_key_stays_in_memory_after_an_activation_or_a_lock() {
    let program = Program::start_with(ALLOW_DUMPS).await;
    let mut browser = program.signed_in().await;
    let data = Data::new(&mut browser).await;
    data.is_intact(&mut browser).await;
    let old = data_keys(&program).await;
    assert_eq!(old.len(), 1 + WORKSPACES);
    all_are_found(&program, &old);

    let customer_key = program.keys.create().await;
    browser.call("activate_key", &[("arn", &customer_key)]).await;
    until_complete(&mut browser, &data).await;
    none_is_left(&program, &old, "after the activation");

    data.is_intact(&mut browser).await;
    let new = data_keys(&program).await;
    assert_eq!(new.len(), old.len());
    assert!(new.keys().all(|id| !old.contains_key(id)), "every data key is a fresh one");
    all_are_found(&program, &new);
    none_is_left(&program, &old, "while fresh ones are in use");

    let under_way = UnderWay::begin(&program, &browser, &data).await;
    program.keys.disable(&customer_key).await;
    until_locked(&program, true).await;
    none_is_left(&program, &new, "after the lock");
    none_is_left(&program, &old, "after the lock");
    drop(under_way);

    program.keys.enable(&customer_key).await;
    until_locked(&program, false).await;
    data.is_intact(&mut browser).await;
    all_are_found(&program, &new);
}

/// A good answer that does not count, because everything is locked, is not kept in what was last read from KMS either.
#[tokio::test(flavor = "multi_thread")]
async fn no_data_key_stays_in_memory_after_a_single_good_answer() {
    let proxy = KmsProxy::start().await;
    let mut environment: Vec<(&str, &str)> = ALLOW_DUMPS.to_vec();
    environment.push(("AWS_ENDPOINT_URL_KMS", &proxy.url));
    let program = Program::start_with(&environment).await;
    let keys = data_keys(&program).await;
    all_are_found(&program, &keys);
    program.keys.disable(&program.keys.provider).await;
    until_locked(&program, true).await;
    none_is_left(&program, &keys, "after the lock");

    let mark = proxy.mark();
    proxy.set([Rule::on(Operation::Decrypt, Act::Stale).scope("organization").times(1)]);
    proxy.until(mark, 1, "a good answer", Call::is_good).await;
    none_is_left(&program, &keys, "after a good answer");
    until_locked(&program, true).await;
}

/// The lowest level of the log has everything that the libraries say, and in what they send and receive there are keys.
#[tokio::test(flavor = "multi_thread")]
async fn no_data_key_is_in_the_log_at_any_level() {
    let program = Program::start_with(&[("RUST_LOG", "trace")]).await;
    let mut browser = program.signed_in().await;
    browser.call("create_workspace", &[("name", "Survey"), ("description", "")]).await;
    let workspace = &list(&mut browser).await[0].id;
    browser.call("open_workspace", &[("workspace", workspace)]).await;
    let keys = data_keys(&program).await;
    assert_eq!(keys.len(), 2);
    let log = std::fs::read(program.path("log")).unwrap();
    let said = String::from_utf8_lossy(&log);
    assert!(said.contains("TRACE") && said.contains("beginning attempt"), "the level was asked for");
    assert_eq!(needles(&keys).search(&log).map(|(_, what)| what).collect::<Vec<_>>(), [""; 0]);
}

/// Without the setting that only a build for tests knows, the program turns dumps off as the released one does.
#[tokio::test(flavor = "multi_thread")]
async fn the_program_does_not_let_its_memory_be_dumped() {
    let (closed, open) = (Program::start().await, Program::start_with(ALLOW_DUMPS).await);
    assert_eq!((is_dumpable(&closed), is_dumpable(&open)), (false, true));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", closed.id())).unwrap();
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max core file size")).unwrap();
    assert_eq!(limit.split_whitespace().collect::<Vec<_>>(), ["0", "0", "bytes"]);
}

/// What the program itself answers to `PR_GET_DUMPABLE`, asked by gdb from within. Where it may not be dumped, root alone
/// can even ask.
fn is_dumpable(program: &Program) -> bool {
    let ask = "print ((int (*)(int, long, long, long, long)) prctl)(3, 0, 0, 0, 0)";
    let mut gdb = Command::new("gdb");
    gdb.args(["--nx", "--batch", "--readnever", "-ex", ask, "-p"]);
    let gdb = gdb.arg(program.id().to_string()).output().expect("gdb must be installed: scripts/setup.sh gdb");
    let said = format!("{}{}", String::from_utf8_lossy(&gdb.stdout), String::from_utf8_lossy(&gdb.stderr));
    let answers = (said.contains("$1 = 1"), said.contains("$1 = 0") || said.contains("Operation not permitted"));
    assert!(answers.0 != answers.1, "{said}");
    answers.0
}

/// Plaintext data keys by id.
type DataKeys = HashMap<Uuid, [u8; 32]>;

/// The data keys of the database, decrypted by the key management service.
async fn data_keys(program: &Program) -> DataKeys {
    let database = Database::connect(format!("sqlite://{}?mode=ro", program.path("test.db").display())).await.unwrap();
    let root = house::root(&database).await.unwrap();
    let deployment = DeploymentId::new(&root.deployment_id).unwrap();
    let mut keys = DataKeys::new();
    for row in house::all_keys(&database).await.unwrap() {
        assert_eq!(row.state, DataKeyState::Current);
        let context =
            WrapContext { deployment: &deployment, scope: Scope::from_uuid(row.scope), data_key: DataKeyId(row.id) };
        let call = program.keys.kms.decrypt().key_id(&root.root_key_arn).ciphertext_blob(Blob::new(row.wrapped));
        let opened = call.set_encryption_context(Some(context.to_map())).send().await.unwrap();
        keys.insert(row.id, opened.plaintext.unwrap().into_inner().try_into().unwrap());
    }
    database.close().await.unwrap();
    keys
}

/// What is in the program's memory of these keys.
fn found(program: &Program, keys: &DataKeys) -> BTreeSet<String> {
    CoreFile::take(program.id(), program.folder()).search(&needles(keys))
}

fn needles(keys: &DataKeys) -> Needles {
    let names: Vec<(String, &[u8; 32])> = keys.iter().map(|(id, key)| (format!("data key {id}"), key)).collect();
    Needles::new(names.iter().map(|(name, key)| (name.as_str(), *key)))
}

/// Shows that the search finds what is there.
fn all_are_found(program: &Program, keys: &DataKeys) {
    let found = found(program, keys);
    // In the forms in which the ring holds them.
    let forms = ["raw", "as HMAC's inner state", "as HMAC's outer state"];
    for (id, form) in keys.keys().flat_map(|id| forms.map(|form| (id, form))) {
        let held = format!("data key {id}, {form} in ");
        assert!(found.iter().any(|line| line.starts_with(&held)), "{id} is in use, and not found {form}: {found:#?}");
    }
}

fn none_is_left(program: &Program, keys: &DataKeys, when: &str) {
    let began = tokio::time::Instant::now();
    loop {
        let found = found(program, keys);
        if found.is_empty() {
            return;
        }
        assert!(began.elapsed() < GONE_WITHIN, "{when} there is still {found:#?}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Some workspaces, each with a note and a file, so that each data key is in use.
struct Data {
    /// Their ids, with the paths of their files.
    workspaces: Vec<(String, String)>,
    small: Vec<u8>,
    large: Vec<u8>,
}

impl Data {
    async fn new(browser: &mut Browser) -> Self {
        for n in 0..WORKSPACES {
            browser.call("create_workspace", &[("name", &format!("Survey {n}")), ("description", "a")]).await;
        }
        let (small, large) = (content(100_000), content(FILE));
        let mut workspaces = Vec::new();
        for workspace in list(browser).await {
            browser.call("create_note", &[("workspace", &workspace.id), ("text", "a note")]).await;
            // The first has the large one.
            let body = if workspaces.is_empty() { large.clone() } else { small.clone() };
            let file: FileEntry = browser.send(browser.upload(&workspace.id, "a.bin").body(body)).await.json();
            workspaces.push((workspace.id.clone(), format!("/workspaces/{}/files/{}", workspace.id, file.id)));
        }
        Self { workspaces, small, large }
    }

    /// Reads everything.
    async fn is_intact(&self, browser: &mut Browser) {
        assert_eq!(list(browser).await.len(), WORKSPACES);
        for (n, (workspace, file)) in self.workspaces.iter().enumerate() {
            let opened = browser.call("open_workspace", &[("workspace", workspace)]).await;
            assert!(opened.text().contains("a note"), "{opened:?}");
            let expected = if n == 0 { &self.large } else { &self.small };
            assert!(browser.get(file).await.body == *expected, "a file has changed");
        }
    }
}

async fn list(browser: &mut Browser) -> Vec<WorkspaceSummary> {
    browser.call("list_workspaces", &[]).await.json::<Page<WorkspaceSummary>>().items
}

/// Waits for the end of the job, and meanwhile reads and writes.
async fn until_complete(browser: &mut Browser, data: &Data) {
    for n in 0..1_000 {
        let seen: DataEncryption = browser.call("data_encryption", &[]).await.json();
        if seen.job.is_some_and(|job| job.state == JobState::Complete) {
            assert_eq!(seen.root.kind, RootKind::Customer);
            return;
        }
        let (workspace, file) = &data.workspaces[n % WORKSPACES];
        assert_eq!(browser.get(file).await.status, StatusCode::OK);
        browser.call("create_note", &[("workspace", workspace), ("text", "written meanwhile")]).await;
    }
    panic!("the job did not end");
}

/// Transfers that are under way: a download that nobody reads on, an upload that has stopped half-way, a stream of events.
struct UnderWay(
    #[allow(dead_code, reason = "held, so that they stay open")] (reqwest::Response, TcpStream, reqwest::Response),
);

impl UnderWay {
    async fn begin(program: &Program, browser: &Browser, data: &Data) -> Self {
        let (workspace, file) = &data.workspaces[0];
        let mut download = browser.request(Method::GET, file).send().await.unwrap();
        assert_eq!(download.status(), StatusCode::OK);
        download.chunk().await.unwrap().unwrap();
        let mut upload = TcpStream::connect(program.address).await.unwrap();
        let head = format!(
            "POST /workspaces/{workspace}/files HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nX-File-Name: a\r\nContent-Length: {FILE}\r\n\r\n",
            program.address,
            browser.cookie.clone().unwrap(),
        );
        upload.write_all(head.as_bytes()).await.unwrap();
        upload.write_all(&data.large[..FILE / 2]).await.unwrap();
        let mut events = browser.request(Method::GET, "/settings/data-encryption/events").send().await.unwrap();
        assert_eq!(events.status(), StatusCode::OK);
        events.chunk().await.unwrap().unwrap();
        Self((download, upload, events))
    }
}
