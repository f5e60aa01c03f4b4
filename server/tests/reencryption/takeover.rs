//! The server that runs the job is killed in the middle of a transaction; another completes it, and nothing is done twice.

use crate::scene::{NOTES, Scene, account_is_exact};
use tokio::join;

/// The last rows in the order in which the job takes them: everything before them is done by then.
pub const LAST: &str = "ORDER BY id DESC";

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_server_is_killed_is_completed_by_another_and_counted_once() {
    join!(
        killed_at("notes", LAST),
        killed_at("objects", LAST),
        killed_at("job_items", "WHERE kind = 'files' AND items_total > 0"),
        killed_at("data_keys", "WHERE state = 'retiring' ORDER BY id")
    );
}

/// Each of these is another point: a batch of records, an object that is complete but not pointed at, the account of a batch
/// that is written, and the destruction of the old keys.
async fn killed_at(table: &str, which: &str) {
    let mut scene = Scene::new().await;
    let held = match table {
        // These rows are the job's own, so they are not there before it begins.
        "job_items" | "data_keys" => {
            let early = scene.stands_still_at("notes", LAST).await;
            let held = scene.levers.hold_row(table, which).await;
            early.let_go().await;
            scene.levers.until_waiting(table).await;
            held
        }
        _ => scene.stands_still_at(table, which).await,
    };
    let heir = scene.heir().await;
    let fence = scene.fence().await;
    assert_eq!(fence, 1, "the runner has the job");
    scene.runner.kill();
    held.let_go().await;
    let job = scene.ends_well(&heir).await;
    assert!(scene.fence().await > fence, "it was taken over");
    account_is_exact(&job, &scene.filled, NOTES);
    scene.end(heir).await;
}
