//! The AWS principal that key policies have to name.

use std::time::Duration;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(5);

/// A principal, as a policy names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsPrincipal {
    pub arn: String,
    /// AWS named a session of a role, and the ARN was made from that. It lacks the path of the role, if there is one.
    pub is_of_session: bool,
}

impl AwsPrincipal {
    /// What the configuration says is taken as it is.
    fn configured(arn: String) -> Self {
        Self { arn, is_of_session: false }
    }

    /// From what AWS says. The ARN of a role's session is turned into that of the role.
    fn told(arn: &str) -> Self {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        if let [arn, partition, "sts", region, account, resource] = parts[..]
            && let Some(session) = resource.strip_prefix("assumed-role/")
        {
            let role = session.split('/').next().unwrap_or(session);
            let arn = format!("{arn}:{partition}:iam:{region}:{account}:role/{role}");
            return Self { arn, is_of_session: true };
        }
        Self::configured(arn.to_owned())
    }
}

/// The configured principal, or else the one that AWS says we are. `None` if AWS does not say: all else works without.
pub async fn find(configured: Option<String>, sts: &aws_sdk_sts::Client) -> Option<AwsPrincipal> {
    if let Some(arn) = configured {
        return Some(AwsPrincipal::configured(arn));
    }
    if let Ok(Ok(identity)) = timeout(PATIENCE, sts.get_caller_identity().send()).await {
        return identity.arn().map(AwsPrincipal::told);
    }
    tracing::warn!(event = "principal_unknown", "AWS does not say who we are; key policies cannot be shown in full");
    None
}

#[cfg(test)]
mod tests {
    use super::AwsPrincipal;

    #[test]
    fn a_session_becomes_its_role_and_everything_else_stays() {
        let of_session = AwsPrincipal::told("arn:aws:sts::444455556666:assumed-role/keystead-prod/i-0abc");
        assert_eq!(of_session.arn, "arn:aws:iam::444455556666:role/keystead-prod");
        assert!(of_session.is_of_session, "its path is not known");
        for same in ["arn:aws:iam::444455556666:user/ada", "arn:aws:iam::444455556666:root", "nonsense"] {
            assert_eq!(AwsPrincipal::told(same), AwsPrincipal::configured(same.to_owned()));
        }
    }
}
