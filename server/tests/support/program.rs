//! The real program as a process of its own, which can be stopped, continued and killed. Several may share one ground.

use super::{ADMIN, Browser, Database, Ground, Keys, PASSWORD};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::File,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

pub struct Program {
    pub keys: Arc<Keys>,
    pub address: SocketAddr,
    ground: Arc<Ground>,
    /// What this one is told otherwise than most.
    environment: Vec<(String, String)>,
    /// The command that runs it, if it is run by another: that program with its arguments.
    behind: Vec<String>,
    log: String,
    running: Option<Child>,
}

impl Program {
    /// Starts it over `SQLite` and waits until it is ready.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with more environment variables.
    pub async fn start_with(environment: &[(&str, &str)]) -> Self {
        let ground = Ground::new(Database::Sqlite).await;
        let mut program = Self::new(&ground, "log", environment);
        program.start_again().await;
        program
    }

    /// Starts one over a ground that others may share, with `environment` on top of what all have in common.
    pub async fn start_on(ground: &Arc<Ground>, name: &str, environment: &[(&str, &str)]) -> Self {
        let mut program = Self::new(ground, name, environment);
        program.start_again().await;
        program
    }

    /// The same, run by another program that becomes it in the end.
    pub async fn start_behind(ground: &Arc<Ground>, name: &str, behind: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut program = Self::new(ground, name, environment);
        program.behind = behind.iter().map(|word| (*word).to_owned()).collect();
        program.start_again().await;
        program
    }

    fn new(ground: &Arc<Ground>, log: &str, environment: &[(&str, &str)]) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (keys, ground) = (Arc::clone(&ground.keys), Arc::clone(ground));
        Self { keys, address, ground, environment, behind: Vec::new(), log: log.to_owned(), running: None }
    }

    /// Starts it over what an earlier run has left.
    pub async fn start_again(&mut self) {
        let log = File::options().create(true).append(true).open(self.path(&self.log)).unwrap();
        let mut command = self.command();
        command.arg("serve").stdout(Stdio::from(log.try_clone().unwrap())).stderr(Stdio::from(log));
        self.running = Some(command.spawn().unwrap());
        let browser = Browser::new(self.address, false);
        for _ in 0..600 {
            let asked = browser.request(reqwest::Method::GET, "/readyz").send().await;
            if asked.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the program did not become ready: {}", self.logged());
    }

    /// The program with its configuration, without a command.
    pub fn command(&self) -> Command {
        let binary = env!("CARGO_BIN_EXE_keystead");
        let mut command = Command::new(self.behind.first().map_or(binary, String::as_str));
        if let Some((_, arguments)) = self.behind.split_first() {
            command.args(arguments).arg(binary);
        }
        command
            .current_dir(self.folder())
            .env("KEYSTEAD_OBJECTS", "file:objects")
            .envs(self.ground.environment(self.address))
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Where it runs: with objects and log in it, and the database if that is a file.
    pub fn folder(&self) -> &Path {
        self.ground.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// All that it has logged so far.
    pub fn logged(&self) -> String {
        std::fs::read_to_string(self.path(&self.log)).unwrap()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.running.as_ref().unwrap().id()
    }

    /// As `kill -9`.
    pub fn kill(&mut self) {
        let mut child = self.running.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// As `kill -STOP`: not one more instruction of it is run, and nobody is told.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// As `kill -CONT`.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.running.as_ref().unwrap()), signal).unwrap();
    }

    /// Resident memory at its highest, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib * 1024
    }

    pub async fn signed_in(&self) -> Browser {
        let mut browser = Browser::new(self.address, false);
        browser.sign_in(ADMIN, PASSWORD).await;
        browser
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(mut child) = self.running.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// The objects in a folder: every file but the one that says whose they are.
pub fn objects_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = files_below(folder);
    found.retain(|path| path.file_name().is_none_or(|name| name != "keystead-sweeps"));
    found
}

/// Every file below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found
}
