//! The replies of the service: whatever comes back, a key comes of nothing but a right reply, and every error has its class.
//!
//! The real client speaks HTTP with a server in the same thread, which plays the reply that the input spells out:
//!
//! ```text
//! check 200
//! x-amzn-requestid: a1
//!
//! {"KeyId":"arn:…","Plaintext":"…"}
//! ```
//!
//! The first word is the call, the number the status; then headers, an empty line, and the body. Length and end of the reply
//! are added, so that one reply cannot run into the next.

mod player;
mod verdicts;

use aws_credential_types::Credentials;
use aws_sdk_kms::{
    Client, Config,
    config::{AsyncSleep, BehaviorVersion, Region, Sleep, StalledStreamProtectionConfig},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use player::{Player, Reply};
use serde_json::Value;
use std::{sync::LazyLock, time::Duration};
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;
use vault::{
    DataKey, DataKeyId, DeploymentId, Entropy, EntropyError, KeyDescription, KeyState, Kms, KmsError, Probe, Scope,
    Unwrapped, WrapContext, Wrapped,
};

const ARN: &str = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555";
const ID: DataKeyId = DataKeyId(Uuid::from_u128(3));
const SEVENS: [u8; 32] = [7; 32];
/// As the client gives up an attempt, and a key check here.
const ATTEMPT: Duration = Duration::from_secs(5);
const CHECK: Duration = Duration::from_mins(1);

static HOUSE: LazyLock<House> = LazyLock::new(House::new);

/// Takes any bytes.
///
/// # Panics
/// On a finding.
pub fn run(data: &[u8]) {
    let Some((call, reply)) = Reply::read(data) else { return };
    let house = &*HOUSE;
    house.player.play(reply.clone());
    house.runtime.block_on(async {
        let context = WrapContext { deployment: &house.deployment, scope: Scope::Organization, data_key: ID };
        let check_value = house.key.check_value();
        match call {
            "wrap" => house.judge_wrapped(&reply, house.kms.wrap(ARN, &context, &house.key).await),
            "describe" => judge_description(&reply, house.kms.describe(ARN).await),
            "probe" => {
                let outcome = house.kms.unwrap_probe(ARN, &house.deployment, &house.probe).await;
                judge(&reply, "Decrypt", outcome, |_| is_opened(&reply, &SEVENS));
            }
            "unwrap" => {
                house.judge_unwrapped(&reply, house.kms.unwrap(ARN, &context, ID, b"blob", &check_value).await);
            }
            _ => house.judge_unwrapped(&reply, house.kms.check(ARN, &context, ID, b"blob", &check_value).await),
        }
    });
}

/// Nothing but a right reply succeeds, and every failure is of the class that is due.
fn judge<T>(reply: &Reply, operation: &str, outcome: Result<T, KmsError>, is_right: impl FnOnce(T) -> bool) {
    match outcome {
        Ok(value) => {
            assert!(reply.is_success(), "a reply of status {} was believed", reply.status);
            assert!(is_right(value), "a reply was believed that is not right");
        }
        Err(error) => verdicts::judge(reply, operation, &error),
    }
}

/// Whether a body says that the right key has opened what was sent, and that it was these bytes. What our reader cannot
/// read and the client's can says nothing.
fn is_opened(reply: &Reply, secret: &[u8]) -> bool {
    let Some(body) = reply.json() else { return true };
    body["KeyId"] == ARN
        && decoded(&body["Plaintext"]).is_none_or(|bytes| bytes == secret)
        && !body["Plaintext"].is_null()
}

fn decoded(text: &Value) -> Option<Vec<u8>> {
    STANDARD.decode(text.as_str()?).ok()
}

fn judge_description(reply: &Reply, outcome: Result<KeyDescription, KmsError>) {
    judge(reply, "DescribeKey", outcome, |key| {
        assert_eq!(KeyState::from(key.state.as_str()), key.state);
        let Some(body) = reply.json() else { return true };
        let words = [
            ("Arn", key.arn.as_str()),
            ("KeyState", key.state.as_str()),
            ("KeySpec", key.spec.as_str()),
            ("KeyUsage", key.usage.as_str()),
            ("KeyManager", key.manager.as_str()),
            ("Origin", key.origin.as_str()),
        ];
        let described = &body["KeyMetadata"];
        described.is_object() && words.iter().all(|(name, word)| described[name].as_str().unwrap_or("") == *word)
    });
}

/// The client, and all it talks to.
struct House {
    runtime: Runtime,
    player: Player,
    kms: Kms,
    deployment: DeploymentId,
    key: DataKey,
    probe: Probe,
}

impl House {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let player = runtime.block_on(Player::start());
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("AKIA", "secret", None, None, "fuzz"))
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .sleep_impl(Impatient)
            .endpoint_url(player.endpoint());
        let kms = Kms::new(&Client::from_conf(config.build())).with_check_timeout(CHECK);
        let deployment = DeploymentId::new("acme").unwrap();
        let right = format!("wrap 200\n\n{{\"KeyId\":\"{ARN}\",\"CiphertextBlob\":\"YmxvYg==\"}}");
        player.play(Reply::read(right.as_bytes()).unwrap().1);
        let probe = runtime.block_on(kms.wrap_probe(ARN, &deployment, &Sevens)).unwrap();
        Self { runtime, player, kms, deployment, key: DataKey::from_bytes(ID, &SEVENS).unwrap(), probe }
    }

    fn judge_wrapped(&self, reply: &Reply, outcome: Result<Wrapped, KmsError>) {
        judge(reply, "Encrypt", outcome, |wrapped| {
            let Some(body) = reply.json() else { return !wrapped.blob.is_empty() };
            let as_sent = decoded(&body["CiphertextBlob"]).is_none_or(|blob| blob == wrapped.blob);
            body["KeyId"] == ARN && as_sent && !wrapped.blob.is_empty() && self.key.id() == ID
        });
    }

    fn judge_unwrapped(&self, reply: &Reply, outcome: Result<Unwrapped, KmsError>) {
        assert!(outcome.is_ok() || !is_plainly_right(reply), "a right reply was refused");
        judge(reply, "Decrypt", outcome, |unwrapped| {
            let key = unwrapped.key;
            key.id() == ID && key.check_value() == self.key.check_value() && is_opened(reply, &SEVENS)
        });
    }
}

/// A reply with nothing about it that could be taken for a reason.
fn is_plainly_right(reply: &Reply) -> bool {
    let Some(Value::Object(body)) = reply.json() else { return false };
    let bytes = body.get("Plaintext").and_then(decoded);
    reply.status == 200
        && reply.headers.is_empty()
        && body.len() == 2
        && body.get("KeyId").is_some_and(|key| key == ARN)
        && bytes.is_some_and(|bytes| bytes == SEVENS)
}

/// Sleeps only where the client waits for an answer; between its attempts it does not.
#[derive(Debug)]
struct Impatient;

impl AsyncSleep for Impatient {
    fn sleep(&self, time: Duration) -> Sleep {
        if time == ATTEMPT || time == CHECK { Sleep::new(tokio::time::sleep(time)) } else { Sleep::new(async {}) }
    }
}

struct Sevens;

impl Entropy for Sevens {
    fn fill(&self, out: &mut [u8]) -> Result<(), EntropyError> {
        out.fill(7);
        Ok(())
    }
}
