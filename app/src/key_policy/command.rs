//! The format *AWS CLI*: commands for bash.

use super::{Access, quote::shell, tree};

/// Commands that make the key and print its ARN. In brackets, so that a failure ends them and not the shell they are pasted
/// into; and without a file or a function, so that they do the same in every shell people use.
pub fn text(access: &Access) -> String {
    let json = tree::json(&access.policy());
    let json = json.trim_end();
    let region = shell(&access.region);
    // The owner's statement is the first, and nothing before it but the partition comes from outside.
    let (account, policy) = match json.split_once(tree::OWNER) {
        Some((before, after)) if access.owner.is_none() => (
            format!("  account=$(aws sts get-caller-identity --region {region} --query Account --output text)\n"),
            format!("{}\"$account\"{}", shell(before), shell(after)),
        ),
        _ => (String::new(), shell(json)),
    };
    let description = shell(&access.description());
    format!(
        "\
# Creates a KMS key that this deployment of Keystead may use, and prints its ARN.
# Run it in bash, with credentials of the AWS account that shall own the key.
(
  set -eu
{account}  aws kms create-key --region {region} \\
    --description {description} \\
    --query KeyMetadata.Arn --output text \\
    --policy {policy}
)
"
    )
}
