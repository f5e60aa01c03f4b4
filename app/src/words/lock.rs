//! Who or what has locked the data, and how access returns.

use crate::model::lock::{LockCause, LockFace, LockedPart};

impl LockedPart {
    /// The word for it in a page's markup.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Everything => "everything",
            Self::Workspace => "workspace",
        }
    }
}

impl LockFace {
    /// The heading of a locked page: who locked what.
    pub const fn headline(&self) -> &'static str {
        match self.part {
            LockedPart::Everything => self.cause.headline(),
            LockedPart::Workspace => self.cause.workspace_headline(),
        }
    }

    /// Why nothing can be decrypted, for somebody who wanted to read data.
    pub const fn reason(&self) -> &'static str {
        match self.part {
            LockedPart::Everything => self.cause.reason(),
            LockedPart::Workspace => self.cause.workspace_reason(),
        }
    }

    /// How access returns.
    pub const fn remedy(&self) -> &'static str {
        match self.part {
            LockedPart::Everything => self.cause.remedy(),
            LockedPart::Workspace => self.cause.workspace_remedy(),
        }
    }

    /// The heading of the notice on Data Encryption.
    pub const fn notice(&self) -> &'static str {
        match self.part {
            LockedPart::Everything => self.cause.notice(),
            LockedPart::Workspace => self.cause.workspace_notice(),
        }
    }
}

