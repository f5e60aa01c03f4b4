//! Foreground: what people wait while everything is re-encrypted, beside what they wait without a job.
//!
//! The real program runs in a process of its own over a workspace of a million notes. Four of five requests open that
//! workspace (50 notes), one adds a note to it. First comes the rate at which as many are answered as can be; then, at a fifth
//! of it, windows without a job and windows during stage 2 of one take turns. Client and server share the machine.

use crate::{
    deployment::{Administrator, settle, until_complete, until_control},
    figures::{Bound, RUNS, Scale, line, median, note, quantile, title},
    load::{Answers, People},
    support::{
        Database, Ground,
        notes::{add_notes, workspace},
        program::Program,
    },
};
use server::{jobs::queue, store::Store};
use std::{env, sync::Arc, time::Duration};
use tokio::sync::oneshot::{self, error::TryRecvError};

const NOTES: usize = 1_000_000;
/// The part of the greatest rate at which people come.
const SHARE: f64 = 0.2;
/// Milliseconds.
const WARM_UP: usize = 3_000;
const PEAK: usize = 8_000;
const WINDOW: usize = 20_000;
/// Shorter says nothing, also on a small scale.
const SHORTEST: usize = 1_000;

pub async fn measure(scale: Scale) {
    // How long a batch may hold the database, in milliseconds (`jobs/records.rs`).
    for (database, batch) in [(Database::Sqlite, 20.0), (Database::Postgres, 100.0)] {
        on(database, batch, scale).await;
    }
}

async fn on(database: Database, batch: f64, scale: Scale) {
    let (ground, workspace) = filled(database, scale.of(NOTES)).await;
    let program = Program::start_on(&ground, "log", &[]).await;
    let browser = program.signed_in().await;
    let store = Store::connect(&ground.url).await.unwrap();
    let people = People { browser: browser.clone(), workspace };
    let mut administrator = Administrator { browser, arn: ground.keys.create().await, is_active: false };
    let time = |full| Duration::from_millis(scale.of(full).max(SHORTEST) as u64);
    people.at_most(time(WARM_UP)).await;
    let (peak, window) = (people.at_most(time(PEAK)).await, time(WINDOW));
    let rate = peak * SHARE;
    title(&format!("Foreground: {rate:.0} requests a second while a job runs, on {database:?}"));
    note(&format!(
        "a fifth of the {peak:.0} a second that are answered at most; p99 from the intended moment of sending"
    ));
    let (mut without, mut with, mut failed) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()], 0);
    let mut pace = Vec::new();
    for _ in 0..RUNS {
        failed += take(&mut without, people.at_rate(rate, window).await);
        let (answers, rows) = during_jobs(&people, rate, window, &mut administrator, &store).await;
        failed += take(&mut with, answers);
        pace.push(rows);
    }
    let [[reads, writes], [reads_with, writes_with]] = [&without, &with].map(|p99| [0, 1].map(|at| median(&p99[at])));
    line("p99 of reads during a job, beside without", "ms", reads_with, reads, Bound::AtMost(1.5));
    let allowed = writes + 2.0 * batch;
    line("p99 of writes during a job, beside without and two batches", "ms", writes_with, allowed, Bound::AtMost(1.0));
    line("requests that failed, beside none (counted from 1)", "", 1.0 + failed as f64, 1.0, Bound::AtMost(1.0));
    note(&format!("p99 of writes without a job: {writes:.1} ms; the job meanwhile: {:.0} rows/s", median(&pace)));
    store.close().await.unwrap();
    drop(program);
    ground.remove().await;
}

/// A deployment with a workspace of so many notes, and nobody running it.
async fn filled(database: Database, notes: usize) -> (Arc<Ground>, String) {
    let ground = Ground::new(database).await;
    let app = ground.start(&env::var("KEYSTEAD_TEST_KMS_URL").unwrap(), |_| {}).await;
    let workspace = workspace(&app).await;
    add_notes(&app.services, &workspace, notes).await;
    settle(&app.services.store).await;
    app.stop().await;
    (ground, workspace.id.to_string())
}

/// Adds the p99 of reads and of writes. Gives how many requests failed.
fn take(p99: &mut [Vec<f64>; 2], answers: Answers) -> usize {
    for (p99, answers) in p99.iter_mut().zip([answers.reads, answers.writes]) {
        p99.push(quantile(&answers, 0.99));
    }
    answers.failed
}

/// A window during which one job follows another. Gives the answers, and how many rows a second the jobs rewrote.
async fn during_jobs(
    people: &People,
    rate: f64,
    window: Duration,
    administrator: &mut Administrator,
    store: &Store,
) -> (Answers, f64) {
    administrator.change_key().await;
    until_control(store).await;
    let (end, mut ended) = oneshot::channel::<()>();
    let jobs = async {
        let (mut records, mut seconds) = (0, 0.0);
        loop {
            let job = until_complete(store).await;
            records += server::jobs::account::sum_of(store.read(), job.id).await.unwrap().items;
            seconds += (job.finished_at.unwrap() - job.control_at.unwrap()) as f64 / 1e3;
            if !matches!(ended.try_recv(), Err(TryRecvError::Empty)) {
                return records as f64 / seconds;
            }
            administrator.change_key().await;
        }
    };
    let answers = async {
        let answers = people.at_rate(rate, window).await;
        end.send(()).unwrap();
        answers
    };
    let (rows, answers) = tokio::join!(jobs, answers);
    assert!(queue::unfinished(store.read()).await.unwrap().is_none());
    (answers, rows)
}
