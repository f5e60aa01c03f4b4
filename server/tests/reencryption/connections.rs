//! Connections to the database that break in the middle of a job, again and again: at the very moment at which a batch is being
//! written, and whenever something has been done.

use crate::{
    levers::Levers,
    scene::account_is_exact,
    steps::{Filled, headers_agree, view},
    support::{Database, Ground, PATIENCE, tcp_proxy::TcpProxy},
    takeover::LAST,
};
use app::{model::job::JobState, ports::EncryptionPort};
use server::config::DatabaseUrl;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const NOTES: usize = 2_000;
const SIZES: [usize; 5] = [10, 70_000, 3_000_000, 9_000_000, 12_000_000];
/// How often the line is cut. Not more often: each time the job waits twice as long.
const CUTS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_connections_break_again_and_again_loses_nothing_and_counts_nothing_twice() {
    let ground = Ground::new(Database::Postgres).await;
    let line = TcpProxy::start(&ground.url).await;
    let kms = ground.keys.sdk.endpoint_url().unwrap().to_owned();
    let behind = ground.start(&kms, |config| config.database_url = DatabaseUrl::parse(&line.url).unwrap()).await;
    let who = behind.administrator().await;
    let filled = Filled::new(&behind, &who, "Claims triage", NOTES, &SIZES).await;
    let (levers, arn) = (Levers::at(&ground.url).await, ground.keys.create().await);
    // What has been done is looked at past the line.
    let done = "SELECT CAST(COALESCE(sum(items_done), 0) AS BIGINT) AS found FROM job_items";
    let unfinished = "SELECT count(*) AS found FROM jobs WHERE finished_at IS NULL";
    let held = levers.hold_row("notes", LAST).await;
    behind.services.encryption.activate(&who, &arn).await.unwrap();
    levers.until_waiting("notes").await;
    // In the middle of a batch, some of whose rows are written.
    line.cut();
    held.let_go().await;
    let (mut cuts, patience) = (1, Instant::now() + 4 * PATIENCE);
    while levers.number(unfinished).await > 0 {
        let before = levers.number(done).await;
        line.restore();
        // Until something is done, or all of it.
        while levers.number(done).await == before && levers.number(unfinished).await > 0 {
            assert!(Instant::now() < patience, "the job does not go on after {cuts} cuts: {}", log(&levers).await);
            sleep(Duration::from_millis(2)).await;
        }
        if cuts < CUTS && levers.number(unfinished).await > 0 {
            line.cut();
            cuts += 1;
        }
    }
    line.restore();
    assert_eq!(cuts, CUTS, "there was too little to do to be cut off in the middle of it");
    let job = loop {
        // Its connections are new ones by now, or will be.
        if let Ok(seen) = behind.services.encryption.view(&who, None).await {
            break seen.job.unwrap();
        }
        assert!(Instant::now() < patience, "the database is not reached again");
        sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(job.state, JobState::Complete, "{job:?}");
    account_is_exact(&job, &filled, NOTES);
    filled.is_intact(&behind, &who).await;
    headers_agree(&behind).await;
    assert_eq!(view(&behind, &who).await.data_keys, 2);
    // A writer that could not say so has left its note to its end.
    levers.change("UPDATE object_notes SET expires_at = 0 WHERE state = 'writing'").await;
    behind.until("no object is left over", |app| app.stored_objects() == SIZES.len()).await;
    behind.stop().await;
    ground.remove().await;
}

async fn log(levers: &Levers) -> String {
    let job = levers.rows("SELECT state, stage, COALESCE(waiting, '') AS waiting FROM jobs").await;
    let word = |name: &str| job[0].try_get::<String>("", name).unwrap();
    format!("{} {} {}", word("state"), word("stage"), word("waiting"))
}
