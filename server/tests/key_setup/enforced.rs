//! A local KMS that enforces signatures and policies, with a customer's account and an operator's on it.
//!
//! What must stay true: policies are applied as they are shown, but for one thing. That KMS cannot evaluate conditions on the
//! encryption context, and denies also the call that meets them; so they are taken out, and our proxy denies what they would
//! not allow. [`Applied`] asserts that nothing else is different.

use crate::support::kms_proxy::{Act, KmsProxy, Operation, Rule};
use app::model::key_arn::KeyArn;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_kms::{Client, error::ProvideErrorMetadata};
use serde_json::{Value, from_str};
use server::services::preflight::Preflights;
use std::{env, process::Command, sync::Arc, time::Duration};
use vault::{DeploymentId, Entropy, Kms, SystemClock, SystemEntropy, Vault};

pub const CUSTOMER: &str = "111122223333";
pub const OPERATOR: &str = "444455556666";
pub const DEPLOYMENT: &str = "d-7k2m9q";
pub const REGION: &str = "us-west-1";
pub const DENIED: &str = "AccessDeniedException";

/// Allows everything, so that only the key's policy can deny.
pub const ALL_OF_KMS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"}]}"#;

fn url() -> String {
    env::var("KEYSTEAD_TEST_ENFORCING_KMS_URL")
        .expect("KEYSTEAD_TEST_ENFORCING_KMS_URL must name a running local KMS that enforces policies")
}

/// The root user of an account: there its access key is the account's id.
pub fn root(account: &str) -> Credentials {
    Credentials::new(account, "anything", None, None, "tests")
}

fn client_at(endpoint: &str, credentials: Credentials) -> Client {
    let sdk = aws_config::SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    Client::new(&sdk)
}

/// Runs commands as somebody with these credentials does, on a machine that knows nothing else of AWS. Gives what they print.
pub fn run(commands: &str, arguments: &[&str], credentials: &Credentials) -> String {
    let tools = concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools/venv/bin");
    let ran = Command::new("bash")
        .args(["-c", commands, "commands"])
        .args(arguments)
        .env_clear()
        .env("PATH", format!("{tools}:{}", env::var("PATH").unwrap()))
        .env("AWS_ACCESS_KEY_ID", credentials.access_key_id())
        .env("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key())
        .envs(["KMS", "STS", "IAM"].map(|service| (format!("AWS_ENDPOINT_URL_{service}"), url())))
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap().trim_end().to_owned()
}

/// A role in an account, and a session of it.
pub struct Role {
    account: &'static str,
    name: String,
    pub session: Credentials,
}

impl Role {
    /// Makes one that its own policy allows this.
    pub fn new(account: &'static str, policy: &str) -> Self {
        const MAKE: &str = r#"
            set -eu
            trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::'$1':root"},"Action":"sts:AssumeRole"}]}'
            aws iam create-role --region us-east-1 --role-name "$2" --assume-role-policy-document "$trust" >&2
            aws iam put-role-policy --region us-east-1 --role-name "$2" --policy-name kms --policy-document "$3"
            aws sts assume-role --region us-east-1 --role-arn "arn:aws:iam::$1:role/$2" --role-session-name tests \
              --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' --output text
        "#;
        let mut random = [0; 8];
        SystemEntropy::new().fill(&mut random).unwrap();
        let name = format!("keystead-{}", hex::encode(random));
        let made = run(MAKE, &[account, &name, policy], &root(account));
        let [id, secret, token] = made.split('\t').collect::<Vec<_>>()[..] else { panic!("no session: {made}") };
        let session = Credentials::new(id, secret, Some(token.to_owned()), None, "tests");
        Self { account, name, session }
    }

    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:role/{}", self.account, self.name)
    }

    /// Gives it another policy.
    pub fn allow(&self, policy: &str) {
        const PUT: &str =
            r#"aws iam put-role-policy --region us-east-1 --role-name "$1" --policy-name kms --policy-document "$2""#;
        run(PUT, &[&self.name, policy], &root(self.account));
    }

    /// A client that asks the KMS itself.
    pub fn client(&self) -> Client {
        client_at(&url(), self.session.clone())
    }
}

/// A key of the customer, to which a policy was applied.
pub struct Applied {
    pub arn: String,
    pub owner: Client,
    proxy: KmsProxy,
}

impl Applied {
    /// For a key that exists.
    pub async fn to(arn: String) -> Self {
        let owner = client_at(&url(), root(CUSTOMER));
        Self { arn, owner, proxy: KmsProxy::before(url()).await }
    }

