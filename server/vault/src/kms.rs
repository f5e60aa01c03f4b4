//! AWS KMS, as far as the vault needs it: wrapping and unwrapping data keys under a root key, and describing one.
//!
//! What must stay true: every `Encrypt` and `Decrypt` names the key by the very ARN that was given and carries the
//! encryption context; no answer is believed before it was checked; and no error says anything of what was wrapped.
//! The key check is a single attempt, because its loop is the retry; everything else retries as the SDK does.

mod class;
mod connections;
mod describe;
mod observer;

pub use class::{Denial, KmsClass, KmsError};
pub use describe::{KeyDescription, KeyManager, KeyOrigin, KeySpec, KeyState, KeyUsage};
pub use observer::KmsObserver;

use crate::{
    clock::Clock,
    context::{DataKeyId, DeploymentId, HeadContext, Scope, WrapContext},
    entropy::Entropy,
    keyring::DataKey,
};
use aws_sdk_kms::{Client, config::Builder, primitives::Blob};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use class::{failed, request_id};
use connections::Connections;
use std::{collections::HashMap, sync::Arc, time::Duration};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The longest a key check may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest one attempt of any other call may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
const ATTEMPTS: u32 = 3;

/// An encryption context. No call is made without one.
type Context = HashMap<String, String>;

/// The key management service, by a client that the server has configured.
#[derive(Clone)]
pub struct Kms {
    connections: Arc<Connections>,
    check_timeout: Duration,
    observer: Option<(Arc<dyn KmsObserver>, Arc<dyn Clock>)>,
}

/// A data key, wrapped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrapped {
    /// What to store.
    pub blob: Vec<u8>,
    /// The service's id of the request.
    pub request_id: Option<String>,
}

/// A data key, unwrapped and verified. Not in any ring yet.
pub struct Unwrapped {
    /// The key.
    pub key: DataKey,
    /// The service's id of the request.
    pub request_id: Option<String>,
}

/// A random value that was wrapped to see whether a key can be used.
pub struct Probe {
    data_key: DataKeyId,
    secret: Zeroizing<Vec<u8>>,
    blob: Vec<u8>,
    /// The service's id of the request.
    pub request_id: Option<String>,
}

/// How hard to try.
#[derive(Clone, Copy)]
enum Effort {
    Once(Duration),
    Standard,
}

impl Kms {
    /// Over a client whose region and endpoint are configuration, never what a person typed.
    pub fn new(client: &Client) -> Self {
        Self { connections: Arc::new(Connections::new(client)), check_timeout: CHECK_TIMEOUT, observer: None }
    }

    /// The same, telling `observer` of every call, timed by `clock`.
    #[must_use]
    pub fn observed(mut self, observer: Arc<dyn KmsObserver>, clock: Arc<dyn Clock>) -> Self {
        self.observer = Some((observer, clock));
        self
    }

    /// Lets all connections go, and what is left of data keys in their buffers. The next call makes new ones.
    pub fn let_connections_go(&self) {
        self.connections.let_go();
    }

    /// The same with another limit for a key check than 2 s.
    #[must_use]
    pub fn with_check_timeout(mut self, timeout: Duration) -> Self {
        self.check_timeout = timeout;
        self
    }

    /// Wraps a data key by the key `arn`.
    pub async fn wrap(&self, arn: &str, context: &WrapContext<'_>, key: &DataKey) -> Result<Wrapped, KmsError> {
        let secret = key.bytes_to_wrap().map_err(|_| KmsError::local(ENCRYPT, "Locked"))?;
        self.encrypt(arn, context.to_map(), &secret).await
    }

    /// Unwraps a data key that was wrapped by the key `arn`, and makes sure that it is the right one.
    pub async fn unwrap(
        &self,
        arn: &str,
        context: &WrapContext<'_>,
        data_key_id: DataKeyId,
        blob: &[u8],
        check_value: &[u8; 32],
    ) -> Result<Unwrapped, KmsError> {
        self.unwrap_with(Effort::Standard, arn, context, data_key_id, blob, check_value).await
    }

