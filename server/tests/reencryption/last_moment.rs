//! A note that is put down in a transaction that commits only when the job is about to destroy its key: the job has counted by
//! then, and found nothing under it.

use crate::{
    scene::{NOTES, Scene, account_is_exact},
    steps::job_ended,
};
use app::model::job::{JobState, SetAsideReason};
use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};

/// Begins to put down the note of an upload to the workspace, under its current key.
async fn late_note(scene: &Scene) -> DatabaseTransaction {
    let late = scene.levers.on().begin().await.unwrap();
    let insert = format!(
        "INSERT INTO object_notes (place, state, expires_at, scope, data_key_id, created_at) \
         SELECT 'late', 'writing', 9000000000000000, scope, id, 0 FROM data_keys \
         WHERE state = 'current' AND scope = '{}'",
        scene.filled.workspace
    );
    assert_eq!(late.execute_unprepared(&insert).await.unwrap().rows_affected(), 1);
    late
}

/// Has the note appear while the job waits for the key, and go again when the job has seen it.
async fn appears_and_goes(scene: &mut Scene) {
    let late = late_note(scene).await;
    scene.activate().await;
    scene.levers.until_waiting("data_keys").await;
    late.commit().await.unwrap();
    let waits = "SELECT waiting FROM jobs WHERE waiting IS NOT NULL";
    scene.levers.until("the job waits", async || !scene.levers.rows(waits).await.is_empty()).await;
    // That the database refuses is not taken for trouble with the database.
    let reason: String = scene.levers.rows(waits).await[0].try_get("", "waiting").unwrap();
    assert_eq!(reason, "waiting_for_uploads");
    let kept = "SELECT count(*) AS found FROM data_keys JOIN object_notes ON data_key_id = data_keys.id \
                WHERE data_keys.state = 'retiring'";
    assert_eq!(scene.levers.number(kept).await, 1, "the key is there as long as the note");
    assert_eq!(scene.levers.change("DELETE FROM object_notes WHERE place = 'late'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_under_which_something_appears_as_it_is_destroyed_stays() {
    let mut scene = Scene::new().await;
    let heir = scene.heir().await;
    appears_and_goes(&mut scene).await;
    let job = scene.ends_well(&heir).await;
    account_is_exact(&job, &scene.filled, NOTES);
    scene.end(heir).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn so_does_one_that_is_kept_for_what_was_set_aside() {
    let mut scene = Scene::new().await;
    let heir = scene.heir().await;
    let swapped = "UPDATE notes SET text_sealed = (SELECT text_sealed FROM notes ORDER BY id LIMIT 1) \
                   WHERE id = (SELECT id FROM notes ORDER BY id DESC LIMIT 1)";
    assert_eq!(scene.levers.change(swapped).await, 1);
    appears_and_goes(&mut scene).await;
    let job = job_ended(&heir.app, &heir.who).await;
    let [group] = &job.set_aside[..] else { panic!("{job:?}") };
    let what = (job.state, group.reason, group.items);
    assert_eq!(what, (JobState::Complete, SetAsideReason::DoesNotBelongHere, 1), "{job:?}");
    let notes = job.items.iter().find(|items| items.kind == "Notes").unwrap();
    assert_eq!(notes.done, NOTES as u64 - 1);
    let keys = "SELECT count(*) AS found FROM data_keys WHERE state = 'retiring'";
    assert_eq!(scene.levers.number(keys).await, 1, "that of the workspace, for the note");
    scene.end(heir).await;
}
