//! The statements that the customer's key policy needs.

use crate::components::form::CopyButton;
use leptos::prelude::*;

/// The statements with a button to copy them. `principal` is the deployment's AWS principal, if it is known.
#[component]
#[allow(clippy::needless_pass_by_value, reason = "an island hands its properties over whole")]
pub fn Policy(deployment: String, principal: Option<String>) -> impl IntoView {
    let is_unknown = principal.is_none();
    let principal = principal.unwrap_or_else(|| "<the principal of this deployment>".to_owned());
    let text = statements(&deployment, &principal);
    view! {
        {is_unknown
            .then(|| {
                view! {
                    <p class="notice warn small">
                        "The AWS principal of this deployment is not known here. Ask your operator for its ARN and put it in place of the words in angle brackets."
                    </p>
                }
            })}
        <div class="code">
            <CopyButton label="Copy key policy" text=text.clone()/>
            <pre tabindex="0">{text}</pre>
        </div>
    }
}

/// The statements, ready to be added to a key policy.
pub fn statements(deployment: &str, principal: &str) -> String {
    let mut text = String::with_capacity(768);
    let mut statement = |sid: &str, actions: &str, condition: Option<&str>, end: &str| {
        text.push_str("{\n  \"Sid\": \"");
        text.push_str(sid);
        text.push_str("\",\n  \"Effect\": \"Allow\",\n  \"Principal\": { \"AWS\": \"");
        text.push_str(principal);
        text.push_str("\" },\n  \"Action\": ");
        text.push_str(actions);
        text.push_str(",\n  \"Resource\": \"*\"");
        if let Some(deployment) = condition {
            text.push_str(",\n  \"Condition\": { \"StringEquals\": { \"kms:EncryptionContext:deployment\": \"");
            text.push_str(deployment);
            text.push_str("\" } }");
        }
        text.push_str("\n}");
        text.push_str(end);
    };
    statement("KeysteadUsesDataKeys", "[\"kms:Encrypt\", \"kms:Decrypt\"]", Some(deployment), ",\n");
    statement("KeysteadReadsKeyState", "\"kms:DescribeKey\"", None, "");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use leptos::serde_json::{Value, from_str, json};

    #[test]
    fn the_statements_allow_three_actions_and_only_for_this_deployment() {
        let text = statements("d-7k2m9q", "arn:aws:iam::444455556666:role/keystead");
        let parsed: Value = from_str(&format!("[{text}]")).unwrap();
        let principal = json!({ "AWS": "arn:aws:iam::444455556666:role/keystead" });
        assert_eq!(
            parsed,
            json!([
                {
                    "Sid": "KeysteadUsesDataKeys",
                    "Effect": "Allow",
                    "Principal": principal,
                    "Action": ["kms:Encrypt", "kms:Decrypt"],
                    "Resource": "*",
                    "Condition": { "StringEquals": { "kms:EncryptionContext:deployment": "d-7k2m9q" } }
                },
                {
                    "Sid": "KeysteadReadsKeyState",
                    "Effect": "Allow",
                    "Principal": principal,
                    "Action": "kms:DescribeKey",
                    "Resource": "*"
                }
            ])
        );
    }
}
