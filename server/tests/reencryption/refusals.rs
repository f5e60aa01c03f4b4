//! KMS that refuses, or gives no answer, between any two calls of stage 1, and for one workspace in the middle of a job.

use crate::{
    control::Site,
    on_both_databases,
    steps::{Filled, headers_agree, job_ended, view},
    support::{
        Database, PATIENCE,
        kms_proxy::{Act, Operation, Rule},
    },
};
use app::{
    model::{
        encryption::RootKind,
        job::{JobFailure, JobState, JobView, PauseReason},
    },
    ports::{EncryptionPort, OrganizationPort},
};
use server::store::{entities::data_key::DataKeyState, house, sealed_tables::count};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

on_both_databases!(
    a_failure_between_any_two_calls_of_the_swap_leaves_one_root_key_in_control,
    a_workspace_that_is_denied_during_a_job_waits_alone_and_goes_on_by_itself,
);

/// What KMS answers from some call on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trouble {
    Denied,
    Disabled,
    Silent,
}

impl Trouble {
    fn act(self) -> Act {
        match self {
            Self::Denied => Act::Fail(400, "AccessDeniedException"),
            Self::Disabled => Act::Fail(400, "DisabledException"),
            Self::Silent => Act::Reset,
        }
    }
}

/// Three kinds of calls, one of each for every data key.
const KINDS: [(Operation, bool); 3] =
    [(Operation::Decrypt, false), (Operation::Encrypt, true), (Operation::Decrypt, true)];
const TROUBLES: [Trouble; 3] = [Trouble::Denied, Trouble::Disabled, Trouble::Silent];
/// The organization's, and two workspaces'.
const DATA_KEYS: usize = 3;

async fn a_failure_between_any_two_calls_of_the_swap_leaves_one_root_key_in_control(database: Database) {
    let site = Site::new(database).await;
    let one = Filled::new(&site.app, &site.who, "Claims triage", 5, &[70_000]).await;
    let two = Filled::new(&site.app, &site.who, "Harbour survey", 5, &[1_000]).await;
    // Every kind of trouble in every kind of call, and every number of calls before it; together with the other database all
    // of their combinations but a few.
    let shift = usize::from(matches!(database, Database::Postgres));
    for (at, (operation, by_new)) in KINDS.into_iter().enumerate() {
        for passed in 0..DATA_KEYS {
            let trouble = TROUBLES[(at + passed + shift) % TROUBLES.len()];
            let arn = site.ground.keys.create().await;
            begins_to_fail(&site, operation, by_new, passed, trouble, &arn).await;
            one.is_intact(&site.app, &site.who).await;
            two.is_intact(&site.app, &site.who).await;
            headers_agree(&site.app).await;
            site.all_wrapped_by(&arn).await;
            site.delete_key(&arn).await;
        }
    }
    one.is_intact(&site.app, &site.who).await;
    two.is_intact(&site.app, &site.who).await;
    site.stop().await;
}

/// Activates a key while calls of one kind fail from the one after `passed` on; ends with that key in control.
async fn begins_to_fail(site: &Site, operation: Operation, by_new: bool, passed: usize, trouble: Trouble, arn: &str) {
    let case = format!("{operation:?}, by the new key {by_new}, after {passed} calls: {trouble:?}");
    let provider = &site.ground.keys.provider;
    // What the preflight asks for is asked for once more when the key is activated, and must pass.
    let mark = site.proxy.mark();
    site.app.services.encryption.test_key(&site.who, arn).await.unwrap();
    let before =
        site.proxy.since(mark).iter().filter(|call| call.key_id == *arn && call.operation == operation).count();
    let key = if by_new { arn } else { provider };
    site.proxy.set([
        Rule::on(operation, Act::Pass).key(key).times(if by_new { before + passed } else { passed }),
        Rule::on(operation, trouble.act()).key(key),
    ]);
    let services = &site.app.services;
    services.encryption.activate(&site.who, arn).await.unwrap_or_else(|error| panic!("{case}: {error:?}"));
    let job = comes_to_a_halt(site, &case).await;
    match (by_new, trouble) {
        (true, Trouble::Denied | Trouble::Disabled) => {
            assert_eq!((job.state, job.failure), (JobState::Failed, Some(JobFailure::NewRootRefused)), "{case}");
        }
        (false, Trouble::Denied | Trouble::Disabled) => {
            assert_eq!((job.state, job.waiting), (JobState::Paused, Some(PauseReason::Locked)), "{case}: {job:?}");
        }
        (_, Trouble::Silent) => {
            assert_eq!((job.state, job.waiting), (JobState::Paused, Some(PauseReason::KmsUnreachable)), "{case}");
        }
    }
    let root = view(&site.app, &site.who).await.root;
    assert_eq!((root.kind, &root.arn), (RootKind::Provider, provider), "{case}");
    site.all_wrapped_by(provider).await;
    site.proxy.clear();
    site.app.until("everything is open", |app| app.services.organization.lock().is_none()).await;
    if job.state == JobState::Failed {
        services.encryption.activate(&site.who, arn).await.unwrap_or_else(|error| panic!("{case}: {error:?}"));
    }
    let job = job_ended(&site.app, &site.who).await;
    assert_eq!(job.state, JobState::Complete, "{case}: {job:?}");
}