    /// The key check: unwraps like [`Kms::unwrap`], in one attempt of at most 2 s.
    pub async fn check(
        &self,
        arn: &str,
        context: &WrapContext<'_>,
        data_key_id: DataKeyId,
        blob: &[u8],
        check_value: &[u8; 32],
    ) -> Result<Unwrapped, KmsError> {
        self.unwrap_with(Effort::Once(self.check_timeout), arn, context, data_key_id, blob, check_value).await
    }

    /// What the service says about the key `arn`.
    pub async fn describe(&self, arn: &str) -> Result<KeyDescription, KmsError> {
        let call = self.connections.client().describe_key().key_id(arn).customize();
        let call = call.config_override(Effort::Standard.config());
        let reply = self.told(DESCRIBE, async { call.send().await.map_err(|error| failed(DESCRIBE, &error)) }).await?;
        let request_id = request_id(&reply);
        let metadata = reply.key_metadata.ok_or_else(|| KmsError::tampered(DESCRIBE, request_id.clone()))?;
        Ok(KeyDescription::from_metadata(metadata, request_id))
    }

    /// First half of a trial: wraps a random value in this deployment's context.
    pub async fn wrap_probe(
        &self,
        arn: &str,
        deployment: &DeploymentId,
        entropy: &dyn Entropy,
    ) -> Result<Probe, KmsError> {
        let mut id = [0u8; 16];
        let mut secret = Zeroizing::new(vec![0u8; 32]);
        let filled = entropy.fill(&mut id).and_then(|()| entropy.fill(&mut secret));
        filled.map_err(|_| KmsError::local(ENCRYPT, "NoRandomBytes"))?;
        let data_key = DataKeyId(uuid::Builder::from_random_bytes(id).into_uuid());
        let context = WrapContext { deployment, scope: Scope::Organization, data_key };
        let Wrapped { blob, request_id } = self.encrypt(arn, context.to_map(), &secret).await?;
        Ok(Probe { data_key, secret, blob, request_id })
    }

    /// Second half of a trial: unwraps it again and compares. Gives the service's id of the request.
    pub async fn unwrap_probe(
        &self,
        arn: &str,
        deployment: &DeploymentId,
        probe: &Probe,
    ) -> Result<Option<String>, KmsError> {
        let context = WrapContext { deployment, scope: Scope::Organization, data_key: probe.data_key };
        let (opened, request_id) = self.decrypt(Effort::Standard, arn, context.to_map(), &probe.blob).await?;
        if bool::from(opened.ct_eq(probe.secret.as_slice())) {
            Ok(request_id)
        } else {
            Err(KmsError::tampered(DECRYPT, request_id))
        }
    }

    /// Wraps a random value in *another* deployment's context, which a narrow key policy denies. Success means that
    /// the policy is broader than needed; what was wrapped is thrown away.
    pub async fn encrypt_as(
        &self,
        arn: &str,
        other: &DeploymentId,
        entropy: &dyn Entropy,
    ) -> Result<Option<String>, KmsError> {
        self.wrap_probe(arn, other, entropy).await.map(|probe| probe.request_id)
    }

    /// Signs the head of the audit log: wraps its hash by the key `arn`, under a context that names deployment and sequence.
    /// Nobody can make such a blob who may not use the key.
    pub async fn sign_head(&self, arn: &str, head: &HeadContext<'_>, hash: &[u8; 32]) -> Result<Wrapped, KmsError> {
        self.encrypt(arn, head.to_map(), hash).await
    }

    /// The hash that was signed as this head by the key `arn`. Fails as *tampered* for a blob that was made for any other.
    pub async fn signed_head(&self, arn: &str, head: &HeadContext<'_>, blob: &[u8]) -> Result<[u8; 32], KmsError> {
        let (hash, request_id) = self.decrypt(Effort::Standard, arn, head.to_map(), blob).await?;
        hash.as_slice().try_into().map_err(|_| KmsError::tampered(DECRYPT, request_id))
    }

