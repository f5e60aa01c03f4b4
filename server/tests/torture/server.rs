//! The real program, which may kill itself at a named point, be killed at any moment, and is started again over what it left.

use super::Checked;
use crate::support::{Browser, Ground};
use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::File,
    net::{SocketAddr, TcpListener},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// How long a start may take.
const START: Duration = Duration::from_mins(1);
/// How long a polite stop may take: requests are waited for, but not for ever.
const STOP: Duration = Duration::from_secs(40);
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub struct Server {
    pub address: SocketAddr,
    ground: Arc<Ground>,
    environment: Vec<(String, String)>,
    log: PathBuf,
    child: Option<Child>,
}

impl Server {
    /// One that does not run yet. Its address stays the same through every restart.
    pub fn new(ground: &Arc<Ground>, environment: Vec<(String, String)>) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let log = ground.folder.path().join("log");
        Self { address, ground: Arc::clone(ground), environment, log, child: None }
    }

    /// Starts it and waits until it is ready, or has killed itself where it was told to: then `false`.
    pub async fn start(&mut self, crash_at: Option<&str>) -> Checked<bool> {
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let mut command = self.command();
        command.arg("serve").stdout(Stdio::from(log.try_clone().unwrap())).stderr(Stdio::from(log));
        if let Some(point) = crash_at {
            command.env("KEYSTEAD_CRASH_AT", point);
        }
        self.child = Some(command.spawn().unwrap());
        let (browser, patience) = (Browser::new(self.address, false), Instant::now() + START);
        loop {
            if self.has_died()? {
                return if crash_at.is_some() {
                    Ok(false)
                } else {
                    Err("the server was killed by somebody else".into())
                };
            }
            let asked = browser.request(Method::GET, "/readyz").timeout(Duration::from_secs(2)).send().await;
            if asked.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(true);
            }
            if Instant::now() > patience {
                return Err("the server does not become ready".into());
            }
            sleep(LOOK_EVERY).await;
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keystead"));
        command
            .current_dir(self.ground.folder.path())
            .env_remove("KEYSTEAD_CRASH_AT")
            .envs(self.ground.environment(self.address))
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Whether it was killed.
    ///
    /// # Errors
    /// When it has ended in any other way: nobody has asked it to.
    pub fn has_died(&mut self) -> Checked<bool> {
        let Some(child) = &mut self.child else { return Ok(true) };
        let Some(status) = child.try_wait().unwrap() else { return Ok(false) };
        self.child = None;
        if was_killed(status) { Ok(true) } else { Err(format!("the server ended by itself: {status}")) }
    }

    /// Waits for that, but not for ever.
    pub async fn dies_within(&mut self, patience: Duration) -> Checked<bool> {
        let until = Instant::now() + patience;
        while !self.has_died()? {
            if Instant::now() > until {
                return Ok(false);
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(true)
    }

    /// As `kill -9`, if it is not dead already: then `false`.
    pub fn kill(&mut self) -> Checked<bool> {
        if self.has_died()? {
            return Ok(false);
        }
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        Ok(true)
    }

    /// Asks it to stop, and waits. Whether it was killed on the way, at its point.
    pub async fn stop(&mut self) -> Checked<bool> {
        let Some(child) = &mut self.child else { return Ok(true) };
        kill_process(Pid::from_child(child), Signal::TERM).unwrap();
        let until = Instant::now() + STOP;
        loop {
            let child = self.child.as_mut().expect("it was there");
            if let Some(status) = child.try_wait().unwrap() {
                self.child = None;
                return match was_killed(status) {
                    false if !status.success() => Err(format!("the server did not stop in order: {status}")),
                    killed => Ok(killed),
                };
            }
            if Instant::now() > until {
                return Err("the server does not stop".into());
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Keeps its log where it is not removed with the rest, and says where that is.
    pub fn keep_log(&self) -> String {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("torture-{}.log", self.address.port()));
        match std::fs::copy(&self.log, &kept) {
            Ok(_) => kept.display().to_string(),
            Err(error) => format!("lost: {error}"),
        }
    }
}

fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(Signal::KILL.as_raw())
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}