/// Waits until the job has ended, or says what it waits for.
async fn comes_to_a_halt(site: &Site, case: &str) -> JobView {
    let patience = Instant::now() + 2 * PATIENCE;
    loop {
        let job = view(&site.app, &site.who).await.job.unwrap();
        assert_ne!(job.state, JobState::Complete, "{case}");
        if job.state != JobState::Running {
            return job;
        }
        assert!(Instant::now() < patience, "{case}: waited in vain: {job:?}");
        sleep(Duration::from_millis(10)).await;
    }
}

async fn a_workspace_that_is_denied_during_a_job_waits_alone_and_goes_on_by_itself(database: Database) {
    let site = Site::new(database).await;
    let denied = Filled::new(&site.app, &site.who, "Claims triage", 100, &[70_000]).await;
    let other = Filled::new(&site.app, &site.who, "Harbour survey", 100, &[1_000, 5_000_000]).await;
    // The first time, its fresh data key cannot be wrapped; the second time it can, and then cannot be unwrapped.
    for (operation, passed) in [(Operation::Encrypt, 1), (Operation::Decrypt, 2)] {
        let arn = site.ground.keys.create().await;
        let rule = |act| Rule::on(operation, act).key(&arn).scope(&denied.workspace);
        site.proxy.set([rule(Act::Pass).times(passed), rule(Act::Fail(400, "AccessDeniedException"))]);
        site.activate(&arn).await;
        let job = comes_to_a_halt(&site, "denied").await;
        assert_eq!((job.state, job.waiting), (JobState::Paused, Some(PauseReason::ScopeRefused)), "{job:?}");
        assert_eq!(job.scope.as_ref(), Some(&denied.workspace));
        assert_eq!(job.code.as_deref(), Some("AccessDeniedException"));
        assert_eq!(view(&site.app, &site.who).await.root.arn, arn, "the new root key is in control all the same");
        // The rest is done meanwhile.
        other.is_intact(&site.app, &site.who).await;
        let retiring = retiring(&site).await;
        let left = count(site.app.services.store.read(), "notes", Some(&retiring)).await.unwrap().items;
        let of_it = if operation == Operation::Encrypt { 0 } else { denied.notes.len() };
        assert_eq!(left, i64::try_from(of_it).unwrap(), "only its own are left");
        site.proxy.clear();
        let job = job_ended(&site.app, &site.who).await;
        assert_eq!((job.state, job.scope), (JobState::Complete, None));
        let workspace = denied.workspace.as_str();
        site.app.until("it is open", |app| app.lock_of(workspace).is_none()).await;
        denied.is_intact(&site.app, &site.who).await;
        other.is_intact(&site.app, &site.who).await;
        headers_agree(&site.app).await;
        assert_eq!(view(&site.app, &site.who).await.data_keys, 3);
        site.delete_key(&arn).await;
    }
    site.stop().await;
}

async fn retiring(site: &Site) -> Vec<Uuid> {
    let keys = house::all_keys(site.app.services.store.read()).await.unwrap();
    keys.into_iter().filter(|key| key.state == DataKeyState::Retiring).map(|key| key.id).collect()
}
