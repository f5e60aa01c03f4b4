//! What went wrong with a request.

use crate::model::error::{ApiError, Invalid, KeyRefused, MemberRefused};

impl ApiError {
    /// What was wrong, and what to do.
    pub const fn message(&self) -> &'static str {
        match self {
            Self::SignedOut => "You are signed out. Sign in again to go on.",
            Self::WrongCredentials => "Email and password do not belong together. Check both and try again.",
            Self::AccountDisabled => "Your account is disabled. Ask an administrator of your organization.",
            Self::TooManyAttempts { seconds: 0..=5 } => "Too many attempts. Wait a few seconds, then try again.",
            Self::TooManyAttempts { seconds: 6..=60 } => "Too many attempts. Wait a minute, then try again.",
            Self::TooManyAttempts { .. } => "Too many attempts. Wait a quarter of an hour, then try again.",
            Self::ProofNeeded => {
                "This needs proof that it is you. Reload the page and try again: you will be asked for your password."
            }
            Self::MemberRefused(refused) => refused.message(),
            Self::Busy => "Too many requests are being handled. Try again in a moment.",
            Self::NotAllowed => {
                "Your role does not allow this. Ask an owner of the workspace, or an administrator of your organization."
            }
            Self::NotFound => "This does not exist, or it has been deleted, or you are not a member of it.",
            Self::Locked(face) => face.headline(),
            Self::Invalid(invalid) => invalid.message(),
            Self::KeyRefused(refused) => refused.message(),
            Self::Conflict => "Somebody else changed this meanwhile. Reload the page to see it as it is now.",
            Self::Damaged => "The stored data is damaged and would not open. Nothing was shown. Tell your operator.",
            Self::Unavailable => {
                "The server could not reach its storage in time. Nothing was changed. Try again in a moment."
            }
            Self::Connection => "The server could not be reached. Check your connection and try again.",
            Self::Internal => "Something went wrong on the server. Try again; if it happens again, tell your operator.",
        }
    }
}

impl Invalid {
    /// What was wrong, and what is expected.
    pub const fn message(self) -> &'static str {
        match self {
            Self::EmailMissing => "Enter your email address.",
            Self::PasswordMissing => "Enter your password.",
            Self::PasswordWrong => "This is not your current password. Check it and try again.",
            Self::PasswordSame => "The new password is the current one. Choose another.",
            Self::PasswordTooShort => "The password is too short. It must have at least 12 characters.",
            Self::PasswordTooLong => "The password is too long. It may have at most 128 characters.",
            Self::PasswordCommon => {
                "This password would be guessed soon: many people use it, or it says who you are. Choose another, such as several words."
            }
            Self::EmailWrong => "This is not an email address. Enter one such as ada@example.com.",
            Self::CodeMissing => "Enter the code.",
            Self::CodeWrong => "The code is wrong, or it was used already. Wait for the next one and try again.",
            Self::ProofWrong => "This is not right. Check it and try again.",
            Self::NameWrong => "Enter a name of at most 120 characters.",
            Self::OrganizationName => "Enter a name of 1 to 120 characters.",
            Self::NameMissing => "Enter a name.",
            Self::NameTooLong => "The name is too long. It may have at most 120 characters.",
            Self::DescriptionTooLong => "The description is too long. It may have at most 2,000 characters.",
            Self::NoteMissing => "Write something first. A note cannot be empty.",
            Self::NoteTooLong => "The note is too long. It may have at most 256 KB. Split it into several notes.",
            Self::FileNameMissing => "The file has no name. Give it one and try again.",
            Self::FileNameTooLong => {
                "The file's name is too long. It may have at most 255 bytes. Rename the file and try again."
            }
            Self::FileTooLarge => "The file is larger than this deployment accepts.",
            Self::TooMuch => "This is too much at once: a form may send at most 1 MB. Shorten it and try again.",
            Self::RoleMissing => "Choose a role.",
            Self::NoSuchPerson => {
                "Nobody in your organization has this email address. Check it, or ask an administrator to invite them first."
            }
            Self::MemberAlready => "This person is a member already. Change their role in the list.",
            Self::LastOwner => "A workspace needs an owner who can sign in. Make somebody else an owner first.",
            Self::Arn(error) => error.message(),
        }
    }
}

impl MemberRefused {
    /// Why nothing was done, and what to do.
    pub const fn message(self) -> &'static str {
        match self {
            Self::LastAdministrator => {
                "This is the last administrator who can sign in. Make somebody else an administrator first."
            }
            Self::AlreadyMember => "Somebody with this email address is a member already.",
            Self::AlreadyInvited => {
                "This email address has been invited already. Make a new link for it in the list, or withdraw that invitation first."
            }
        }
    }
}

impl KeyRefused {
    /// Why nothing was done, and what to do.
    pub const fn message(self) -> &'static str {
        match self {
            Self::AlreadyActive => {
                "A customer managed key is active already. A deployment can have only one: delete that key first, then activate this one."
            }
            Self::JobUnfinished => "The key is being changed already. Wait until that is complete, then try again.",
            Self::NoActiveKey => "There is no customer managed key to delete. The provider key protects the data now.",
            Self::NotTheActiveKey => {
                "This is not the active key. Enter the ARN of the active key, exactly as it is shown above."
            }
            Self::RootUnusable => {
                "The key that protects the data now cannot be used, so the data cannot be moved away from it. Make that key usable again first."
            }
            Self::NothingToPause => "There is no change of key that could be paused now.",
            Self::NothingPaused => "No administrator has paused a change of key.",
            Self::NothingSetAside => "Nothing is set aside that could be tried again.",
        }
    }
}