    /// For a new key that has the policy of a key made without one.
    pub async fn to_new_key() -> Self {
        let made = client_at(&url(), root(CUSTOMER)).create_key().send().await.unwrap();
        Self::to(made.key_metadata.unwrap().arn.unwrap()).await
    }

    /// The policy the key has.
    pub async fn policy(&self) -> Value {
        let policy = self.owner.get_key_policy().key_id(&self.arn).send().await.unwrap();
        from_str(&policy.policy.unwrap()).unwrap()
    }

    /// Gives the key this policy: to the KMS what it can evaluate, the conditions to the proxy.
    pub async fn apply(&self, shown: &Value) {
        let (reduced, rules) = without_conditions(shown, &self.arn);
        self.put(shown).await;
        assert_eq!(&self.policy().await, shown, "it is accepted as it is");
        self.put(&reduced).await;
        let mut applied = self.policy().await;
        for (applied, shown) in statements(&mut applied).iter_mut().zip(shown["Statement"].as_array().unwrap()) {
            if let Some(condition) = shown.get("Condition") {
                applied["Condition"] = condition.clone();
            }
        }
        assert_eq!(&applied, shown, "conditions are the only difference");
        self.proxy.set(rules);
    }

    async fn put(&self, policy: &Value) {
        self.owner.put_key_policy().key_id(&self.arn).policy(policy.to_string()).send().await.unwrap();
    }

    /// A client whose calls are judged by the whole policy.
    pub fn client(&self, credentials: &Credentials) -> Client {
        client_at(&self.proxy.url, credentials.clone())
    }

    /// The preflight of a deployment with these credentials.
    pub fn preflights(&self, credentials: &Credentials) -> Preflights {
        let deployment = DeploymentId::new(DEPLOYMENT).unwrap();
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy::new()));
        let provider = format!("arn:aws:kms:{REGION}:{OPERATOR}:key/8f1d2c3b-4a59-4e6f-8a7b-9c0d1e2f3a4b");
        Preflights {
            kms: Kms::new(&self.client(credentials)),
            vault: Arc::new(Vault::new(deployment, clock, entropy, Duration::from_mins(5))),
            provider_key: KeyArn::parse(&provider).unwrap(),
            customer_accounts: Vec::new(),
        }
    }
}

pub fn statements(policy: &mut Value) -> &mut Vec<Value> {
    policy["Statement"].as_array_mut().unwrap()
}

/// Takes the conditions out of a policy. Gives what is left, and what the proxy has to deny for them.
pub fn without_conditions(policy: &Value, key: &str) -> (Value, Vec<Rule>) {
    let (mut policy, mut rules) = (policy.clone(), Vec::new());
    for statement in statements(&mut policy) {
        let Some(condition) = statement.as_object_mut().unwrap().remove("Condition") else { continue };
        let (test, members) = only_member(&condition);
        let (member, value) = only_member(members);
        assert_eq!(test, "StringEquals", "no other is evaluated here");
        let member = member.strip_prefix("kms:EncryptionContext:").expect("no other is evaluated here");
        for action in statement["Action"].as_array().unwrap() {
            let operation =
                Operation::of_target(&format!("TrentService.{}", action.as_str().unwrap().replace("kms:", "")));
            assert!(matches!(operation, Operation::Encrypt | Operation::Decrypt), "{action} has an encryption context");
            rules.push(
                Rule::on(operation, Act::Fail(400, DENIED)).key(key).unless_context(member, value.as_str().unwrap()),
            );
        }
    }
    (policy, rules)
}

fn only_member(object: &Value) -> (&String, &Value) {
    let mut members = object.as_object().unwrap().iter();
    let first = members.next().unwrap();
    assert!(members.next().is_none(), "one member is expected: {object}");
    first
}

/// The policy without one action; a statement that is left without any goes.
pub fn without_action(policy: &Value, action: &str) -> Value {
    let mut policy = policy.clone();
    statements(&mut policy).retain_mut(|statement| match &mut statement["Action"] {
        Value::Array(actions) => {
            actions.retain(|one| one != action);
            !actions.is_empty()
        }
        one => one != action,
    });
    policy
}

/// The code with which AWS refused.
pub fn code<T, E: ProvideErrorMetadata>(answer: Result<T, E>) -> Option<String> {
    answer.err().and_then(|error| error.code().map(str::to_owned))
}
