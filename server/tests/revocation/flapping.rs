//! KMS is eventually consistent: after a key was disabled, some answers may still be successes. None of them alone counts.

use crate::{
    steps::{Site, patient},
    support::{
        Database,
        kms_proxy::{Act, Call, Operation, Rule},
    },
};
use app::model::lock::LockCause;

/// What each check is answered while KMS cannot make up its mind.
fn flap(turns: &[bool]) -> [Rule; 1] {
    [Rule::on(Operation::Decrypt, Act::Flap(turns.to_vec())).scope("organization")]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_flaps_after_it_was_disabled_locks_and_stays_locked() {
    // Every other answer is good; then by and by, without two good ones in a row.
    for turns in [&[true, false][..], &[false, true, false, false, true, false, true, false, false, false]] {
        let site = Site::new(Database::Sqlite, patient).await;
        let arn = site.activate().await;
        let workspace = site.workspace("Claims triage").await;
        site.proxy.set(flap(turns));
        let mark = site.proxy.mark();
        site.app.keys.disable(&arn).await;
        assert_eq!(site.until_locked().await.cause, LockCause::Disabled);
        let browser = site.app.signed_in().await;
        let locked_at = site.proxy.mark();
        while site.proxy.since(locked_at).iter().filter(|call| call.is_check()).count() < 30 {
            assert!(site.lock().is_some(), "one good answer has unlocked it");
            let answer = browser.clone().call("open_workspace", &[("workspace", &workspace)]).await;
            assert_eq!(answer.status, 423);
        }
        let answers = site.proxy.since(mark);
        assert!(answers.iter().any(Call::is_good), "it did flap");

        // Two in a row.
        site.proxy.set(flap(&[true]));
        site.until_open().await;
        // And the truth again: a single refusal does not stand alone, the second ends it.
        site.proxy.clear();
        site.until_locked().await;
        site.app.keys.enable(&arn).await;
        site.until_open().await;
        site.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refusal_between_successes_interrupts_nobody() {
    let site = Site::new(Database::Sqlite, patient).await;
    let workspace = site.workspace("Claims triage").await;
    let mut browser = site.app.signed_in().await;
    let mark = site.proxy.mark();
    let refusal = Act::Fail(400, "AccessDeniedException");
    site.proxy.set([Rule::on(Operation::Decrypt, refusal).scope("organization").times(1)]);
    while site.proxy.since(mark).iter().filter(|call| call.is_check()).count() < 20 {
        assert_eq!(site.lock(), None);
        assert!(browser.call("open_workspace", &[("workspace", &workspace)]).await.status.is_success());
    }
    assert_eq!(site.proxy.count(Call::is_refused), 1);
    site.stop().await;
}
