//! Several servers test a key, each with its own credentials; denials are tried again.

use crate::support::{
    Database, Ground, TestApp,
    kms_proxy::{Act, KmsProxy, Operation, Rule},
};
use app::{
    model::{
        encryption::RootKind,
        key_test::{Activation, KeyTest, TestOutcome},
        preflight::KeyProblem,
    },
    ports::{EncryptionPort, Principal},
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

const DENIED: Act = Act::Fail(400, "AccessDeniedException");
const PATIENCE: Duration = Duration::from_secs(30);

struct Site {
    app: TestApp,
    proxy: KmsProxy,
    who: Principal,
}

impl Site {
    async fn on(ground: &Arc<Ground>) -> Self {
        let proxy = KmsProxy::start().await;
        let app = ground.start(&proxy.url, |_| {}).await;
        let who = app.administrator().await;
        Self { app, proxy, who }
    }

    async fn test(&self, arn: &str) -> KeyTest {
        self.app.services.encryption.test_key(&self.who, arn).await.unwrap()
    }

    /// The test as the page shows it now.
    async fn seen(&self, id: &str) -> KeyTest {
        self.app.services.encryption.view(&self.who, Some(id)).await.unwrap().test.unwrap()
    }

    /// Waits until a test shows what it must.
    async fn until(&self, id: &str, what: &str, is_so: impl Fn(&KeyTest) -> bool) -> KeyTest {
        let patience = Instant::now() + PATIENCE;
        loop {
            let seen = self.seen(id).await;
            if is_so(&seen) {
                return seen;
            }
            assert!(Instant::now() < patience, "waited in vain until {what}: {seen:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn root(&self) -> RootKind {
        self.app.services.encryption.view(&self.who, None).await.unwrap().root.kind
    }

    fn calls(&self, arn: &str) -> usize {
        self.proxy.calls().iter().filter(|call| call.key_id == arn).count()
    }
}

fn problems(test: &KeyTest) -> Vec<Option<KeyProblem>> {
    test.answers().map(|answer| answer.preflight.problem()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_live_server_tests_the_key_and_one_refusal_keeps_it_from_being_activated() {
    let ground = Ground::new(Database::Postgres).await;
    let (one, two, three) = (Site::on(&ground).await, Site::on(&ground).await, Site::on(&ground).await);
    drop(ground);
    let arn = one.app.keys.create().await;
    three.proxy.set([Rule::on(Operation::Decrypt, DENIED).key(&arn)]);
    let id = one.test(&arn).await.id;
    let all = one.until(&id, "all three have answered", |test| test.silent().next().is_none()).await;
    assert_eq!(all.servers.len(), 3, "{all:?}");
    let found = problems(&all);
    assert_eq!(found.iter().filter(|problem| problem.is_none()).count(), 2, "{found:?}");
    assert!(found.contains(&Some(KeyProblem::DecryptDenied)), "{found:?}");
    assert_eq!(all.outcome(), TestOutcome::TryingAgain);
    // It is the same test wherever it is looked at, and each server used its own way to KMS.
    assert_eq!(two.seen(&id).await.servers.len(), 3);
    assert!(two.calls(&arn) > 0 && three.calls(&arn) > 0);

    let answer = one.app.services.encryption.activate(&one.who, &arn).await.unwrap();
    assert!(matches!(answer, Activation::Refused(_)), "{answer:?}");
    assert_eq!(one.root().await, RootKind::Provider);

    three.proxy.clear();
    assert_eq!(one.app.services.encryption.activate(&one.who, &arn).await, Ok(Activation::Begun));
    for site in [one, two, three] {
        site.app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_is_tried_again_until_it_passes_and_then_no_more() {
    let ground = Ground::new(Database::Sqlite).await;
    let site = Site::on(&ground).await;
    drop(ground);
    let arn = site.app.keys.create().await;
    site.proxy.set([Rule::on(Operation::DescribeKey, DENIED).key(&arn)]);
    let test = site.test(&arn).await;
    assert_eq!((test.outcome(), problems(&test)), (TestOutcome::TryingAgain, vec![Some(KeyProblem::DescribeDenied)]));
    assert!(test.tries_for > 0 && test.tries_for <= 180_000, "{test:?}");
    site.until(&test.id, "it is tried again", |test| test.answers().any(|answer| answer.attempts == 2)).await;
    site.proxy.clear();
    let passed = site.until(&test.id, "it passes", |test| test.outcome() == TestOutcome::Passed).await;
    let calls = site.calls(&arn);
    sleep(Duration::from_secs(6)).await;
    assert_eq!(site.calls(&arn), calls, "what has passed is not tried again");
    let later = site.seen(&test.id).await;
    assert_eq!((later.outcome(), &later.servers), (TestOutcome::Passed, &passed.servers));
    site.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_newest_test_is_tried_again() {
    let ground = Ground::new(Database::Sqlite).await;
    let site = Site::on(&ground).await;
    drop(ground);
    let (first, second) = (site.app.keys.create().await, site.app.keys.create().await);
    site.proxy
        .set([Rule::on(Operation::Encrypt, DENIED).key(&first), Rule::on(Operation::Encrypt, DENIED).key(&second)]);
    let old = site.test(&first).await.id;
    let new = site.test(&second).await.id;
    assert_eq!(site.seen(&old).await.outcome(), TestOutcome::Failed, "it is over");
    let calls = site.calls(&first);
    site.until(&new, "the newer is tried again", |test| test.answers().any(|answer| answer.attempts == 2)).await;
    assert_eq!(site.calls(&first), calls);
    site.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_ask_does_not_keep_the_others_waiting() {
    let ground = Ground::new(Database::Postgres).await;
    let (one, two) = (Site::on(&ground).await, Site::on(&ground).await);
    drop(ground);
    let arn = one.app.keys.create().await;
    two.proxy.set([Rule::on(Operation::DescribeKey, Act::Hang).key(&arn)]);
    let test = one.test(&arn).await;
    assert_eq!((test.outcome(), test.silent().count()), (TestOutcome::Waiting, 1), "{test:?}");
    // It has until then to say no. After that it counts as gone: a server that cannot use the root key locks itself.
    let late = one.until(&test.id, "it is not waited for any more", |test| test.is_late).await;
    assert!(matches!(late.outcome(), TestOutcome::Passed | TestOutcome::Failed), "{late:?}");
    assert_eq!(one.app.services.encryption.activate(&one.who, &arn).await, Ok(Activation::Begun));
    one.app.stop().await;
    two.proxy.clear();
    two.app.stop().await;
}
