//! How to mend what a test of a key has found: in words, and as something to copy.
//!
//! Only the server reads this. What is copied names the key and the region exactly as they are, so that it can be run as it
//! stands; it never needs anything that a shell would treat specially.

use crate::{
    key_policy::{operator_policy, statement_allowing},
    model::{
        identity::Deployment,
        key_arn::KeyArn,
        preflight::{DeniedBy, KeyProblem, KeyWarning, StepReport, StepResult},
    },
};

/// What helps against a problem.
#[derive(Debug, PartialEq, Eq)]
pub struct Remedy {
    /// What to do, and who does it.
    pub text: String,
    /// What to copy for that, with what it is.
    pub copy: Option<(&'static str, String)>,
}

impl Remedy {
    fn words(text: impl Into<String>) -> Self {
        Self { text: text.into(), copy: None }
    }

    fn run(text: impl Into<String>, command: String) -> Self {
        Self { text: text.into(), copy: Some(("Copy command", command)) }
    }
}

/// Where the key and the deployment are.
pub struct Place<'a> {
    /// The key as it was entered.
    pub arn: &'a KeyArn,
    pub deployment: &'a Deployment,
    /// The deployment's AWS principal, if it is known.
    pub principal: Option<&'a str>,
}

/// What helps against what a step has found; `None` if it has found nothing.
pub fn remedy(report: &StepReport, place: &Place<'_>) -> Option<Remedy> {
    match report.result {
        StepResult::Failed(problem) => Some(against(problem, report, place)),
        StepResult::Warning(KeyWarning::BroadPolicy) => Some(Remedy {
            text: "Put this condition into the statement that allows kms:Encrypt and kms:Decrypt.".to_owned(),
            copy: Some(("Copy condition", condition(&place.deployment.id))),
        }),
        _ => None,
    }
}

fn against(problem: KeyProblem, report: &StepReport, place: &Place<'_>) -> Remedy {
    let Place { arn, deployment, .. } = place;
    let region = &deployment.region;
    let aws = |command: &str| format!("aws kms {command} --region {} --key-id {}", arn.region(), arn.as_str());
    let create = format!(
        "aws kms create-key --region {region} --key-spec SYMMETRIC_DEFAULT --key-usage ENCRYPT_DECRYPT --query KeyMetadata.Arn --output text"
    );
    match problem {
        KeyProblem::WrongPartition | KeyProblem::WrongRegion => Remedy::run(
            format!("Create a key in {region} with the steps above, and enter its ARN. To create only the key:"),
            create,
        ),
        KeyProblem::AccountNotAllowed => Remedy {
            text: format!(
                "Use a key of an account that is allowed. Or ask your operator to add {} to this setting:",
                arn.account()
            ),
            copy: Some(("Copy setting", format!("KEYSTEAD_CUSTOMER_ACCOUNTS={}", arn.account()))),
        },
        KeyProblem::ProviderKey => Remedy::words("Create a key in your own AWS account with the steps above."),
        KeyProblem::NotFound => Remedy::run(
            "Compare the ARN with the one in the AWS console. This command shows whether the key is there:",
            aws("describe-key"),
        ),
        KeyProblem::DescribeDenied | KeyProblem::EncryptDenied | KeyProblem::DecryptDenied => denied(report, place),
        KeyProblem::Disabled => {
            Remedy::run("Enable the key in the AWS console, or with this command. Then test again.", aws("enable-key"))
        }
        KeyProblem::PendingDeletion => Remedy::run(
            "Cancel the deletion and enable the key, in the AWS console or with these commands. Or use another key.",
            format!("{} && {}", aws("cancel-key-deletion"), aws("enable-key")),
        ),
        KeyProblem::PendingImport => Remedy::run(
            "Import the key's material. This command begins that; the AWS console guides you through it as well.",
            aws("get-parameters-for-import --wrapping-algorithm RSAES_OAEP_SHA_256 --wrapping-key-spec RSA_4096"),
        ),
        KeyProblem::NotReady => Remedy::run(
            "Wait a minute, then test again. This command shows the state of the key:",
            format!("{} --query KeyMetadata.KeyState", aws("describe-key")),
        ),
        KeyProblem::WrongType | KeyProblem::AwsManaged => {
            Remedy::run("Create a key of the right type with the steps above. To create only the key:", create)
        }
        KeyProblem::UnexpectedAnswer => Remedy::run(
            "Test again. If it stays so, give your operator the AWS request id. This command shows what AWS says about the key:",
            aws("describe-key"),
        ),
        KeyProblem::Throttled => Remedy::words(
            "Wait a minute, then test again. If it stays so, the account that owns the key has used up its AWS KMS request quota.",
        ),
        KeyProblem::Unreachable => Remedy::run(
            "Wait a moment, then test again. If it stays so, your operator can see with this command, on the server, whether AWS KMS can be reached:",
            format!("aws kms list-keys --region {region} --limit 1"),
        ),
        KeyProblem::OwnCredentials => Remedy::run(
            "Your operator has to mend this. This command shows, on the server, whether its credentials are there and valid:",
            "aws sts get-caller-identity".to_owned(),
        ),
    }
}

/// Against a denial. Both sides have to allow a call across accounts: the key's policy and the operator's own.
fn denied(report: &StepReport, place: &Place<'_>) -> Remedy {
    let action = report.step.action().unwrap_or("kms:DescribeKey");
    match report.denial {
        Some(DeniedBy::CallerPolicy) => Remedy {
            text: format!(
                "AWS says that the deployment's own policy does not allow {action}. Your key policy is not the cause. Your operator has to add these statements to the policy of the deployment's principal."
            ),
            copy: Some((
                "Copy policy",
                operator_policy(
                    place.arn.partition(),
                    place.arn.region(),
                    &[place.arn.as_str()],
                    Some(&place.deployment.id),
                ),
            )),
        },
        Some(DeniedBy::OrganizationPolicy) => Remedy::words(format!(
            "AWS says that a policy of an AWS organization denies {action}: a service control policy or a resource control policy. Ask those who manage it, on your side or your operator's, to allow it."
        )),
        Some(DeniedBy::EndpointPolicy) => Remedy::words(format!(
            "AWS says that the policy of the VPC endpoint denies {action}. Your operator has to allow it there."
        )),
        Some(DeniedBy::KeyPolicy) | None => Remedy {
            text: match place.principal {
                Some(_) => "Add this statement to the key policy.".to_owned(),
                None => {
                    "Add this statement to the key policy, with the principal that your operator tells you.".to_owned()
                }
            },
            copy: Some(("Copy statement", statement_allowing(action, &place.deployment.id, place.principal))),
        },
    }
}

/// The id of a deployment has nothing in it that JSON would have to escape.
fn condition(deployment: &str) -> String {
    format!("\"Condition\": {{ \"StringEquals\": {{ \"kms:EncryptionContext:deployment\": \"{deployment}\" }} }}")
}
