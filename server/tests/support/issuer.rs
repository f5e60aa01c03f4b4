//! An identity provider that does what a real one never does: it signs with a key of somebody else, for somebody else, with
//! another nonce; it answers at length, leads elsewhere, or not at all. It checks what it is given as strictly as a real one.

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use server::config::SingleSignOnConfig;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::net::TcpListener;
use vault::Zeroizing;

pub const CLIENT: &str = "keystead";
pub const SECRET: &str = "a secret of the tests: with signs & all %";

/// What is wrong with the next token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    Nothing,
    Key,
    Audience,
    OneAudienceMore,
    Nonce,
    NoNonce,
    Issuer,
    Expired,
    /// `alg: none`.
    NotSigned,
    /// Signed with the client's secret.
    SharedSecret,
    Signature,
    AccessToken,
}

impl Wrong {
    pub const ALL: [Self; 11] = [
        Self::Key,
        Self::Audience,
        Self::OneAudienceMore,
        Self::Nonce,
        Self::NoNonce,
        Self::Issuer,
        Self::Expired,
        Self::NotSigned,
        Self::SharedSecret,
        Self::Signature,
        Self::AccessToken,
    ];
}

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Good,
    /// Everything is elsewhere.
    Redirects,
    /// More than anybody reads.
    AtLength,
    Nonsense,
    /// Its description names another issuer.
    OtherIssuer,
    /// Its description leads to addresses in clear.
    InClear,
}

struct Asked {
    nonce: String,
    challenge: String,
    redirect: String,
    claims: Value,
    wrong: Wrong,
}

struct Inner {
    keys: Vec<EcdsaKeyPair>,
    asked: HashMap<String, Asked>,
    manner: Manner,
    /// What it tells at the endpoint for it, by access token.
    told: HashMap<String, Value>,
    /// Which claims only that endpoint tells.
    apart: Vec<String>,
    calls: Vec<String>,
}

/// Runs as long as the test.
#[derive(Clone)]
pub struct Issuer {
    pub url: String,
    inner: Arc<Mutex<Inner>>,
}

impl Issuer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inner = Inner {
            keys: vec![key()],
            asked: HashMap::new(),
            manner: Manner::Good,
            told: HashMap::new(),
            apart: Vec::new(),
            calls: Vec::new(),
        };
        let issuer = Self { url, inner: Arc::new(Mutex::new(inner)) };
        let router = Router::new().fallback(answer).with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        issuer
    }

    /// What a server is told of it.
    pub fn config(&self) -> SingleSignOnConfig {
        SingleSignOnConfig {
            issuer: self.url.clone(),
            client_id: CLIENT.to_owned(),
            client_secret: Zeroizing::new(SECRET.to_owned()),
            label: "Example Login".to_owned(),
            scopes: ["openid", "email", "profile"].map(str::to_owned).into(),
            role_claim: "roles".to_owned(),
            administrator_role: None,
            member_role: None,
        }
    }

    pub fn behave(&self, manner: Manner) {
        self.inner.lock().unwrap().manner = manner;
    }

    /// These claims are not in the token, but at the endpoint for them.
    pub fn tell_apart(&self, claims: &[&str]) {
        self.inner.lock().unwrap().apart = claims.iter().map(|claim| (*claim).to_owned()).collect();
    }

    /// Signs with a new key from now on, and publishes only that.
    pub fn rotate(&self) {
        self.inner.lock().unwrap().keys.push(key());
    }

    /// How often this path was asked for.
    pub fn calls(&self, path: &str) -> usize {
        self.inner.lock().unwrap().calls.iter().filter(|call| *call == path).count()
    }

    /// Somebody comes to `address` and is known by `claims`. Gives the path by which they go back.
    pub fn sends_back(&self, address: &str, claims: Value, wrong: Wrong) -> String {
        let uri: Uri = address.parse().unwrap();
        assert_eq!(uri.path(), "/authorize");
        let asked = pairs(uri.query().unwrap());
        for (name, value) in [("response_type", "code"), ("client_id", CLIENT), ("code_challenge_method", "S256")] {
            assert_eq!(asked[name], value, "{address}");
        }
        assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
        let mut inner = self.inner.lock().unwrap();
        let code = format!("code-{}", inner.asked.len());
        let take = |name: &str| asked[name].clone();
        let (nonce, challenge, redirect) = (take("nonce"), take("code_challenge"), take("redirect_uri"));
        let path = redirect.parse::<Uri>().unwrap().path().to_owned();
        inner.asked.insert(code.clone(), Asked { nonce, challenge, redirect, claims, wrong });
        format!("{path}?code={code}&state={}", asked["state"])
    }
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a clock of its own")]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// What is asked for in a query or a form.
pub fn pairs(text: &str) -> HashMap<String, String> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().unwrap().into_owned();
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

fn key() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()
}

fn encoded(value: &Value) -> String {
    BASE64.encode(value.to_string())
}

impl Inner {
    fn published(&self) -> Value {
        let (number, key) = self.keys.iter().enumerate().next_back().unwrap();
        let point = key.public_key().as_ref();
        let (x, y) = (BASE64.encode(&point[1..33]), BASE64.encode(&point[33..]));
        json!({"keys": [{"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": number.to_string(), "x": x, "y": y}]})
    }

