//! What a failure of the service means.
//!
//! Told by the error *code string*, because real codes exist that the SDK does not model. What must stay true: only
//! the four codes that are about the key are a refusal, and whatever is not listed here counts as no answer, with an
//! alarm, so that a new code never locks people out at once and never keeps a key in use for longer than a grace.

use crate::verdict::{Refusal, Verdict};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_kms::{
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId,
};
use aws_smithy_runtime_api::http::Response;
use std::{error::Error, fmt};

/// What a failure means.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum KmsClass {
    /// The service refuses the key.
    Refused(Refusal),
    /// The service does not know who asks, or we had nothing to say who we are.
    OwnCredentials,
    /// No answer about the key.
    Unreachable {
        /// The service asks for fewer calls.
        throttled: bool,
        /// It did answer, with something that is not in our list: worth an alarm.
        unlisted: bool,
    },
    /// An answer that cannot be that of the right key for what we stored.
    Tampered,
}

/// Which policy denied a call, where the service says so.
///
/// Source: AWS Identity and Access Management User Guide, "Troubleshoot access denied error messages": the message ends in
/// "because no … policy allows the … action" or "with an explicit deny in a … policy".
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Denial {
    /// The key's own policy.
    KeyPolicy,
    /// The policy of the caller, or the boundary of its permissions.
    CallerPolicy,
    /// A policy of the organization in AWS, for accounts or for resources.
    OrganizationPolicy,
    /// The policy of the VPC endpoint that the call went through.
    EndpointPolicy,
}

impl Denial {
    /// Nothing else is taken from a message: it names the caller.
    fn in_message(message: &str) -> Option<Self> {
        let phrases = [
            ("resource-based policy", Self::KeyPolicy),
            ("identity-based policy", Self::CallerPolicy),
            ("permissions boundary", Self::CallerPolicy),
            ("session policy", Self::CallerPolicy),
            ("service control policy", Self::OrganizationPolicy),
            ("resource control policy", Self::OrganizationPolicy),
            ("VPC endpoint policy", Self::EndpointPolicy),
        ];
        phrases.into_iter().find(|(phrase, _)| message.contains(phrase)).map(|(_, denial)| denial)
    }
}

/// No code of the service is longer, and what is kept of one is not either.
const CODE_CHARS: usize = 64;
const REQUEST_ID_CHARS: usize = 128;

/// A failed call. It carries the code and the ids for the account, and no content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KmsError {
    /// What it means.
    pub class: KmsClass,
    /// The error code, if there is one.
    pub code: Option<String>,
    /// The service's id of the request, if it answered.
    pub request_id: Option<String>,
    /// Which policy denied it, if it was denied and the service says so.
    pub denial: Option<Denial>,
    /// The operation that was called.
    pub operation: &'static str,
}

impl KmsError {
    pub(super) fn tampered(operation: &'static str, request_id: Option<String>) -> Self {
        Self { class: KmsClass::Tampered, code: None, request_id, denial: None, operation }
    }

    /// It failed before anything was sent.
    pub(super) fn local(operation: &'static str, code: &str) -> Self {
        Self { class: SILENT, code: Some(code.to_owned()), request_id: None, denial: None, operation }
    }
}

impl fmt::Display for KmsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match self.class {
            KmsClass::Refused(_) => "the key was refused",
            KmsClass::OwnCredentials => "our own credentials were not accepted",
            KmsClass::Unreachable { throttled: true, .. } => "the service asks for fewer calls",
            KmsClass::Unreachable { .. } => "no answer about the key",
            KmsClass::Tampered => "the answer does not fit what is stored",
        };
        write!(f, "{}: {meaning}", self.operation)?;
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, ", request {id}")?;
        }
        Ok(())
    }
}

impl Error for KmsError {}

impl From<KmsError> for Verdict {
    fn from(error: KmsError) -> Self {
        let KmsError { class, code, request_id, .. } = error;
        match class {
            KmsClass::Refused(reason) => Self::Refused { reason, code: code.unwrap_or_default(), request_id },
            KmsClass::OwnCredentials => Self::OwnCredentials { code, request_id },
            KmsClass::Unreachable { .. } => Self::Unreachable { code, request_id },
            KmsClass::Tampered => Self::Tampered { code, request_id },
        }
    }
}

