//! The data keys of workspaces in use are unwrapped again, once a period, and those of others are let go.

use crate::{
    steps::{Site, patient},
    support::{
        Database,
        kms_proxy::{Act, Call, Operation, Rule},
    },
};
use app::ports::WorkspacesPort;
use server::{config::Config, services::workspace_locks::WorkspaceKeyTimes};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const RENEW: Duration = Duration::from_secs(3);

fn hasty(config: &mut Config) {
    patient(config);
    config.workspace_keys = WorkspaceKeyTimes {
        renew: RENEW,
        retry: Duration::from_millis(500),
        confirm: Duration::from_millis(200),
        ask_again: Duration::from_millis(500),
    };
}

async fn use_for(site: &Site, workspace: &str, time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        assert!(site.app.services.workspaces.notes(&site.who, workspace, None).await.is_ok());
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_in_use_is_renewed_once_a_period_and_an_unused_one_not_at_all() {
    let site = Site::new(Database::Sqlite, hasty).await;
    let (used, unused) = (site.workspace("Claims triage").await, site.workspace("Harbour survey").await);
    let mark = site.proxy.mark();
    use_for(&site, &used, 4 * RENEW).await;
    let calls = site.proxy.since(mark);
    let renewals: Vec<_> = calls.iter().filter(|call| call.is_unwrap_of(&used)).collect();
    assert!((2..=5).contains(&renewals.len()), "{renewals:?}");
    for pair in renewals.windows(2) {
        assert!(pair[1].at - pair[0].at > RENEW / 2, "two renewals in one period: {renewals:?}");
    }
    // It had been in use when it was made, so it may have been renewed once, but not again.
    assert!(calls.iter().filter(|call| call.is_unwrap_of(&unused)).count() <= 1, "{calls:?}");

    // Nobody comes any more.
    sleep(2 * RENEW).await;
    let mark = site.proxy.mark();
    sleep(3 * RENEW).await;
    assert!(site.proxy.since(mark).iter().all(|call| !call.is_unwrap_of(&used)), "it is renewed for nobody");
    // The next reader has it unwrapped.
    assert!(site.app.services.workspaces.notes(&site.who, &used, None).await.is_ok());
    assert_eq!(site.proxy.since(mark).iter().filter(|call| call.is_unwrap_of(&used)).count(), 1);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_without_an_answer_is_repeated_and_nobody_notices() {
    let site = Site::new(Database::Sqlite, hasty).await;
    let workspace = site.workspace("Claims triage").await;
    let throttled = Act::Fail(400, "ThrottlingException");
    site.proxy.set([Rule::on(Operation::Decrypt, throttled).scope(&workspace).times(3)]);
    let mark = site.proxy.mark();
    for _ in 0..1_500 {
        use_for(&site, &workspace, Duration::from_millis(20)).await;
        assert_eq!(site.app.lock_of(&workspace), None);
        if site.proxy.since(mark).iter().any(|call| call.is_unwrap_of(&workspace) && call.is_good()) {
            break;
        }
    }
    let asked: Vec<_> = site.proxy.since(mark).into_iter().filter(|call| call.is_unwrap_of(&workspace)).collect();
    assert_eq!(asked.iter().filter(|call| !call.is_good()).count(), 3, "{asked:?}");
    assert!(asked.iter().any(Call::is_good), "{asked:?}");
    site.stop().await;
}
