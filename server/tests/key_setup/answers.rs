//! What each answer of AWS shows in the step that asked for it.

use crate::support::{
    Database, Ground, TestApp,
    kms_proxy::{Act, KmsProxy, Operation, Rule},
};
use app::{
    model::{
        key_test::TestOutcome,
        preflight::{KeyProblem, KeyWarning, PreflightStep, StepReport, StepResult},
    },
    ports::{EncryptionPort, Principal},
};

struct Site {
    app: TestApp,
    proxy: KmsProxy,
    who: Principal,
    arn: String,
}

impl Site {
    async fn new() -> Self {
        let ground = Ground::new(Database::Sqlite).await;
        let proxy = KmsProxy::start().await;
        let app = ground.start(&proxy.url, |_| {}).await;
        let (who, arn) = (app.administrator().await, app.keys.create().await);
        Self { app, proxy, who, arn }
    }

    /// The steps of a test while calls about the new key go as `rule` says.
    async fn steps(&self, rule: Rule) -> (TestOutcome, Vec<StepReport>) {
        self.proxy.set([rule.key(&self.arn)]);
        let test = self.app.services.encryption.test_key(&self.who, &self.arn).await.unwrap();
        self.proxy.clear();
        let steps = test.answers().next().unwrap().preflight.steps.clone();
        (test.outcome(), steps)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_told_in_its_step_with_code_and_request() {
    let site = Site::new().await;
    let fail = |code| Act::Fail(400, code);
    let (describe, encrypt, decrypt) = (Operation::DescribeKey, Operation::Encrypt, Operation::Decrypt);
    let cases = [
        (describe, fail("AccessDeniedException"), KeyProblem::DescribeDenied),
        (encrypt, fail("AccessDeniedException"), KeyProblem::EncryptDenied),
        (decrypt, fail("AccessDeniedException"), KeyProblem::DecryptDenied),
        (describe, fail("NotFoundException"), KeyProblem::NotFound),
        (encrypt, fail("DisabledException"), KeyProblem::Disabled),
        (encrypt, fail("KMSInvalidStateException"), KeyProblem::NotReady),
        (describe, fail("ThrottlingException"), KeyProblem::Throttled),
        (describe, fail("UnrecognizedClientException"), KeyProblem::OwnCredentials),
        (describe, fail("ExpiredTokenException"), KeyProblem::OwnCredentials),
        (encrypt, Act::Fail(500, "KMSInternalException"), KeyProblem::Unreachable),
        (encrypt, Act::Reset, KeyProblem::Unreachable),
        (describe, Act::Html(502), KeyProblem::Unreachable),
        (describe, Act::Empty, KeyProblem::UnexpectedAnswer),
        (encrypt, Act::WrongKeyId, KeyProblem::UnexpectedAnswer),
        (decrypt, Act::WrongKeyId, KeyProblem::UnexpectedAnswer),
        (decrypt, Act::WrongLength, KeyProblem::UnexpectedAnswer),
        (decrypt, Act::WrongPlaintext, KeyProblem::UnexpectedAnswer),
    ];
    for (operation, act, problem) in cases {
        let case = format!("{operation:?} {act:?}");
        let code = if let Act::Fail(_, code) = act { Some(code) } else { None };
        let (outcome, steps) = site.steps(Rule::on(operation, act)).await;
        let failed = steps.iter().position(|step| step.result == StepResult::Failed(problem));
        let failed = failed.unwrap_or_else(|| panic!("{case}: {steps:?}"));
        let expected = match operation {
            Operation::DescribeKey => PreflightStep::Describe,
            Operation::Encrypt => PreflightStep::Wrap,
            _ => PreflightStep::Unwrap,
        };
        assert_eq!(steps[failed].step, expected, "{case}");
        if let Some(code) = code {
            assert_eq!(steps[failed].code.as_deref(), Some(code), "{case}");
            assert!(steps[failed].request_id.is_some(), "{case}");
        }
        assert_eq!(steps.len(), 5, "{case}");
        assert!(steps[..failed].iter().all(|step| step.result == StepResult::Passed), "{case}: {steps:?}");
        assert!(steps[failed + 1..].iter().all(|step| step.result == StepResult::NotRun), "{case}: {steps:?}");
        // A policy may be on its way to all of AWS. Nothing else gets better by itself.
        let expected = if problem.is_denial() { TestOutcome::TryingAgain } else { TestOutcome::Failed };
        assert_eq!(outcome, expected, "{case}");
    }
    site.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_asks_for_what_the_key_policy_needs_and_for_nothing_else() {
    let site = Site::new().await;
    let deployment = site.app.services.organization.configured.id.clone();
    let mark = site.proxy.mark();
    let (outcome, steps) = site.steps(Rule::on(Operation::Other, Act::Pass)).await;
    // The emulator evaluates no condition on the context, so its policy is broader than needed.
    assert_eq!(outcome, TestOutcome::Passed);
    assert_eq!(steps[4].result, StepResult::Warning(KeyWarning::BroadPolicy));
    let calls = site.proxy.since(mark);
    let asked: Vec<_> = calls.iter().filter(|call| call.key_id == site.arn).collect();
    let operations: Vec<_> = asked.iter().map(|call| call.operation).collect();
    assert_eq!(operations, [Operation::DescribeKey, Operation::Encrypt, Operation::Decrypt, Operation::Encrypt]);
    let contexts: Vec<_> = asked.iter().map(|call| call.context.get("deployment").cloned()).collect();
    assert_eq!(contexts[..3], [None, Some(deployment.clone()), Some(deployment.clone())]);
    assert_ne!(contexts[3], Some(deployment), "the last one is another deployment's");

    // A narrow policy denies the last one, and that is as it should be.
    let denied = Rule::on(Operation::Encrypt, Act::Fail(400, "AccessDeniedException")).key(&site.arn);
    site.proxy.set([Rule::on(Operation::Encrypt, Act::Pass).key(&site.arn).times(1), denied]);
    let test = site.app.services.encryption.test_key(&site.who, &site.arn).await.unwrap();
    let last = &test.answers().next().unwrap().preflight.steps[4];
    assert_eq!((last.step, last.result), (PreflightStep::OtherDeployment, StepResult::Passed));
    assert_eq!(last.code.as_deref(), Some("AccessDeniedException"));
    site.app.stop().await;
}