    async fn unwrap_with(
        &self,
        effort: Effort,
        arn: &str,
        context: &WrapContext<'_>,
        id: DataKeyId,
        blob: &[u8],
        check_value: &[u8; 32],
    ) -> Result<Unwrapped, KmsError> {
        let (bytes, request_id) = self.decrypt(effort, arn, context.to_map(), blob).await?;
        let key = DataKey::from_bytes(id, &bytes).ok_or_else(|| KmsError::tampered(DECRYPT, request_id.clone()))?;
        if bool::from(key.check_value().ct_eq(check_value)) {
            Ok(Unwrapped { key, request_id })
        } else {
            Err(KmsError::tampered(DECRYPT, request_id))
        }
    }

    async fn encrypt(&self, arn: &str, context: Context, secret: &[u8]) -> Result<Wrapped, KmsError> {
        let call = self.connections.client().encrypt().key_id(arn);
        let call = call.set_encryption_context(Some(context)).plaintext(Blob::new(secret));
        let call = call.customize().config_override(Effort::Standard.config());
        let reply = self.told(ENCRYPT, async { call.send().await.map_err(|error| failed(ENCRYPT, &error)) }).await?;
        let request_id = request_id(&reply);
        match reply.ciphertext_blob {
            Some(blob) if reply.key_id.as_deref() == Some(arn) && !blob.as_ref().is_empty() => {
                Ok(Wrapped { blob: blob.into_inner(), request_id })
            }
            _ => Err(KmsError::tampered(ENCRYPT, request_id)),
        }
    }

    async fn decrypt(
        &self,
        effort: Effort,
        arn: &str,
        context: Context,
        blob: &[u8],
    ) -> Result<(Zeroizing<Vec<u8>>, Option<String>), KmsError> {
        let call = self.connections.client().decrypt().key_id(arn);
        let call = call.set_encryption_context(Some(context)).ciphertext_blob(Blob::new(blob));
        let call = call.customize().config_override(effort.config());
        let reply = async { call.send().await.map_err(|error| failed(DECRYPT, &error)) };
        self.told(DECRYPT, async {
            let reply = reply.await?;
            let request_id = request_id(&reply);
            // On the heap as it came: a copy by value would leave its bytes behind on the stack.
            let plaintext = reply.plaintext.map(|blob| Zeroizing::new(blob.into_inner()));
            match plaintext {
                Some(plaintext) if reply.key_id.as_deref() == Some(arn) && plaintext.len() == 32 => {
                    Ok((plaintext, request_id))
                }
                _ => Err(KmsError::tampered(DECRYPT, request_id)),
            }
        })
        .await
    }

    /// Waits for a call and tells the observer how it ended.
    async fn told<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, KmsError>>,
    ) -> Result<T, KmsError> {
        let Some((observer, clock)) = &self.observer else { return call.await };
        let began = clock.boot();
        let outcome = call.await;
        observer.called(operation, outcome.as_ref().err(), clock.boot().saturating_sub(began));
        outcome
    }
}

const ENCRYPT: &str = "Encrypt";
const DECRYPT: &str = "Decrypt";
const DESCRIBE: &str = "DescribeKey";

impl Effort {
    fn config(self) -> Builder {
        let (retry, attempt) = match self {
            Self::Once(timeout) => (RetryConfig::disabled(), timeout),
            Self::Standard => (RetryConfig::standard().with_max_attempts(ATTEMPTS), ATTEMPT_TIMEOUT),
        };
        let timeouts = TimeoutConfig::builder().connect_timeout(attempt).operation_attempt_timeout(attempt);
        let timeouts = match self {
            Self::Once(timeout) => timeouts.operation_timeout(timeout),
            Self::Standard => timeouts,
        };
        aws_sdk_kms::Config::builder().retry_config(retry).timeout_config(timeouts.build())
    }
}
