//! The other side: what the policy of the deployment's own principal has to allow. Across accounts AWS wants both.

use super::tree;

/// The operator's policy for the principal of the deployment, as JSON with a line break at its end. It is for `keys`, by
/// their ARNs, or for any key in the region. Without a `deployment`, for one that has never started, the calls are not
/// tied to its id.
pub fn operator_policy(partition: &str, region: &str, keys: &[&str], deployment: Option<&str>) -> String {
    let any = format!("arn:{partition}:kms:{region}:*:key/*");
    let resources = if keys.is_empty() { &[any.as_str()][..] } else { keys };
    tree::json(&tree::policy(tree::statements(None, resources, deployment)))
}