impl LockCause {
    const fn headline(self) -> &'static str {
        match self {
            Self::Disabled
            | Self::PendingDeletion
            | Self::PendingImport
            | Self::InvalidState
            | Self::AccessDenied
            | Self::NotFound => "Your organization has locked this data",
            Self::ProviderRefused => "This data is locked: AWS refuses the provider key",
            Self::Unreachable => "This data is locked: AWS cannot be reached",
            Self::OwnCredentials => "This data is locked: AWS does not accept this deployment",
            Self::Damaged => "This data is locked: its data key is damaged",
            Self::Starting => "This data is not open yet",
        }
    }

    const fn workspace_headline(self) -> &'static str {
        match self {
            Self::Disabled
            | Self::PendingDeletion
            | Self::PendingImport
            | Self::InvalidState
            | Self::AccessDenied
            | Self::NotFound => "Your organization has locked this workspace",
            Self::ProviderRefused => "This workspace is locked: AWS refuses the provider key for it",
            Self::Unreachable => "This workspace is locked: AWS gives no answer about its data key",
            Self::OwnCredentials => "This workspace is locked: AWS does not accept this deployment",
            Self::Damaged => "This workspace is locked: its data key is damaged",
            Self::Starting => "This workspace is not open yet",
        }
    }

    const fn reason(self) -> &'static str {
        match self {
            Self::Disabled => {
                "The customer managed key is disabled in AWS, so Keystead can no longer decrypt anything stored here."
            }
            Self::PendingDeletion => {
                "The customer managed key is scheduled for deletion in AWS, so Keystead can no longer decrypt anything stored here."
            }
            Self::PendingImport => {
                "The customer managed key has no key material in AWS any more, so Keystead can no longer decrypt anything stored here."
            }
            Self::InvalidState => {
                "The customer managed key is in a state in AWS that does not allow its use, so Keystead can no longer decrypt anything stored here."
            }
            Self::AccessDenied => {
                "The customer managed key's policy no longer lets this deployment use it, so Keystead can no longer decrypt what is stored here."
            }
            Self::NotFound => {
                "AWS no longer knows the customer managed key, so Keystead can no longer decrypt anything stored here."
            }
            Self::ProviderRefused => "AWS refuses the provider key, so Keystead cannot decrypt anything stored here.",
            Self::Unreachable => {
                "AWS could not be reached for too long, so Keystead cannot know whether it may still use the key. It has stopped using it."
            }
            Self::OwnCredentials => {
                "AWS did not accept this deployment's own credentials for too long, so Keystead has stopped using the key."
            }
            Self::Damaged => "The stored data key does not open to what it should, so Keystead does not use it.",
            Self::Starting => "The server has just started and is waiting for the first answer from AWS.",
        }
    }

    const fn workspace_reason(self) -> &'static str {
        match self {
            Self::Disabled | Self::PendingDeletion | Self::PendingImport | Self::InvalidState | Self::NotFound => {
                "AWS refuses the customer managed key for this workspace, so Keystead can no longer decrypt the notes and files in it. Other workspaces are not affected."
            }
            Self::AccessDenied => {
                "The customer managed key's policy no longer lets this deployment use the key for this workspace, so Keystead can no longer decrypt the notes and files in it. Other workspaces are not affected."
            }
            Self::ProviderRefused => {
                "AWS refuses the provider key for this workspace, so Keystead cannot decrypt the notes and files in it. Other workspaces are not affected."
            }
            Self::Unreachable => {
                "AWS gave no answer about this workspace's data key for too long, so Keystead has stopped using it. Other workspaces are not affected."
            }
            Self::OwnCredentials => {
                "AWS did not accept this deployment's own credentials for too long, so Keystead has stopped using this workspace's data key."
            }
            Self::Damaged => {
                "This workspace's stored data key does not open to what it should, so Keystead does not use it. Other workspaces are not affected."
            }
            Self::Starting => "Keystead is waiting for AWS's first answer about this workspace's data key.",
        }
    }

    const fn remedy(self) -> &'static str {
        match self {
            Self::Disabled => {
                "To restore access, enable the key in the AWS console. Everything comes back within 10 seconds after AWS accepts the key again."
            }
            Self::PendingDeletion => {
                "To restore access, cancel the key's deletion in the AWS console and enable the key. Everything comes back within 10 seconds after AWS accepts the key again."
            }
            Self::PendingImport => {
                "To restore access, import the same key material again in the AWS console. Everything comes back within 10 seconds after AWS accepts the key again."
            }
            Self::InvalidState => {
                "To restore access, repair what the key's state in the AWS console names, and enable it. Everything comes back within 10 seconds after AWS accepts the key again."
            }
            Self::AccessDenied => {
                "To restore access, allow kms:Encrypt, kms:Decrypt and kms:DescribeKey for this deployment in the key policy again. Everything comes back within 10 seconds after AWS accepts the key again."
            }
            Self::NotFound => {
                "Check in the AWS console that the key still exists. A key that AWS has deleted cannot be brought back, and nor can data encrypted under it. If that is so, your operator can destroy the locked data, so that the deployment can be used again."
            }
            Self::ProviderRefused => {
                "Your operator must make the provider key usable again. Then everything comes back by itself."
            }
            Self::Unreachable => "Everything comes back by itself as soon as AWS answers again.",
            Self::OwnCredentials => {
                "Your operator must renew this deployment's AWS credentials. Your key is not the cause. Then everything comes back by itself."
            }
            Self::Damaged => "Your operator must restore the data key from a backup of the database.",
            Self::Starting => "This takes a few seconds. The page opens by itself.",
        }
    }

    const fn workspace_remedy(self) -> &'static str {
        match self {
            Self::Disabled | Self::PendingDeletion | Self::PendingImport | Self::InvalidState | Self::NotFound => {
                "The workspace comes back by itself when AWS accepts the key for it again. If nobody needs what is in it, it can be deleted without the key."
            }
            Self::AccessDenied => {
                "To restore access, allow the workspace's scope in the key policy again. The workspace then comes back by itself. If nobody needs what is in it, it can be deleted without the key."
            }
            Self::ProviderRefused => {
                "Your operator must make the provider key usable for it again. The workspace then comes back by itself. If nobody needs what is in it, it can be deleted without the key."
            }
            Self::Unreachable => "The workspace comes back by itself as soon as AWS answers again.",
            Self::OwnCredentials => {
                "Your operator must renew this deployment's AWS credentials. Your key is not the cause. The workspace then comes back by itself."
            }
            Self::Damaged => {
                "Your operator must restore the data key from a backup of the database. If nobody needs what is in the workspace, it can be deleted without the key."
            }
            Self::Starting => "This takes a few seconds. The page opens by itself.",
        }
    }

    /// The word on the broken link between the key and the data keys.
    pub const fn link_word(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::PendingDeletion => "pending deletion",
            Self::PendingImport => "no material",
            Self::InvalidState => "not usable",
            Self::AccessDenied => "denied",
            Self::NotFound => "not found",
            Self::ProviderRefused => "refused",
            Self::Unreachable => "no answer",
            Self::OwnCredentials => "not accepted",
            Self::Damaged => "damaged",
            Self::Starting => "starting",
        }
    }

    const fn notice(self) -> &'static str {
        match self {
            Self::Disabled => "Your key is disabled in AWS",
            Self::PendingDeletion => "Your key is scheduled for deletion in AWS",
            Self::PendingImport => "Your key has no key material in AWS any more",
            Self::InvalidState => "Your key is in a state in AWS that does not allow its use",
            Self::AccessDenied => "Your key's policy no longer lets this deployment use it",
            Self::NotFound => "AWS no longer knows your key",
            Self::ProviderRefused => "AWS refuses the provider key",
            Self::Unreachable => "AWS cannot be reached",
            Self::OwnCredentials => "AWS does not accept this deployment's own credentials",
            Self::Damaged => "The stored data key is damaged",
            Self::Starting => "Waiting for the first answer from AWS",
        }
    }

    const fn workspace_notice(self) -> &'static str {
        match self {
            Self::Disabled | Self::PendingDeletion | Self::PendingImport | Self::InvalidState | Self::NotFound => {
                "AWS refuses your key here"
            }
            Self::AccessDenied => "Your key's policy no longer allows this",
            Self::ProviderRefused => "AWS refuses the provider key here",
            Self::Unreachable => "AWS gives no answer about this",
            Self::OwnCredentials => "AWS does not accept this deployment's own credentials",
            Self::Damaged => "The stored data key is damaged",
            Self::Starting => "Waiting for the first answer from AWS",
        }
    }

    /// What the lock means, for somebody who looks at whose key is in control.
    pub const fn effect(self) -> &'static str {
        match self {
            Self::Disabled
            | Self::PendingDeletion
            | Self::PendingImport
            | Self::InvalidState
            | Self::AccessDenied
            | Self::NotFound => "Keystead can no longer open any of your data.",
            Self::ProviderRefused | Self::Unreachable | Self::OwnCredentials | Self::Damaged | Self::Starting => {
                self.reason()
            }
        }
    }

    /// What has been lost, as far as anybody can say.
    pub const fn kept(self) -> &'static str {
        match self {
            Self::NotFound | Self::Damaged => "",
            Self::PendingDeletion => " Nothing has been lost yet.",
            _ => " Nothing has been lost.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_key_that_may_be_gone_for_ever_says_nothing_of_what_is_kept() {
        assert_eq!(LockCause::NotFound.kept(), "");
        assert_eq!(LockCause::PendingDeletion.kept(), " Nothing has been lost yet.");
        assert_eq!(LockCause::Disabled.kept(), " Nothing has been lost.");
    }

    #[test]
    fn a_workspace_that_is_locked_alone_is_spoken_of_alone() {
        let mut face = LockFace {
            part: LockedPart::Workspace,
            cause: LockCause::AccessDenied,
            since: 1,
            refused_at: Some(1),
            code: None,
            request_id: None,
            deletion_at: None,
        };
        assert_eq!(face.headline(), "Your organization has locked this workspace");
        assert!(face.reason().contains("Other workspaces are not affected"));
        assert!(face.remedy().contains("the workspace's scope"));
        face.part = LockedPart::Everything;
        assert_eq!(face.headline(), "Your organization has locked this data");
        assert!(!face.remedy().contains("workspace"));
    }
}
