//! The preflight: whether a key may become the root key, asked of AWS step by step. Nothing changes.

use super::failure::Failure;
use app::model::{
    key_arn::KeyArn,
    preflight::{DeniedBy, KeyProblem, KeyWarning, Preflight, PreflightStep, StepReport, StepResult},
};
use std::sync::Arc;
use vault::{
    Denial, DeploymentId, KeyDescription, KeyManager, KeyOrigin, KeySpec, KeyState, KeyUsage, Kms, KmsClass, KmsError,
    Probe, Refusal, Vault,
};

/// Asks AWS about keys on behalf of this deployment.
pub struct Preflights {
    pub kms: Kms,
    pub vault: Arc<Vault>,
    pub provider_key: KeyArn,
    /// The accounts whose keys may be root; empty for any.
    pub customer_accounts: Vec<String>,
}

/// One step's result with what AWS said.
struct Answer {
    result: StepResult,
    code: Option<String>,
    request_id: Option<String>,
    denial: Option<DeniedBy>,
    at: Option<i64>,
}

impl Answer {
    fn ours(result: StepResult) -> Self {
        Self { result, code: None, request_id: None, denial: None, at: None }
    }

    fn passed(request_id: Option<String>) -> Self {
        Self { request_id, ..Self::ours(StepResult::Passed) }
    }

    fn failed(error: KmsError, denied: KeyProblem) -> Self {
        let problem = problem(&error, denied);
        let denial = error.denial.map(|denial| match denial {
            Denial::KeyPolicy => DeniedBy::KeyPolicy,
            Denial::CallerPolicy => DeniedBy::CallerPolicy,
            Denial::OrganizationPolicy => DeniedBy::OrganizationPolicy,
            Denial::EndpointPolicy => DeniedBy::EndpointPolicy,
        });
        let (code, request_id) = (error.code, error.request_id);
        Self { result: StepResult::Failed(problem), code, request_id, denial, at: None }
    }

    fn is_failure(&self) -> bool {
        matches!(self.result, StepResult::Failed(_))
    }
}

impl Preflights {
    /// Runs the steps in order; after a failure the rest is not run.
    ///
    /// # Errors
    /// Only when there is no randomness; everything AWS says is in the result.
    pub async fn run(&self, arn: &KeyArn) -> Result<Preflight, Failure> {
        let mut report = Report::default();
        if report.add(PreflightStep::Arn, self.arn(arn)) {
            let described = self.describe(arn).await;
            if report.add(PreflightStep::Describe, described) {
                self.try_out(arn, &mut report).await?;
            }
        }
        Ok(report.complete())
    }

    async fn try_out(&self, arn: &KeyArn, report: &mut Report) -> Result<(), Failure> {
        let probe = match self.kms.wrap_probe(arn.as_str(), self.vault.deployment(), self.vault.entropy()).await {
            Ok(probe) => probe,
            Err(error) => {
                report.add(PreflightStep::Wrap, Answer::failed(error, KeyProblem::EncryptDenied));
                return Ok(());
            }
        };
        report.add(PreflightStep::Wrap, Answer::passed(probe.request_id.clone()));
        if report.add(PreflightStep::Unwrap, self.unwrap(arn, &probe).await) {
            report.add(PreflightStep::OtherDeployment, self.other_deployment(arn).await?);
        }
        Ok(())
    }

    fn arn(&self, arn: &KeyArn) -> Answer {
        let account_allowed =
            self.customer_accounts.is_empty() || self.customer_accounts.iter().any(|allowed| allowed == arn.account());
        Answer::ours(if let Err(problem) = arn.check_home(self.provider_key.partition(), self.provider_key.region()) {
            StepResult::Failed(problem)
        } else if arn.as_str() == self.provider_key.as_str() {
            StepResult::Failed(KeyProblem::ProviderKey)
        } else if !account_allowed {
            StepResult::Failed(KeyProblem::AccountNotAllowed)
        } else {
            StepResult::Passed
        })
    }

