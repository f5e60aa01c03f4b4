//! The preflight: what is asked of AWS before a key may become the root key, step by step. Nothing changes.

use serde::{Deserialize, Serialize};

/// A step of the preflight, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PreflightStep {
    /// The ARN is a key ARN of this partition and region, of an account that is allowed here.
    Arn,
    /// `kms:DescribeKey`: the key can be seen, is enabled, symmetric, and the customer's own.
    Describe,
    /// `kms:Encrypt` of a random value with this deployment's encryption context.
    Wrap,
    /// `kms:Decrypt` of what `Wrap` gave, compared with the random value.
    Unwrap,
    /// `kms:Encrypt` with *another* deployment's context, which should be denied.
    OtherDeployment,
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepResult {
    Passed,
    Warning(KeyWarning),
    Failed(KeyProblem),
    /// An earlier step failed.
    NotRun,
}

/// The result of one step, with AWS's own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReport {
    pub step: PreflightStep,
    pub result: StepResult,
    /// AWS's error code, if AWS answered with one.
    pub code: Option<String>,
    pub request_id: Option<String>,
    /// Which policy denied it, if AWS said so.
    pub denial: Option<DeniedBy>,
    /// When AWS will delete the key, or its imported material expires; Unix milliseconds.
    pub at: Option<i64>,
}

/// Which policy denied a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeniedBy {
    /// The policy of the key.
    KeyPolicy,
    /// The policy of the deployment's own principal: its operator's affair.
    CallerPolicy,
    /// A policy of an AWS organization, over accounts or resources.
    OrganizationPolicy,
    /// The policy of the network endpoint that the deployment reaches AWS through.
    EndpointPolicy,
}

/// The whole preflight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preflight {
    pub steps: Vec<StepReport>,
}

impl Preflight {
    /// The first problem, if there is one.
    pub fn problem(&self) -> Option<KeyProblem> {
        self.steps.iter().find_map(|step| match step.result {
            StepResult::Failed(problem) => Some(problem),
            _ => None,
        })
    }
}

/// What keeps a key from becoming the root key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyProblem {
    /// The key's partition is not the deployment's.
    WrongPartition,
    /// The key's region is not the deployment's.
    WrongRegion,
    /// The operator does not allow keys of this account.
    AccountNotAllowed,
    /// The ARN is the provider key's own.
    ProviderKey,
    NotFound,
    DescribeDenied,
    EncryptDenied,
    DecryptDenied,
    Disabled,
    PendingDeletion,
    PendingImport,
    /// Creating, updating or unavailable.
    NotReady,
    /// Not `SYMMETRIC_DEFAULT`, or not for encryption and decryption.
    WrongType,
    /// AWS manages the key, so that nobody could disable it.
    AwsManaged,
    /// AWS answered for another key than the one asked for, or with something that cannot be right.
    UnexpectedAnswer,
    Throttled,
    Unreachable,
    /// AWS did not accept this deployment's own credentials.
    OwnCredentials,
}

impl KeyProblem {
    /// Whether AWS denied a call. That can pass by itself: a change of a policy takes a while to be known everywhere in AWS.
    pub const fn is_denial(self) -> bool {
        matches!(self, Self::DescribeDenied | Self::EncryptDenied | Self::DecryptDenied)
    }
}

/// What is worth knowing before activating a key, and does not stop it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyWarning {
    /// The key policy lets this deployment use the key under another deployment's encryption context.
    BroadPolicy,
    /// The key material is imported and can expire.
    ImportedMaterial,
    /// The key lives in a custom key store.
    CustomKeyStore,
}
