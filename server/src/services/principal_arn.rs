//! The AWS principal that key policies have to name.

use std::time::Duration;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(5);

/// The configured principal, or else the one that AWS says we are. `None` if AWS does not say: all else works without.
pub async fn find(configured: Option<String>, sts: &aws_sdk_sts::Client) -> Option<String> {
    if configured.is_some() {
        return configured;
    }
    if let Ok(Ok(identity)) = timeout(PATIENCE, sts.get_caller_identity().send()).await {
        return identity.arn().map(of_role);
    }
    tracing::warn!(event = "principal_unknown", "AWS does not say who we are; key policies cannot be shown in full");
    None
}

/// Turns the ARN of a role's session into that of the role. A session's ARN lacks the path of the role.
fn of_role(arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    if let [arn, partition, "sts", region, account, resource] = parts[..]
        && let Some(session) = resource.strip_prefix("assumed-role/")
    {
        let role = session.split('/').next().unwrap_or(session);
        return format!("{arn}:{partition}:iam:{region}:{account}:role/{role}");
    }
    arn.to_owned()
}

#[cfg(test)]
mod tests {
    use super::of_role;

    #[test]
    fn a_session_becomes_its_role_and_everything_else_stays() {
        assert_eq!(
            of_role("arn:aws:sts::444455556666:assumed-role/keystead-prod/i-0abc"),
            "arn:aws:iam::444455556666:role/keystead-prod"
        );
        for same in ["arn:aws:iam::444455556666:user/ada", "arn:aws:iam::444455556666:root", "nonsense"] {
            assert_eq!(of_role(same), same);
        }
    }
}