    async fn describe(&self, arn: &KeyArn) -> Answer {
        match self.kms.describe(arn.as_str()).await {
            Ok(key) => {
                let result = describe_result(&key, arn);
                let at = key.deletion_date.or(key.valid_to);
                Answer { request_id: key.request_id, at, ..Answer::ours(result) }
            }
            Err(error) => Answer::failed(error, KeyProblem::DescribeDenied),
        }
    }

    async fn unwrap(&self, arn: &KeyArn, probe: &Probe) -> Answer {
        match self.kms.unwrap_probe(arn.as_str(), self.vault.deployment(), probe).await {
            Ok(request_id) => Answer::passed(request_id),
            Err(error) => Answer::failed(error, KeyProblem::DecryptDenied),
        }
    }

    /// A narrow policy denies this. Whatever else AWS answers says nothing against the key.
    async fn other_deployment(&self, arn: &KeyArn) -> Result<Answer, Failure> {
        let mut random = [0; 8];
        self.vault.entropy().fill(&mut random)?;
        let other = DeploymentId::new(&format!("not-this-one-{}", hex::encode(random)));
        let other = other.map_err(|_| Failure::Inconsistent("a made-up deployment id is none"))?;
        Ok(match self.kms.encrypt_as(arn.as_str(), &other, self.vault.entropy()).await {
            Ok(request_id) => Answer { request_id, ..Answer::ours(StepResult::Warning(KeyWarning::BroadPolicy)) },
            Err(error) => Answer { code: error.code, ..Answer::passed(error.request_id) },
        })
    }
}

/// The steps so far.
#[derive(Default)]
struct Report(Vec<StepReport>);

impl Report {
    /// Adds a step; `false` if it failed.
    fn add(&mut self, step: PreflightStep, answer: Answer) -> bool {
        let go_on = !answer.is_failure();
        let Answer { result, code, request_id, denial, at } = answer;
        self.0.push(StepReport { step, result, code, request_id, denial, at });
        go_on
    }

    /// Adds the steps that were not run.
    fn complete(mut self) -> Preflight {
        let all = [
            PreflightStep::Arn,
            PreflightStep::Describe,
            PreflightStep::Wrap,
            PreflightStep::Unwrap,
            PreflightStep::OtherDeployment,
        ];
        for step in all.into_iter().skip(self.0.len()) {
            self.add(step, Answer::ours(StepResult::NotRun));
        }
        Preflight { steps: self.0 }
    }
}

fn describe_result(key: &KeyDescription, arn: &KeyArn) -> StepResult {
    let problem = if key.arn != arn.as_str() {
        Some(KeyProblem::UnexpectedAnswer)
    } else if key.manager == KeyManager::Aws {
        Some(KeyProblem::AwsManaged)
    } else if key.spec != KeySpec::SymmetricDefault || key.usage != KeyUsage::EncryptDecrypt {
        Some(KeyProblem::WrongType)
    } else {
        match &key.state {
            KeyState::Enabled => None,
            KeyState::Disabled => Some(KeyProblem::Disabled),
            KeyState::PendingDeletion | KeyState::PendingReplicaDeletion => Some(KeyProblem::PendingDeletion),
            KeyState::PendingImport => Some(KeyProblem::PendingImport),
            KeyState::Creating | KeyState::Updating | KeyState::Unavailable => Some(KeyProblem::NotReady),
            KeyState::Unknown(_) => Some(KeyProblem::UnexpectedAnswer),
        }
    };
    match (problem, &key.manager, &key.origin) {
        (Some(problem), ..) => StepResult::Failed(problem),
        (None, KeyManager::Unknown(_), _) | (None, _, KeyOrigin::Unknown(_)) => {
            StepResult::Failed(KeyProblem::UnexpectedAnswer)
        }
        (None, _, KeyOrigin::External) => StepResult::Warning(KeyWarning::ImportedMaterial),
        (None, _, KeyOrigin::AwsCloudHsm | KeyOrigin::ExternalKeyStore) => {
            StepResult::Warning(KeyWarning::CustomKeyStore)
        }
        (None, ..) => StepResult::Passed,
    }
}

