//! How often KMS is called while people work: not the more the more they work.

use crate::{
    steps::{NOTE, Site},
    support::{
        Answer, Database, Ground,
        kms_proxy::{Act, Call, Operation, Rule},
    },
};
use app::api::workspaces::{Inside, WorkspaceContents};
use futures::future::join_all;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const INTERVAL: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_first_readers_of_a_workspace_cause_one_unwrap() {
    let ground = Ground::new(Database::Postgres).await;
    let one = Site::on(&ground, |_| {}).await;
    let workspace = one.workspace("Claims triage").await;
    // A server that has not opened it yet.
    let two = Site::on(&ground, |_| {}).await;
    drop(ground);
    let browser = two.app.signed_in().await;
    // They all come while KMS takes its time.
    two.proxy.set([Rule::on(Operation::Decrypt, Act::Delay(Duration::from_secs(1))).scope(&workspace)]);
    let path = format!("/workspaces/{workspace}");
    let pages = join_all((0..200).map(|_| browser.open(&path))).await;
    for page in &pages {
        assert!(page.status.is_success() && page.text().contains(NOTE), "{}", page.status);
    }
    assert_eq!(two.proxy.count(|call| call.is_unwrap_of(&workspace)), 1);
    one.stop().await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_the_first_unwrap_is_told_to_all_who_wait_and_asked_for_twice() {
    let ground = Ground::new(Database::Postgres).await;
    let one = Site::on(&ground, |_| {}).await;
    let workspace = one.workspace("Claims triage").await;
    let two = Site::on(&ground, |_| {}).await;
    drop(ground);
    let browser = two.app.signed_in().await;
    two.proxy.set([Rule::on(Operation::Decrypt, Act::Fail(400, "AccessDeniedException")).scope(&workspace)]);
    let fields = [("workspace", workspace.as_str())];
    let answers = join_all((0..50).map(|_| {
        let mut browser = browser.clone();
        async move { browser.call("open_workspace", &fields).await }
    }))
    .await;
    let is_locked = |answer: &Answer| matches!(answer.json::<WorkspaceContents>().inside, Inside::Locked(_));
    assert!(answers.iter().all(is_locked));
    let asked = two.proxy.count(|call| call.is_unwrap_of(&workspace));
    assert!(asked <= 3, "one refusal, its confirmation, and perhaps one question later: {asked} calls");
    one.stop().await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_people_work_there_is_one_check_per_interval_and_nothing_else() {
    let site = Site::new(Database::Postgres, |config| config.key_check = INTERVAL).await;
    let arn = site.activate().await;
    let workspaces = [site.workspace("Claims triage").await, site.workspace("Harbour survey").await];
    let browser = site.app.signed_in().await;
    let mark = site.proxy.mark();
    let (began, mut requests) = (Instant::now(), 0);
    while began.elapsed() < 12 * INTERVAL {
        let reads = workspaces.iter().flat_map(|workspace| {
            let browser = &browser;
            (0..4).map(move |_| {
                let mut browser = browser.clone();
                async move { browser.call("open_workspace", &[("workspace", workspace)]).await }
            })
        });
        for answer in join_all(reads).await {
            assert!(answer.status.is_success());
            requests += 1;
        }
        let note = [("workspace", workspaces[0].as_str()), ("text", "one more")];
        assert!(browser.clone().call("create_note", &note).await.status.is_success());
    }
    let elapsed = began.elapsed();
    let calls = site.proxy.since(mark);
    let checks: Vec<_> = calls.iter().filter(|call| call.is_check()).collect();
    // The pause between two checks is never less than 80 % of the interval.
    let most = elapsed.as_millis() / (INTERVAL.as_millis() * 8 / 10) + 2;
    assert!(checks.len() as u128 <= most && checks.len() >= 3, "{} checks in {elapsed:?}", checks.len());
    assert!(requests > 10 * checks.len(), "there were too few requests to show anything: {requests}");
    for check in &checks {
        assert_eq!(check.key_id, arn);
        assert_eq!((&check.context, &check.blob), (&checks[0].context, &checks[0].blob));
        assert!(check.is_good());
    }
    assert_eq!(checks[0].context.len(), 3);
    assert_eq!(checks[0].context["deployment"], site.app.services.vault.deployment().to_string());
    // Both workspaces were opened before, by whoever wrote the first notes.
    let others: Vec<_> = calls.iter().filter(|call| !call.is_check() && !is_by_itself(call)).collect();
    assert!(others.is_empty(), "{others:?}");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_nobody_uses_calls_kms_for_its_checks_alone() {
    let site = Site::new(Database::Sqlite, |config| config.key_check = INTERVAL).await;
    site.workspace("Claims triage").await;
    let mark = site.proxy.mark();
    sleep(6 * INTERVAL).await;
    let calls = site.proxy.since(mark);
    assert!(calls.iter().all(|call| call.is_check() || is_by_itself(call)), "{calls:?}");
    site.stop().await;
}

/// What a server asks by itself beside its checks: what there is to know of the key, and to sign the audit log once a minute.
fn is_by_itself(call: &Call) -> bool {
    matches!(call.operation, Operation::DescribeKey | Operation::Sign)
}
