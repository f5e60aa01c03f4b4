//! The clients: they write, rename, upload and delete the whole time, whatever is killed. Each has items of its own.

use super::{
    calls::{Caller, Pace},
    model::{Key, Kind},
    seed::Dice,
};
use std::sync::Arc;
use tokio::{
    sync::{OwnedRwLockWriteGuard, RwLock},
    task::JoinSet,
    time::sleep,
};

/// How many items a client keeps.
const NOTES: usize = 15;
const FILES: usize = 6;
const LARGE_FILES: usize = 3;
/// Larger than a part, which is of 8 MiB.
const LARGE: u64 = 9 << 20;
/// Notes and files that are there from the beginning, so that there is something to rewrite.
const FIRST_NOTES: usize = 260;
const FIRST_FILES: [usize; 6] = [0, 1, 70_000, 1 << 20, 9 << 20, 17 << 20];

/// Running clients, which can be told to rest.
pub struct Load {
    turn: Arc<RwLock<()>>,
    resting: Option<OwnedRwLockWriteGuard<()>>,
    clients: JoinSet<()>,
}

#[derive(Clone)]
struct Client {
    caller: Caller,
    dice: Dice,
    workspace: Key,
    turn: Arc<RwLock<()>>,
}

impl Load {
    /// Fills the server and starts the clients, at rest.
    pub async fn start(caller: &Caller, dice: &mut Dice) -> Self {
        let full = caller.create_workspace().await;
        for _ in 0..FIRST_NOTES {
            caller.create_note(full).await;
        }
        for size in FIRST_FILES {
            caller.upload(full, size, Pace::AtOnce).await;
        }
        let (turn, mut clients) = (Arc::new(RwLock::new(())), JoinSet::new());
        let resting = Some(Arc::clone(&turn).write_owned().await);
        for n in 0..5 {
            let workspace = caller.create_workspace().await;
            let dice = Dice::new(dice.next());
            let client = Client { caller: caller.clone(), dice, workspace, turn: Arc::clone(&turn) };
            match n {
                0 | 1 => clients.spawn(client.write_notes()),
                2 => clients.spawn(client.keep_files()),
                3 => clients.spawn(client.upload_slowly()),
                _ => clients.spawn(client.make_workspaces()),
            };
        }
        Self { turn, resting, clients }
    }

    /// Waits until each client has got its answer, and lets none begin anything more.
    pub async fn rest(&mut self) {
        if self.resting.is_none() {
            self.resting = Some(Arc::clone(&self.turn).write_owned().await);
        }
    }

    pub fn go_on(&mut self) {
        self.resting = None;
    }

    /// Whether all clients are still there.
    pub fn is_complete(&mut self) -> bool {
        self.clients.try_join_next().is_none()
    }
}

impl Client {
    async fn breathe(&mut self) {
        let pause = self.dice.millis(5, 40);
        sleep(pause).await;
    }

    async fn write_notes(mut self) {
        loop {
            let turn = Arc::clone(&self.turn).read_owned().await;
            let notes = self.caller.model().usable(Kind::Note, self.workspace.token);
            let choice = self.dice.below(10);
            if notes.len() < NOTES / 2 || (notes.len() < NOTES && choice < 4) {
                self.caller.create_note(self.workspace).await;
            } else if choice < 8 {
                let note = *self.dice.pick(&notes);
                self.caller.update_note(note).await;
            } else {
                let note = *self.dice.pick(&notes);
                self.caller.delete_note(note).await;
            }
            drop(turn);
            self.breathe().await;
        }
    }

    async fn keep_files(mut self) {
        loop {
            let turn = Arc::clone(&self.turn).read_owned().await;
            let files = self.caller.model().usable(Kind::File, self.workspace.token);
            let choice = self.dice.below(10);
            if files.len() < FILES / 2 || (files.len() < FILES && choice < 4) {
                let size = usize::try_from(self.dice.below(300_000)).unwrap();
                self.caller.upload(self.workspace, size, Pace::AtOnce).await;
            } else if choice < 7 {
                let file = *self.dice.pick(&files);
                self.caller.rename_file(file).await;
            } else {
                let file = *self.dice.pick(&files);
                self.caller.delete_file(file).await;
            }
            drop(turn);
            self.breathe().await;
        }
    }

    async fn upload_slowly(mut self) {
        loop {
            let turn = Arc::clone(&self.turn).read_owned().await;
            let files = self.caller.model().usable(Kind::File, self.workspace.token);
            let size = usize::try_from(LARGE + self.dice.below(LARGE / 4)).unwrap();
            let pause = self.dice.millis(5, 120);
            if files.len() >= LARGE_FILES {
                self.caller.delete_file(files[0]).await;
            } else if self.dice.once_in(3) {
                self.caller.upload(self.workspace, size, Pace::BrokenOff(pause / 2)).await;
            } else {
                self.caller.upload(self.workspace, size, Pace::Slow(pause)).await;
            }
            drop(turn);
            self.breathe().await;
        }
    }

    async fn make_workspaces(mut self) {
        loop {
            let turn = Arc::clone(&self.turn).read_owned().await;
            // Its own is the last that was there at the beginning; what comes after it, it has made.
            let workspaces = self.caller.model().usable_workspaces(self.workspace.token + 1);
            if workspaces.len() < 2 || (workspaces.len() < 5 && self.dice.once_in(2)) {
                let workspace = self.caller.create_workspace().await;
                self.caller.create_note(workspace).await;
                let size = usize::try_from(self.dice.below(50_000)).unwrap();
                self.caller.upload(workspace, size, Pace::AtOnce).await;
            } else if self.dice.once_in(3) {
                let workspace = *self.dice.pick(&workspaces);
                self.caller.rename_workspace(workspace).await;
            } else {
                let workspace = workspaces[0];
                if self.dice.once_in(2) {
                    let pause = self.dice.millis(1, 60);
                    self.caller.delete_workspace_under_an_upload(workspace, 2 << 20, pause).await;
                } else {
                    self.caller.delete_workspace(workspace).await;
                }
            }
            drop(turn);
            self.breathe().await;
        }
    }
}
