//! What the answers of the service mean, told by real HTTP exchanges with a server that plays recorded replies.

use crate::support::{Counting, deployment, key_id, loose_key};
use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError, future};
use aws_sdk_kms::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region},
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use uuid::Uuid;
use vault::{
    Clock, KeyManager, KeyOrigin, KeySpec, KeyState, KeyUsage, Kms, KmsClass, KmsError, Refusal, Scope, SystemClock,
    Verdict, WrapContext,
};

const ARN: &str = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555";
const OTHER_ARN: &str = "arn:aws:kms:eu-central-1:111122223333:key/99999999-2222-3333-4444-555555555555";
const SILENT: KmsClass = KmsClass::Unreachable { throttled: false, unlisted: false };
const THROTTLED: KmsClass = KmsClass::Unreachable { throttled: true, unlisted: false };
const UNLISTED: KmsClass = KmsClass::Unreachable { throttled: false, unlisted: true };
/// 32 times 0x07, as the service gives it.
const SEVENS: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

#[derive(Clone)]
enum Reply {
    Http(u16, &'static str, String),
    /// Takes the request and never answers.
    Hang,
    /// Closes the connection upon the request.
    Close,
    /// Gives back what was asked to be wrapped, as if it were ciphertext, and the other way round.
    Mirror,
}

fn json(status: u16, body: impl Into<String>) -> Reply {
    Reply::Http(status, "application/x-amz-json-1.1", body.into())
}

fn error(status: u16, code: &str) -> Reply {
    json(status, format!(r#"{{"__type":"{code}","message":"as recorded"}}"#))
}

fn opened(plaintext: &str, arn: &str) -> Reply {
    json(200, format!(r#"{{"KeyId":"{arn}","Plaintext":"{plaintext}","EncryptionAlgorithm":"SYMMETRIC_DEFAULT"}}"#))
}

/// Plays one reply, over and over, and keeps what was asked.
struct Service {
    endpoint: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Service {
    async fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, reply.clone(), Arc::clone(&seen)));
            }
        });
        Self { endpoint, asked }
    }