/// What an error of KMS means for a key. `denied` is what a denial means for the call that was made.
pub fn problem(error: &KmsError, denied: KeyProblem) -> KeyProblem {
    match error.class {
        KmsClass::Refused(Refusal::AccessDenied) => denied,
        KmsClass::Refused(Refusal::NotFound) => KeyProblem::NotFound,
        KmsClass::Refused(Refusal::Disabled) => KeyProblem::Disabled,
        KmsClass::Refused(Refusal::InvalidState) => KeyProblem::NotReady,
        KmsClass::OwnCredentials => KeyProblem::OwnCredentials,
        KmsClass::Unreachable { throttled: true, .. } => KeyProblem::Throttled,
        KmsClass::Unreachable { .. } => KeyProblem::Unreachable,
        KmsClass::Tampered => KeyProblem::UnexpectedAnswer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:kms:us-west-1:111122223333:key/8f1d2c3b-4a59-4e6f-8a7b-9c0d1e2f3a4b";

    fn key() -> KeyDescription {
        KeyDescription {
            arn: ARN.to_owned(),
            state: KeyState::Enabled,
            spec: KeySpec::SymmetricDefault,
            usage: KeyUsage::EncryptDecrypt,
            manager: KeyManager::Customer,
            origin: KeyOrigin::AwsKms,
            deletion_date: None,
            valid_to: None,
            request_id: None,
        }
    }

    #[test]
    fn only_an_enabled_symmetric_key_of_the_customer_passes() {
        let arn = KeyArn::parse(ARN).unwrap();
        let failed = StepResult::Failed;
        let cases = [
            (key(), StepResult::Passed),
            (KeyDescription { arn: ARN.replace('8', "9"), ..key() }, failed(KeyProblem::UnexpectedAnswer)),
            (KeyDescription { manager: KeyManager::Aws, ..key() }, failed(KeyProblem::AwsManaged)),
            (KeyDescription { manager: KeyManager::from("ELSE"), ..key() }, failed(KeyProblem::UnexpectedAnswer)),
            (KeyDescription { spec: KeySpec::from("RSA_2048"), ..key() }, failed(KeyProblem::WrongType)),
            (KeyDescription { usage: KeyUsage::from("SIGN_VERIFY"), ..key() }, failed(KeyProblem::WrongType)),
            (KeyDescription { state: KeyState::Disabled, ..key() }, failed(KeyProblem::Disabled)),
            (KeyDescription { state: KeyState::PendingDeletion, ..key() }, failed(KeyProblem::PendingDeletion)),
            (KeyDescription { state: KeyState::PendingImport, ..key() }, failed(KeyProblem::PendingImport)),
            (KeyDescription { state: KeyState::Creating, ..key() }, failed(KeyProblem::NotReady)),
            (KeyDescription { state: KeyState::from("Odd"), ..key() }, failed(KeyProblem::UnexpectedAnswer)),
            (
                KeyDescription { origin: KeyOrigin::External, ..key() },
                StepResult::Warning(KeyWarning::ImportedMaterial),
            ),
            (
                KeyDescription { origin: KeyOrigin::AwsCloudHsm, ..key() },
                StepResult::Warning(KeyWarning::CustomKeyStore),
            ),
            (KeyDescription { origin: KeyOrigin::from("ODD"), ..key() }, failed(KeyProblem::UnexpectedAnswer)),
        ];
        for (description, expected) in cases {
            assert_eq!(describe_result(&description, &arn), expected, "{description:?}");
        }
    }

    #[test]
    fn steps_after_a_failure_are_reported_as_not_run() {
        let mut report = Report::default();
        assert!(report.add(PreflightStep::Arn, Answer::passed(None)));
        assert!(!report.add(PreflightStep::Describe, Answer::ours(StepResult::Failed(KeyProblem::NotFound))));
        let preflight = report.complete();
        assert_eq!(preflight.problem(), Some(KeyProblem::NotFound));
        assert_eq!(preflight.steps.iter().filter(|step| step.result == StepResult::NotRun).count(), 3);
    }
}
