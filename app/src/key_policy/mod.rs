//! What the owner of a KMS key needs so that a deployment may use the key: the statements of the key policy, and commands
//! and templates that make a key with the whole policy.
//!
//! What must stay true: every format says the same, because all are written from one tree of statements; what is put into
//! them is quoted by the rules of the format, so that no value can become anything else; comments hold no values. No island
//! reaches this module, so the browser is sent none of it.

mod cloudformation;
mod command;
mod operator;
mod quote;
mod terraform;
mod tree;

#[cfg(test)]
mod tests;

pub use operator::operator_policy;

use crate::model::identity::Deployment;
use tree::Node;

/// Stands where the principal belongs as long as nobody knows it. AWS accepts no policy with it.
pub const UNKNOWN_PRINCIPAL: &str = "<ARN of the principal of this deployment>";

/// One thing that a deployment may do with the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    /// As AWS calls it.
    pub action: &'static str,
    /// What it is needed for, in one sentence.
    pub reason: &'static str,
    /// Whether it is allowed only together with the id of this deployment.
    pub is_tied: bool,
}

/// All that a deployment may do with the key.
pub const PERMISSIONS: [Permission; 3] = [
    Permission {
        action: "kms:Encrypt",
        reason: "Wraps each data key, so that it is stored only in a form that your key alone can open.",
        is_tied: true,
    },
    Permission {
        action: "kms:Decrypt",
        reason: "Opens the data keys, and checks every few seconds whether you still allow it.",
        is_tied: true,
    },
    Permission {
        action: "kms:DescribeKey",
        reason: "Tells whether the key is enabled and of the right kind, and warns you when it is to be deleted.",
        is_tied: false,
    },
];

/// Ways to write it down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The statements to add to the policy of a key that exists.
    Json,
    /// Commands that make a key.
    Cli,
    Terraform,
    CloudFormation,
}

impl Format {
    /// In the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Json, Self::Cli, Self::Terraform, Self::CloudFormation];

    /// The word for it in addresses and commands.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Cli => "cli",
            Self::Terraform => "terraform",
            Self::CloudFormation => "cloudformation",
        }
    }

    /// The format that a word is for.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.word() == word)
    }

    /// What people read.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Json => "Key policy",
            Self::Cli => "AWS CLI",
            Self::Terraform => "Terraform",
            Self::CloudFormation => "CloudFormation",
        }
    }

    /// What it is good for.
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::Json => {
                "For a key that exists: add both statements to the list Statement of its policy, without the outer brackets."
            }
            Self::Cli => {
                "Creates a key with the whole policy, in the account whose credentials you use, and prints the key's ARN."
            }
            Self::Terraform => {
                "Creates a key with the whole policy, in the account of your AWS provider. Its ARN is the output keystead_key_arn."
            }
            Self::CloudFormation => {
                "Creates a key with the whole policy, in the account of the stack. Its ARN is the output KeyArn."
            }
        }
    }

    /// Where it can be downloaded.
    pub fn address(self) -> String {
        ["/settings/data-encryption/key-policy/", self.word()].concat()
    }

    /// What it is called as a file.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Json => "keystead-key-policy.json",
            Self::Cli => "keystead-key.sh",
            Self::Terraform => "keystead-key.tf",
            Self::CloudFormation => "keystead-key.yaml",
        }
    }

    /// The type of that file.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Cli => "application/x-sh",
            // None is registered for it.
            Self::Terraform => "text/plain; charset=utf-8",
            Self::CloudFormation => "application/yaml",
        }
    }
}

/// The statements to add to a key policy, as JSON: what [`Format::Json`] is.
pub fn statements(deployment: &str, principal: Option<&str>) -> String {
    tree::json(&Node::List(added(deployment, principal)))
}

/// The one statement of them that allows `action`, as JSON. The tied one for what is none of [`PERMISSIONS`].
pub fn statement_allowing(action: &str, deployment: &str, principal: Option<&str>) -> String {
    let is_tied = PERMISSIONS.iter().find(|permission| permission.action == action).is_none_or(|found| found.is_tied);
    let statement = added(deployment, principal).into_iter().nth(usize::from(!is_tied));
    statement.as_ref().map(tree::json).unwrap_or_default()
}

fn added(deployment: &str, principal: Option<&str>) -> Vec<Node> {
    tree::statements(Some(principal.unwrap_or(UNKNOWN_PRINCIPAL)), &["*"], Some(deployment))
}

/// Who may use the key, and where it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The id of the deployment, in the encryption context of every call.
    pub deployment: String,
    /// The ARN of the AWS principal that calls. `None`: [`UNKNOWN_PRINCIPAL`] stands in its place.
    pub principal: Option<String>,
    /// The partition of AWS the deployment is in, for example `aws`.
    pub partition: String,
    /// The region the key must be in.
    pub region: String,
    /// The account that owns the key. `None`: whoever runs the commands or the template finds it out there.
    pub owner: Option<String>,
}

impl Access {
    /// For this deployment, with the ARN of its principal if that is known.
    pub fn of(place: &Deployment, principal: Option<String>) -> Self {
        let Deployment { id, partition, region, .. } = place.clone();
        Self { deployment: id, principal, partition, region, owner: None }
    }

    /// The whole text in this format, with a line break at its end.
    pub fn text(&self, format: Format) -> String {
        match format {
            Format::Json => statements(&self.deployment, self.principal.as_deref()),
            Format::Cli => command::text(self),
            Format::Terraform => terraform::text(self),
            Format::CloudFormation => cloudformation::text(self),
        }
    }

    /// What the key is called by its description.
    fn description(&self) -> String {
        format!("Customer managed key of Keystead deployment {}", self.deployment)
    }

    /// The whole policy of a key. Without its owner's own statement nobody could manage it any more.
    fn policy(&self) -> Node {
        let statement = [tree::statement("OwnerManagesKey", Some(self.root_of_owner()), &["kms:*"], &["*"], None)];
        let added = added(&self.deployment, self.principal.as_deref());
        tree::policy(statement.into_iter().chain(added).collect())
    }

    fn root_of_owner(&self) -> Node {
        let before = format!("arn:{}:iam::", self.partition);
        match &self.owner {
            Some(account) => Node::Text(format!("{before}{account}:root")),
            None => Node::OfOwner { before, after: ":root" },
        }
    }
}
