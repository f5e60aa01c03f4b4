//! Outages that are shorter than the grace: none of them may end access. Intervals and grace are a tenth of the usual ones,
//! and several servers go through outages at the same time.

use super::figures::Report;
use crate::support::{
    Database, Ground, TestApp,
    kms_proxy::{Act, Call, KmsProxy, Rule},
};
use app::ports::{OrganizationPort, WorkspacesPort};
use futures::future::join_all;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// The usual interval and grace, by ten.
const KEY_CHECK: Duration = Duration::from_millis(500);
const GRACE: Duration = Duration::from_secs(30);
/// From the last check before the outage to the first after it there can lie two intervals and one attempt more.
pub const LONGEST: Duration = Duration::from_secs(25);
pub const SHORT: Duration = Duration::from_secs(6);
const SHORTEST: Duration = Duration::from_secs(1);
/// How many servers there are at most.
const LANES: usize = 12;

/// One server with its proxy.
struct Lane {
    app: TestApp,
    proxy: KmsProxy,
    workspace: String,
}

/// Puts servers through so many outages, each at most `longest`.
pub async fn run(outages: usize, longest: Duration, report: &mut Report) {
    let lanes = outages.min(LANES);
    let began = Instant::now();
    let wrong = join_all((0..lanes).map(|lane| {
        // Dealt out like cards.
        let mine: Vec<_> = (lane..outages).step_by(lanes).map(|n| outage(n, longest)).collect();
        async move { tokio::spawn(go_through(mine)).await.unwrap() }
    }))
    .await;
    let wrong: Vec<String> = wrong.into_iter().flatten().collect();
    report.count(format!(
        "outages shorter than the grace: {outages}, of 1 to {} s; wrong cut-offs: {}",
        longest.as_secs(),
        wrong.len()
    ));
    println!("{outages} outages in {:.0?}", began.elapsed());
    for what in wrong {
        report.check(false, || what);
    }
}

/// The kind and length of an outage. The lengths are spread evenly between the shortest and the longest.
fn outage(n: usize, longest: Duration) -> (Act, Duration) {
    let kinds = [
        Act::Fail(400, "ThrottlingException"),
        Act::Hang,
        Act::Fail(500, "KMSInternalException"),
        Act::Reset,
        Act::Html(502),
        Act::Fail(503, "DependencyTimeoutException"),
        Act::Delay(Duration::from_millis(2_500)),
    ];
    // Multiples of the golden ratio, without the whole: no two are near each other.
    let share = (f64::from(u32::try_from(n).unwrap()) * 0.618_034).fract();
    (kinds[n % kinds.len()].clone(), SHORTEST + longest.saturating_sub(SHORTEST).mul_f64(share))
}

/// Gives the outages that ended access.
async fn go_through(outages: Vec<(Act, Duration)>) -> Vec<String> {
    let (ground, proxy) = (Ground::new(Database::Sqlite).await, KmsProxy::start().await);
    let app = start(&ground, &proxy).await;
    drop(ground);
    let who = app.administrator().await;
    let workspace = app.workspace().await;
    app.services.workspaces.create_note(&who, &workspace, "a note").await.unwrap();
    let lane = Lane { app, proxy, workspace };
    let mut wrong = Vec::new();
    for (kind, length) in outages {
        if !lane.outage(&kind, length).await {
            wrong.push(format!("an outage of {length:.1?} ended access: {kind:?}"));
        }
    }
    lane.app.stop().await;
    wrong
}

async fn start(ground: &Arc<Ground>, proxy: &KmsProxy) -> TestApp {
    ground
        .start(&proxy.url, |config| {
            config.key_check = KEY_CHECK;
            config.outage_grace = GRACE;
        })
        .await
}

impl Lane {
    /// Goes through one; `false` if it ended access.
    async fn outage(&self, kind: &Act, length: Duration) -> bool {
        let who = self.app.administrator().await;
        let mut open = self.app.services.vault.watch();
        open.mark_unchanged();
        self.proxy.set([Rule::all(kind.clone())]);
        let until = Instant::now() + length;
        let mut served = true;
        while Instant::now() < until {
            served &= self.app.services.organization.lock().is_none();
            served &= self.app.services.workspaces.notes(&who, &self.workspace, None).await.is_ok();
            sleep(Duration::from_millis(50)).await;
        }
        let mark = self.proxy.mark();
        self.proxy.clear();
        // Two, so that the next outage meets a lease that is new.
        self.proxy.until(mark, 2, "checks pass again", |call: &Call| call.is_check() && call.is_good()).await;
        served && !open.has_changed().unwrap() && self.app.services.organization.lock().is_none()
    }
}
