//! The errors that cross the wire.
//!
//! Without scripts an error travels back in the URL, where anyone could forge it. So every error is one of a closed set, the
//! words for it are chosen where it is shown, and nothing internal has a way out.

use super::{key_arn::KeyArnError, lock::LockFace, single_sign_on::SingleSignOnRefused};
use leptos::prelude::{FromServerFnError, ServerFnErrorErr};
use leptos::server_fn::codec::JsonEncoding;
use serde::{Deserialize, Serialize};

/// What a server function or a route can answer instead of what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApiError {
    /// Nobody is signed in.
    SignedOut,
    /// E-mail and password do not belong together; the same for an unknown user.
    WrongCredentials,
    /// The password is right, but an administrator has disabled the account.
    AccountDisabled,
    /// Too many at once; try again in a moment.
    Busy,
    /// Too many wrong passwords or codes; try again after so many seconds.
    TooManyAttempts { seconds: u32 },
    /// The person has not proved for a while who they are, and what they want is grave.
    ProofNeeded,
    /// Single sign-on came to nothing.
    SingleSignOn(SingleSignOnRefused),
    /// The change of a member was refused; nothing has changed.
    MemberRefused(MemberRefused),
    /// The person's role does not allow it.
    NotAllowed,
    /// It does not exist, or not for this person.
    NotFound,
    /// The root key cannot be used, so no data can be opened.
    Locked(Box<LockFace>),
    /// A field was not filled in as it must be.
    Invalid(Invalid),
    /// The change of key was refused; nothing has changed.
    KeyRefused(KeyRefused),
    /// The thing was changed by somebody else meanwhile.
    Conflict,
    /// The stored data would not open: it is damaged. Nothing was shown.
    Damaged,
    /// The database, the object store or KMS did not answer in time.
    Unavailable,
    /// The request did not reach the server, or its answer was not understood.
    Connection,
    /// A fault of ours. The log has the details under the request id.
    Internal,
}

/// Which field was wrong, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Invalid {
    EmailMissing,
    PasswordMissing,
    /// The current password, given to change it.
    PasswordWrong,
    PasswordSame,
    PasswordTooShort,
    PasswordTooLong,
    PasswordCommon,
    EmailWrong,
    CodeMissing,
    CodeWrong,
    /// Neither the password nor a code.
    ProofWrong,
    /// The name of a person.
    NameWrong,
    /// The name of the organization.
    OrganizationName,
    NameMissing,
    NameTooLong,
    DescriptionTooLong,
    NoteMissing,
    NoteTooLong,
    FileNameMissing,
    FileNameTooLong,
    FileTooLarge,
    /// More was sent than any form needs.
    TooMuch,
    /// No role was chosen.
    RoleMissing,
    /// Nobody in the organization has this e-mail.
    NoSuchPerson,
    /// The person is a member of the workspace already.
    MemberAlready,
    /// The workspace would have no owner left who can sign in.
    LastOwner,
    Arn(KeyArnError),
}

/// Why a member was not invited or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberRefused {
    /// Nobody could change anything any more.
    LastAdministrator,
    /// There is an account with this address.
    AlreadyMember,
    /// There is an open invitation for this address.
    AlreadyInvited,
}

/// Why Activate Key or Delete Key did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyRefused {
    /// A customer managed key is active already. Delete it first.
    AlreadyActive,
    /// A job is still changing the key or re-encrypting.
    JobUnfinished,
    /// There is no customer managed key to delete.
    NoActiveKey,
    /// The ARN is not that of the active key.
    NotTheActiveKey,
    /// The root key in force cannot be used, so nothing can be moved away from it.
    RootUnusable,
    /// No job runs that could be paused.
    NothingToPause,
    /// No job was paused by an administrator.
    NothingPaused,
    /// No item is set aside that could be tried again.
    NothingSetAside,
    /// The same person's test of a key has not been answered by every server.
    TestUnderWay,
}

impl ApiError {
    /// The HTTP status that says the same to a program.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Unavailable | Self::Connection | Self::SingleSignOn(SingleSignOnRefused::Unreachable) => 503,
            Self::SignedOut | Self::WrongCredentials => 401,
            Self::NotAllowed | Self::AccountDisabled | Self::ProofNeeded | Self::SingleSignOn(_) => 403,
            Self::NotFound => 404,
            Self::Conflict | Self::MemberRefused(_) => 409,
            Self::Invalid(Invalid::FileTooLarge | Invalid::TooMuch) => 413,
            Self::Invalid(_) | Self::KeyRefused(_) => 422,
            Self::Locked(_) => 423,
            Self::Busy | Self::TooManyAttempts { .. } => 429,
            Self::Damaged | Self::Internal => 500,
        }
    }
}

impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<SingleSignOnRefused> for ApiError {
    fn from(refused: SingleSignOnRefused) -> Self {
        Self::SingleSignOn(refused)
    }
}

impl From<KeyRefused> for ApiError {
    fn from(refused: KeyRefused) -> Self {
        Self::KeyRefused(refused)
    }
}

impl From<KeyArnError> for ApiError {
    fn from(error: KeyArnError) -> Self {
        Self::Invalid(Invalid::Arn(error))
    }
}

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) | ServerFnErrorErr::Response(_) | ServerFnErrorErr::Deserialization(_) => {
                Self::Connection
            }
            _ => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_survive_the_wire() {
        let face = LockFace {
            part: super::super::lock::LockedPart::Everything,
            cause: super::super::lock::LockCause::Disabled,
            since: 1,
            refused_at: Some(2),
            code: Some("DisabledException".to_owned()),
            request_id: None,
            deletion_at: None,
        };
        for error in [
            ApiError::SignedOut,
            ApiError::Locked(Box::new(face)),
            ApiError::Invalid(Invalid::Arn(KeyArnError::Region)),
            ApiError::KeyRefused(KeyRefused::RootUnusable),
        ] {
            let text = leptos::serde_json::to_string(&error).unwrap();
            assert_eq!(leptos::serde_json::from_str::<ApiError>(&text).unwrap(), error, "{text}");
        }
    }

    #[test]
    fn a_file_past_the_limit_has_the_status_that_says_so() {
        assert_eq!(ApiError::from(Invalid::FileTooLarge).status(), 413);
        assert_eq!(ApiError::from(Invalid::NameMissing).status(), 422);
    }
}
