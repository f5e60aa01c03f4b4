//! A write that has begun when its data key ceases to be the current one.

use crate::{scene::Scene, steps::job_ended};
use app::{model::job::JobState, ports::WorkspacesPort};
use rustix::process::{Pid, Signal, kill_process};

/// A session of the database that stands still, as one does that gets no processor. It goes on when this is dropped.
struct Standing(Pid);

impl Standing {
    fn new(session: i32) -> Self {
        let session = Pid::from_raw(session).unwrap();
        kill_process(session, Signal::STOP).unwrap();
        Self(session)
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        kill_process(self.0, Signal::CONT).ok();
    }
}

/// `PostgreSQL` looks for the current key, finds it, and locks it a moment later. If another key has become the current one
/// in between, it finds none at all in this statement; but there is one, and the write must find it.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_key_is_replaced_while_it_takes_hold_of_it_takes_the_new_one() {
    let mut scene = Scene::new().await;
    let heir = scene.heir().await;
    let workspace = scene.filled.workspace.clone();
    let held = scene.levers.hold_row("data_keys", &format!("WHERE scope = '{workspace}' AND state = 'current'")).await;
    let (services, who, id) = (heir.app.services.clone(), heir.who.clone(), workspace.clone());
    let writing = tokio::spawn(async move { services.workspaces.create_note(&who, &id, "written meanwhile").await });
    scene.levers.until_waiting("FOR KEY SHARE").await;
    let session = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
                   AND wait_event_type = 'Lock' AND query LIKE '%FOR KEY SHARE%'";
    let standing = Standing::new(scene.levers.rows(session).await[0].try_get("", "pid").unwrap());
    held.let_go().await;
    scene.activate().await;
    assert_eq!(job_ended(&heir.app, &heir.who).await.state, JobState::Complete);
    drop(standing);
    let written = writing.await.unwrap();
    assert!(written.is_ok(), "the workspace is there: {written:?}");
    scene.filled.notes.push("written meanwhile".to_owned());
    scene.is_all_there(&heir).await;
    scene.end(heir).await;
}