    fn signed(&self, claims: &Value, wrong: Wrong) -> String {
        let (number, own) = self.keys.iter().enumerate().next_back().unwrap();
        let algorithm = match wrong {
            Wrong::NotSigned => "none",
            Wrong::SharedSecret => "HS256",
            _ => "ES256",
        };
        let kid = number.to_string();
        let text = format!("{}.{}", encoded(&json!({"alg": algorithm, "typ": "JWT", "kid": kid})), encoded(claims));
        let by = |key: &EcdsaKeyPair| key.sign(&SystemRandom::new(), text.as_bytes()).unwrap().as_ref().to_vec();
        let signature = match wrong {
            Wrong::NotSigned => Vec::new(),
            Wrong::SharedSecret => {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), text.as_bytes()).as_ref().to_vec()
            }
            Wrong::Key => by(&key()),
            Wrong::Signature => {
                let mut signature = by(own);
                signature[7] ^= 1;
                signature
            }
            _ => by(own),
        };
        format!("{text}.{}", BASE64.encode(signature))
    }

    fn token(&mut self, url: &str, headers: &HeaderMap, form: &HashMap<String, String>) -> Response {
        let given = headers[header::AUTHORIZATION].to_str().unwrap().strip_prefix("Basic ").unwrap();
        let given = base64::engine::general_purpose::STANDARD.decode(given).unwrap();
        let (id, secret) = std::str::from_utf8(&given).unwrap().split_once(':').unwrap();
        let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().unwrap().into_owned();
        assert_eq!((decoded(id).as_str(), decoded(secret).as_str()), (CLIENT, SECRET));
        assert_eq!(form["grant_type"], "authorization_code");
        let Some(asked) = self.asked.remove(&form["code"]) else { return denied() };
        let verified = BASE64.encode(digest(&SHA256, form["code_verifier"].as_bytes()));
        if verified != asked.challenge || form["redirect_uri"] != asked.redirect {
            return denied();
        }
        let Asked { nonce, claims: told, wrong, .. } = asked;
        let access = format!("access-{}", form["code"]);
        let half = &digest(&SHA256, if wrong == Wrong::AccessToken { b"another" } else { access.as_bytes() }).as_ref()
            [..16]
            .to_vec();
        let ends = if wrong == Wrong::Expired { now() - 1 } else { now() + 300 };
        let audience = match wrong {
            Wrong::Audience => json!("somebody-else"),
            Wrong::OneAudienceMore => json!([CLIENT, "somebody-else"]),
            _ => json!(CLIENT),
        };
        let issuer = if wrong == Wrong::Issuer { "https://evil.example" } else { url };
        let mut claims =
            json!({"iss": issuer, "aud": audience, "exp": ends, "iat": now(), "at_hash": BASE64.encode(half)});
        match wrong {
            Wrong::NoNonce => {}
            Wrong::Nonce => claims["nonce"] = "another".into(),
            _ => claims["nonce"] = nonce.into(),
        }
        for (name, value) in told.as_object().unwrap() {
            if !self.apart.contains(name) {
                claims[name] = value.clone();
            }
        }
        self.told.insert(access.clone(), told);
        let signed = self.signed(&claims, wrong);
        let body = json!({"access_token": access, "token_type": "Bearer", "expires_in": 60, "id_token": signed});
        in_json(StatusCode::OK, &body)
    }

    fn description(&self, url: &str) -> Value {
        let issuer = if self.manner == Manner::OtherIssuer { "https://evil.example" } else { url };
        let place = if self.manner == Manner::InClear { "http://login.example.com" } else { url };
        json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{place}/authorize"),
            "token_endpoint": format!("{place}/token"),
            "userinfo_endpoint": format!("{place}/me"),
            "jwks_uri": format!("{place}/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
        })
    }
}

async fn answer(State(issuer): State<Issuer>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut inner = issuer.inner.lock().unwrap();
    inner.calls.push(uri.path().to_owned());
    match inner.manner {
        Manner::Redirects => {
            return (StatusCode::FOUND, [(header::LOCATION, format!("{}{}?again", issuer.url, uri.path()))])
                .into_response();
        }
        Manner::AtLength => return in_json(StatusCode::OK, &Value::String("x".repeat(1024 * 1024))),
        Manner::Nonsense => return (StatusCode::OK, "<html>").into_response(),
        _ => {}
    }
    match uri.path() {
        "/.well-known/openid-configuration" => in_json(StatusCode::OK, &inner.description(&issuer.url)),
        "/keys" => in_json(StatusCode::OK, &inner.published()),
        "/token" => inner.token(&issuer.url, &headers, &pairs(std::str::from_utf8(&body).unwrap())),
        "/me" => {
            let access = headers[header::AUTHORIZATION].to_str().unwrap().strip_prefix("Bearer ").unwrap();
            in_json(StatusCode::OK, &inner.told[access])
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn denied() -> Response {
    in_json(StatusCode::BAD_REQUEST, &json!({"error": "invalid_grant"}))
}

fn in_json(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