/// No answer, and nothing strange about it.
const SILENT: KmsClass = KmsClass::Unreachable { throttled: false, unlisted: false };
/// An answer, but not one we know.
const UNLISTED: KmsClass = KmsClass::Unreachable { throttled: false, unlisted: true };

/// The meaning of an error code of the service.
pub(super) fn class_of_code(code: &str) -> Option<KmsClass> {
    Some(match code.strip_suffix("Exception").unwrap_or(code) {
        "Disabled" => KmsClass::Refused(Refusal::Disabled),
        "KMSInvalidState" => KmsClass::Refused(Refusal::InvalidState),
        "NotFound" => KmsClass::Refused(Refusal::NotFound),
        "AccessDenied" => KmsClass::Refused(Refusal::AccessDenied),
        "UnrecognizedClient"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "ExpiredToken"
        | "RequestExpired"
        | "RequestTimeTooSkewed"
        | "InvalidSignature"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken" => KmsClass::OwnCredentials,
        "Throttling"
        | "Throttled"
        | "TooManyRequests"
        | "LimitExceeded"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "SlowDown" => KmsClass::Unreachable { throttled: true, unlisted: false },
        "KeyUnavailable"
        | "DependencyTimeout"
        | "KMSInternal"
        | "InternalFailure"
        | "InternalError"
        | "InternalServerError"
        | "ServiceUnavailable"
        | "RequestTimeout" => SILENT,
        "InvalidCiphertext" | "IncorrectKey" => KmsClass::Tampered,
        _ => return None,
    })
}

/// The meaning of a failed call.
pub(super) fn failed<E>(operation: &'static str, error: &SdkError<E, Response>) -> KmsError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let code = error.code().map(|code| {
        // As the protocol has it: perhaps with a namespace before and an address behind.
        let code = code.split(':').next().unwrap_or(code);
        bounded(code.rsplit('#').next().unwrap_or(code), CODE_CHARS)
    });
    let status = error.raw_response().map(|response| response.status().as_u16());
    let class = match (error, code.as_deref().and_then(class_of_code), status) {
        (SdkError::ServiceError(_), Some(class), _) => class,
        (_, _, Some(500..=599)) => SILENT,
        (_, _, Some(429)) => KmsClass::Unreachable { throttled: true, unlisted: false },
        (_, _, Some(_)) => UNLISTED,
        (SdkError::TimeoutError(_), ..) => SILENT,
        _ if lacks_credentials(error) => KmsClass::OwnCredentials,
        (SdkError::DispatchFailure(_), ..) => SILENT,
        _ => UNLISTED,
    };
    let denial = match class {
        KmsClass::Refused(Refusal::AccessDenied) => error.message().and_then(Denial::in_message),
        _ => None,
    };
    KmsError { class, code, request_id: request_id(error), denial, operation }
}

/// The service's id of a request, at most 128 characters of it: whoever answers chooses it.
pub(super) fn request_id(reply: &impl RequestId) -> Option<String> {
    reply.request_id().map(|id| bounded(id, REQUEST_ID_CHARS))
}

fn bounded(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}

/// Whether the call failed because no credentials could be had.
fn lacks_credentials(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        // With no provider at all the SDK cannot choose how to sign, and says so in a type of its own.
        if error.is::<CredentialsError>() || error.to_string().starts_with("failed to select an auth scheme") {
            return true;
        }
        next = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::Denial;

    #[test]
    fn the_policy_that_denied_is_told_where_the_service_tells_it() {
        let head =
            "User: arn:aws:sts::444455556666:assumed-role/keystead/i-0 is not authorized to perform: kms:Decrypt";
        let cases = [
            ("because no resource-based policy allows the kms:Decrypt action", Some(Denial::KeyPolicy)),
            ("because no identity-based policy allows the kms:Decrypt action", Some(Denial::CallerPolicy)),
            ("because no permissions boundary allows the kms:Decrypt action", Some(Denial::CallerPolicy)),
            ("with an explicit deny in a service control policy", Some(Denial::OrganizationPolicy)),
            ("with an explicit deny in a resource control policy", Some(Denial::OrganizationPolicy)),
            ("because no VPC endpoint policy allows the kms:Decrypt action", Some(Denial::EndpointPolicy)),
            ("on this resource", None),
        ];
        for (end, denial) in cases {
            assert_eq!(Denial::in_message(&format!("{head} {end}")), denial, "{end}");
        }
    }
}
