//! A backup that begins while somebody is about to give the object store's marker its next number.

use crate::{
    scene::Scene,
    steps::{Filled, job_ended, view},
    support::PATIENCE,
};
use app::{
    model::job::{JobState, PauseReason},
    ports::WorkspacesPort,
};
use server::store::backups;
use std::{process::Command, time::Duration};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

const WAITING: &str = "SELECT count(*) AS found FROM pg_stat_activity WHERE datname = current_database() \
     AND wait_event_type = 'Lock' AND query LIKE '%object_sweeps%'";

#[tokio::test(flavor = "multi_thread")]
async fn the_marker_does_not_get_ahead_of_a_copy_that_is_made_after_the_backup_began() {
    let mut scene = Scene::new().await;
    let heir = scene.heir().await;
    let (app, who) = (&heir.app, &heir.who);
    // The sweep at the end of the job has looked whether a backup is running, and is about to take its number.
    let held = scene.stands_still_at("object_sweeps", "").await;
    let (backup, store) = (Uuid::from_u128(1), app.services.store.clone());
    let begun = tokio::spawn(async move { backups::begin(store.write(), backup, Duration::from_hours(1)).await });
    let is_waiting = async || begun.is_finished() || scene.levers.number(WAITING).await > 1;
    scene.levers.until("the backup has begun, or waits for the sweep", is_waiting).await;
    let copy = if begun.is_finished() { Some(app.copy_database().await) } else { None };
    held.let_go().await;
    begun.await.unwrap().unwrap();
    let copy = match copy {
        Some(copy) => copy,
        None => app.copy_database().await,
    };
    // It waits for the backup, unless all that it has replaced had been removed before.
    let patience = Instant::now() + PATIENCE;
    let goes_on = async || {
        let job = view(app, who).await.job.unwrap();
        job.waiting != Some(PauseReason::Backup) && job.state != JobState::Complete
    };
    while goes_on().await {
        assert!(Instant::now() < patience, "{:?}", view(app, who).await.job);
        sleep(Duration::from_millis(20)).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let objects = folder.path().join("objects");
    assert!(Command::new("cp").arg("-a").arg(&app.objects).arg(&objects).status().unwrap().success());
    assert!(backups::end(app.services.store.write(), backup).await.unwrap());
    scene.ends_well(&heir).await;

    // The copies fit together: what the restored server replaces is collected.
    let restored = app.restored(&copy, objects).await;
    backups::end(restored.services.store.write(), backup).await.unwrap();
    assert_eq!(job_ended(&restored, who).await.state, JobState::Complete);
    let Filled { workspace, files, .. } = &scene.filled;
    restored.services.workspaces.delete_file(who, workspace, &files[0].0).await.unwrap();
    restored.until_object_notes(0).await;
    restored.stop().await;
    scene.end(heir).await;
}