    fn kms(&self) -> Kms {
        kms(&self.endpoint, Some(Credentials::new("AKIA", "secret", None, None, "test")))
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn field(request: &str, name: &str) -> String {
    let after = request.split(&format!("\"{name}\":\"")).nth(1).unwrap();
    after.split('"').next().unwrap().to_owned()
}

async fn answer(mut stream: TcpStream, reply: Reply, asked: Arc<Mutex<Vec<String>>>) {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    let text = loop {
        let read = stream.read(&mut piece).await.unwrap_or(0);
        request.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if read == 0 || body.len() >= length.unwrap_or(0) {
            break text;
        }
    };
    asked.lock().unwrap().push(text.clone());
    let (status, kind, body) = match reply {
        Reply::Http(status, kind, body) => (status, kind, body),
        Reply::Hang => return tokio::time::sleep(Duration::from_mins(1)).await,
        Reply::Close => return,
        Reply::Mirror if text.contains("TrentService.Encrypt") => {
            let blob = field(&text, "Plaintext");
            (200, "application/x-amz-json-1.1", format!(r#"{{"KeyId":"{ARN}","CiphertextBlob":"{blob}"}}"#))
        }
        Reply::Mirror => {
            let blob = field(&text, "CiphertextBlob");
            (200, "application/x-amz-json-1.1", format!(r#"{{"KeyId":"{ARN}","Plaintext":"{blob}"}}"#))
        }
    };
    let head = format!(
        "HTTP/1.1 {status} Recorded\r\nContent-Type: {kind}\r\nx-amzn-RequestId: request-7\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(body.as_bytes()).await;
}

fn kms(endpoint: &str, credentials: Option<Credentials>) -> Kms {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(endpoint);
    let config = match credentials {
        Some(credentials) => config.credentials_provider(credentials),
        None => config.credentials_provider(NoCredentials),
    };
    Kms::new(&Client::from_conf(config.build())).with_check_timeout(Duration::from_millis(300))
}

#[derive(Debug)]
struct NoCredentials;

impl ProvideCredentials for NoCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("there are none")))
    }
}

/// One key check of the key of sevens.
async fn check(kms: &Kms) -> Result<vault::Unwrapped, KmsError> {
    let deployment = deployment("acme");
    let context = WrapContext { deployment: &deployment, scope: Scope::Organization, data_key: key_id(3) };
    kms.check(ARN, &context, key_id(3), b"blob", &loose_key(3, 7).check_value()).await
}

async fn class_of(reply: Reply) -> KmsError {
    let service = Service::start(reply).await;
    let error = check(&service.kms()).await.err().unwrap();
    assert_eq!(service.asked().len(), 1, "a check is one attempt");
    error
}

#[tokio::test]
async fn every_code_has_its_class() {
    let refused = |refusal| KmsClass::Refused(refusal);
    let cases = [
        (400, "DisabledException", refused(Refusal::Disabled)),
        (400, "KMSInvalidStateException", refused(Refusal::InvalidState)),
        (400, "NotFoundException", refused(Refusal::NotFound)),
        (400, "AccessDeniedException", refused(Refusal::AccessDenied)),
        (403, "AccessDenied", refused(Refusal::AccessDenied)),
        (400, "com.amazonaws.kms#DisabledException", refused(Refusal::Disabled)),
        (400, "DisabledException:http://internal.amazon.com/coral/", refused(Refusal::Disabled)),
        (400, "UnrecognizedClientException", KmsClass::OwnCredentials),
        (400, "ExpiredTokenException", KmsClass::OwnCredentials),
        (403, "ExpiredToken", KmsClass::OwnCredentials),
        (400, "InvalidSignatureException", KmsClass::OwnCredentials),
        (403, "SignatureDoesNotMatch", KmsClass::OwnCredentials),
        (400, "IncompleteSignature", KmsClass::OwnCredentials),
        (400, "MissingAuthenticationToken", KmsClass::OwnCredentials),
        (403, "InvalidClientTokenId", KmsClass::OwnCredentials),
        (400, "ThrottlingException", THROTTLED),
        (400, "Throttling", THROTTLED),
        (400, "LimitExceededException", THROTTLED),
        (429, "TooManyRequestsException", THROTTLED),
        (500, "KeyUnavailableException", SILENT),
        (503, "DependencyTimeoutException", SILENT),
        (500, "KMSInternalException", SILENT),
        (500, "InternalFailure", SILENT),
        (503, "ServiceUnavailable", SILENT),
        (500, "SomethingQuiteNew", SILENT),
        (400, "SomethingQuiteNew", UNLISTED),
        (400, "ValidationException", UNLISTED),
        (400, "InvalidGrantTokenException", UNLISTED),
        (400, "InvalidCiphertextException", KmsClass::Tampered),
        (400, "IncorrectKeyException", KmsClass::Tampered),
    ];
    for (status, code, class) in cases {
        let failed = class_of(error(status, code)).await;
        assert_eq!(failed.class, class, "{status} {code}");
        assert!(code.contains(failed.code.as_deref().unwrap()), "{code}");
        assert_eq!(failed.request_id.as_deref(), Some("request-7"), "{code}");
        assert_eq!(failed.operation, "Decrypt");
    }
}

#[tokio::test]
async fn answers_without_a_code() {
    let html = |status| Reply::Http(status, "text/html", "<html><body>a proxy speaks</body></html>".to_owned());
    assert_eq!(class_of(html(502)).await.class, SILENT);
    assert_eq!(class_of(html(503)).await.class, SILENT);
    assert_eq!(class_of(html(403)).await.class, UNLISTED);
    assert_eq!(class_of(html(200)).await.class, UNLISTED);
    assert_eq!(class_of(html(429)).await.class, THROTTLED);
    assert_eq!(class_of(json(200, r#"{"KeyId": "#)).await.class, UNLISTED);
    assert_eq!(class_of(json(500, "")).await.class, SILENT);
    assert_eq!(class_of(Reply::Close).await.class, SILENT);
    let started = SystemClock.boot();
    assert_eq!(class_of(Reply::Hang).await.class, SILENT);
    assert!(SystemClock.boot().saturating_sub(started) < Duration::from_secs(2));
    // Nobody there.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nobody = kms(&format!("http://{gone}"), Some(Credentials::new("AKIA", "secret", None, None, "test")));
    assert_eq!(check(&nobody).await.err().unwrap().class, SILENT);
}

#[tokio::test]
async fn without_credentials_nothing_is_asked() {
    let service = Service::start(opened(SEVENS, ARN)).await;
    let failed = check(&kms(&service.endpoint, None)).await.err().unwrap();
    assert_eq!(failed.class, KmsClass::OwnCredentials);
    // Nor without anybody to ask for them.
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(&service.endpoint);
    let failed = check(&Kms::new(&Client::from_conf(config.build()))).await.err().unwrap();
    assert_eq!(failed.class, KmsClass::OwnCredentials);
    assert!(service.asked().is_empty());
}

#[tokio::test]
async fn an_answer_is_believed_only_when_all_of_it_fits() {
    let service = Service::start(opened(SEVENS, ARN)).await;
    let unwrapped = check(&service.kms()).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(unwrapped.key.id(), key_id(3));
    assert_eq!(unwrapped.key.check_value(), loose_key(3, 7).check_value());
    assert_eq!(unwrapped.request_id.as_deref(), Some("request-7"));
    let wrong = [
        ("nothing in it", json(200, "{}")),
        ("no plaintext", json(200, format!(r#"{{"KeyId":"{ARN}"}}"#))),
        ("no key id", json(200, format!(r#"{{"Plaintext":"{SEVENS}"}}"#))),
        ("another key", opened(SEVENS, OTHER_ARN)),
        ("an alias of the key", opened(SEVENS, "arn:aws:kms:eu-central-1:111122223333:alias/x")),
        ("31 bytes", opened("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw==", ARN)),
        ("33 bytes", opened("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH", ARN)),
        ("other bytes", opened("CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=", ARN)),
    ];
    for (name, reply) in wrong {
        let failed = class_of(reply).await;
        assert_eq!(failed.class, KmsClass::Tampered, "{name}");
        assert_eq!(failed.request_id.as_deref(), Some("request-7"), "{name}");
        assert!(!format!("{failed} {failed:?}").contains("BwcH"), "{name}");
    }
}

#[tokio::test]
async fn every_call_names_the_key_and_carries_the_context() {
    let service = Service::start(Reply::Mirror).await;
    let (kms, deployment) = (service.kms(), deployment("acme"));
    let scope = Scope::Workspace(Uuid::from_u128(0xaa));
    let context = WrapContext { deployment: &deployment, scope, data_key: key_id(3) };
    let key = loose_key(3, 7);
    let wrapped = kms.wrap(ARN, &context, &key).await.unwrap();
    assert_eq!(wrapped.blob, [7; 32]);
    let unwrapped = kms.unwrap(ARN, &context, key_id(3), &wrapped.blob, &key.check_value()).await;
    assert_eq!(unwrapped.unwrap_or_else(|error| panic!("{error}")).key.check_value(), key.check_value());
    for request in service.asked() {
        for part in [
            format!(r#""KeyId":"{ARN}""#),
            r#""deployment":"acme""#.to_owned(),
            format!(r#""scope":"{scope}""#),
            format!(r#""data_key":"{}""#, key_id(3)),
        ] {
            assert!(request.contains(&part), "{part} is not in {request}");
        }
    }
    // A probe goes there and back under a data key id of its own.
    let entropy = Counting::from(1);
    let probe = kms.wrap_probe(ARN, &deployment, &entropy).await.unwrap();
    assert_eq!(kms.unwrap_probe(ARN, &deployment, &probe).await, Ok(Some("request-7".to_owned())));
    let asked = service.asked();
    assert_eq!(asked.len(), 4);
    assert!(asked[2].contains(r#""scope":"organization""#) && !asked[2].contains(&key_id(3).to_string()));
    let other = crate::support::deployment("acme-probe");
    assert_eq!(kms.encrypt_as(ARN, &other, &entropy).await, Ok(Some("request-7".to_owned())));
    assert!(service.asked()[4].contains(r#""deployment":"acme-probe""#));
    // What comes back must be what went there, under the key that was asked.
    let wrong = Service::start(opened(SEVENS, ARN)).await;
    assert_eq!(wrong.kms().unwrap_probe(ARN, &deployment, &probe).await.unwrap_err().class, KmsClass::Tampered);
    let empty = Service::start(json(200, "{}")).await;
    let failed = empty.kms().wrap(ARN, &context, &key).await.unwrap_err();
    assert_eq!((failed.class, failed.operation), (KmsClass::Tampered, "Encrypt"));
}

#[tokio::test]
async fn a_check_asks_once_and_everything_else_three_times() {
    let service = Service::start(error(500, "KMSInternalException")).await;
    let kms = service.kms();
    assert_eq!(check(&kms).await.err().unwrap().class, SILENT);
    assert_eq!(service.asked().len(), 1);
    let deployment = deployment("acme");
    let context = WrapContext { deployment: &deployment, scope: Scope::Organization, data_key: key_id(3) };
    assert_eq!(kms.wrap(ARN, &context, &loose_key(3, 7)).await.unwrap_err().class, SILENT);
    assert_eq!(service.asked().len(), 4);
    // A refusal is an answer.
    let service = Service::start(error(400, "DisabledException")).await;
    let failed = service.kms().wrap(ARN, &context, &loose_key(3, 7)).await.unwrap_err();
    assert_eq!(failed.class, KmsClass::Refused(Refusal::Disabled));
    assert_eq!(service.asked().len(), 1);
}

#[tokio::test]
async fn a_description_keeps_words_it_does_not_know() {
    let body = format!(
        r#"{{"KeyMetadata":{{"KeyId":"1","Arn":"{ARN}","KeyState":"PendingDeletion","KeySpec":"SYMMETRIC_DEFAULT",
        "KeyUsage":"ENCRYPT_DECRYPT","KeyManager":"CUSTOMER","Origin":"EXTERNAL","DeletionDate":1700000000.5,
        "ValidTo":1800000000}}}}"#
    );
    let described = Service::start(json(200, body)).await.kms().describe(ARN).await.unwrap();
    assert_eq!(described.arn, ARN);
    assert_eq!(described.state, KeyState::PendingDeletion);
    assert_eq!(described.spec, KeySpec::SymmetricDefault);
    assert_eq!(described.usage, KeyUsage::EncryptDecrypt);
    assert_eq!(described.manager, KeyManager::Customer);
    assert_eq!(described.origin, KeyOrigin::External);
    assert_eq!(described.deletion_date, Some(1_700_000_000_500));
    assert_eq!(described.valid_to, Some(1_800_000_000_000));
    assert_eq!(described.request_id.as_deref(), Some("request-7"));

    let body = r#"{"KeyMetadata":{"KeyId":"1","KeyState":"Napping","KeySpec":"RSA_2048","KeyManager":"NOBODY"}}"#;
    let described = Service::start(json(200, body)).await.kms().describe(ARN).await.unwrap();
    assert_eq!(described.state, KeyState::Unknown("Napping".to_owned()));
    assert_eq!(described.spec, KeySpec::Unknown("RSA_2048".to_owned()));
    assert_eq!(described.manager, KeyManager::Unknown("NOBODY".to_owned()));
    assert_eq!(described.usage, KeyUsage::Unknown(String::new()));
    assert_eq!(described.arn, "");

    let failed = Service::start(json(200, "{}")).await.kms().describe(ARN).await.unwrap_err();
    assert_eq!((failed.class, failed.operation), (KmsClass::Tampered, "DescribeKey"));
}

#[test]
fn a_failure_becomes_a_verdict() {
    let failure = |class, code: Option<&str>| KmsError {
        class,
        code: code.map(str::to_owned),
        request_id: Some("request-7".to_owned()),
        denial: None,
        operation: "Decrypt",
    };
    let request_id = Some("request-7".to_owned());
    let refused = failure(KmsClass::Refused(Refusal::NotFound), Some("NotFoundException"));
    assert_eq!(refused.to_string(), "Decrypt: the key was refused (NotFoundException), request request-7",);
    let code = "NotFoundException".to_owned();
    let expected = Verdict::Refused { reason: Refusal::NotFound, code, request_id: request_id.clone() };
    assert_eq!(Verdict::from(refused), expected);
    let expected = Verdict::Unreachable { code: None, request_id: request_id.clone() };
    assert_eq!(Verdict::from(failure(THROTTLED, None)), expected);
    let expected = Verdict::OwnCredentials { code: Some("ExpiredToken".to_owned()), request_id: request_id.clone() };
    assert_eq!(Verdict::from(failure(KmsClass::OwnCredentials, Some("ExpiredToken"))), expected);
    assert_eq!(Verdict::from(failure(KmsClass::Tampered, None)), Verdict::Tampered { code: None, request_id });
}
