//! Which class is due for a failed call: the table of codes, written down a second time.

use super::player::Reply;
use vault::{KmsClass, KmsError, Refusal, Verdict};

const OWN_CREDENTIALS: [&str; 10] = [
    "UnrecognizedClient",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "ExpiredToken",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "InvalidSignature",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "MissingAuthenticationToken",
];
const TAMPERED: [&str; 2] = ["InvalidCiphertext", "IncorrectKey"];

/// # Panics
/// If the error is not what the reply calls for.
pub fn judge(reply: &Reply, operation: &str, error: &KmsError) {
    let KmsError { class, code, request_id, .. } = error;
    let name = code.as_deref().map(|code| code.strip_suffix("Exception").unwrap_or(code));
    assert_eq!(error.operation, operation);
    assert!(code.as_ref().is_none_or(|code| code.chars().count() <= 64), "a code without end");
    assert!(request_id.as_ref().is_none_or(|id| id.chars().count() <= 128), "a request id without end");
    assert!(error.to_string().starts_with(operation));
    match class {
        KmsClass::Refused(refusal) => {
            assert!(!reply.is_success(), "a success was taken for a refusal");
            let due = match refusal {
                Refusal::Disabled => "Disabled",
                Refusal::InvalidState => "KMSInvalidState",
                Refusal::NotFound => "NotFound",
                Refusal::AccessDenied => "AccessDenied",
            };
            assert_eq!(name, Some(due), "no code of a refusal");
            assert!(is_said(reply, due), "{due} is not in the reply");
        }
        KmsClass::OwnCredentials => {
            assert!(!reply.is_success(), "a success was taken for a doubt about us");
            assert!(name.is_some_and(|name| OWN_CREDENTIALS.contains(&name)), "{name:?} is no doubt about us");
        }
        KmsClass::Tampered => match name {
            None => assert!(reply.is_success(), "nobody said that anything was tampered with"),
            Some(name) => assert!(!reply.is_success() && TAMPERED.contains(&name), "{name} says nothing of tampering"),
        },
        KmsClass::Unreachable { throttled, unlisted } => {
            assert!(!(*throttled && *unlisted));
            assert!(!*unlisted || !(500..600).contains(&reply.status), "a failure of the service is nothing new");
        }
    }
    // Said as it is: what a code is known for does not depend on anything else.
    let known = |list: &[&str]| name.is_some_and(|name| list.contains(&name));
    if known(&["Disabled", "KMSInvalidState", "NotFound", "AccessDenied"]) && !reply.is_success() {
        assert!(matches!(class, KmsClass::Refused(_)), "{class:?} for a refusal");
    }
    if reply.is_success() {
        assert!(code.is_none(), "a success has no code");
        assert!(matches!(class, KmsClass::Tampered | KmsClass::Unreachable { .. }));
    }
    judge_verdict(error);
}

/// The verdict keeps what the class says.
fn judge_verdict(error: &KmsError) {
    let fits = match (error.class, Verdict::from(error.clone())) {
        (KmsClass::Refused(refusal), Verdict::Refused { reason, code, request_id }) => {
            refusal == reason && Some(code) == error.code && request_id == error.request_id
        }
        (KmsClass::OwnCredentials, Verdict::OwnCredentials { code, request_id })
        | (KmsClass::Unreachable { .. }, Verdict::Unreachable { code, request_id })
        | (KmsClass::Tampered, Verdict::Tampered { code, request_id }) => {
            code == error.code && request_id == error.request_id
        }
        _ => false,
    };
    assert!(fits, "{error:?} became another verdict");
}

/// Whether a word stands in the reply; if letters are written as numbers, it may.
fn is_said(reply: &Reply, word: &str) -> bool {
    let is_in = |bytes: &[u8]| bytes.windows(word.len()).any(|part| part == word.as_bytes());
    reply.body.contains(&b'\\') || is_in(&reply.body) || reply.headers.iter().any(|line| is_in(line))
}
