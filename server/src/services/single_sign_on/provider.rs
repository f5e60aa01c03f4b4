//! The identity provider: where it is, how it signs, and whom it names.
//!
//! What must stay true: a person is named by an ID token that stands every check (issuer, audience, signature by one of the keys
//! that the provider publishes, time, nonce), and by nothing else; what the provider tells beside it is of the same person. Its
//! description is read when it is first needed and again after an hour, its keys also when a token names one that is not known.

use super::{
    attempts::Way,
    wire::{Wire, is_protected},
};
use crate::config::SingleSignOnConfig;
use app::model::single_sign_on::SingleSignOnRefused as Refused;
use chrono::{DateTime, Utc};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AuthType, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken,
    EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields, IdTokenVerifier, IssuerUrl,
    JsonWebKeySet, Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    Scope, SignatureVerificationError, StandardErrorResponse, StandardTokenResponse, TokenResponse,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClientAuthMethod, CoreErrorResponseType,
        CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
        CoreProviderMetadata, CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse,
        CoreTokenType,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};
use tokio::sync::Mutex;
use vault::Clock;

/// How long the provider's description is believed.
const KEPT_FOR: Duration = Duration::from_hours(1);
/// After a failure nobody else tries for so long: they would all wait in vain.
const PAUSE: Duration = Duration::from_secs(3);

/// What a token says beyond what the standard names.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Others {
    #[serde(flatten)]
    pub claims: Map<String, Value>,
}

impl AdditionalClaims for Others {}

type Fields = IdTokenFields<
    Others,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Tokens = StandardTokenResponse<Fields, CoreTokenType>;
type OidcClient = Client<
    Others,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;
type UserInfo = openidconnect::UserInfoClaims<Others, CoreGenderClaim>;

/// Signatures that only the provider can make. One by the client's own secret would be no proof towards anybody else.
const SIGNATURES: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Whom the provider names.
#[derive(Clone, Debug)]
pub struct Person {
    pub subject: String,
    pub email: Option<String>,
    pub email_verified: Option<bool>,
    /// What others are to read, if it tells anything.
    pub name: Option<String>,
    /// When it last asked them who they are, in Unix milliseconds, if it tells.
    pub asked_at: Option<i64>,
    /// Everything that it tells beyond the standard.
    pub claims: Map<String, Value>,
}

/// What is known of the provider, and since when by the clock of the machine.
enum Known {
    Nothing,
    Failed(Duration),
    Described(Duration, Arc<CoreProviderMetadata>),
}

/// The identity provider.
pub struct Provider {
    config: SingleSignOnConfig,
    redirect: String,
    clock: Arc<dyn Clock>,
    wire: Wire,
    known: Mutex<Known>,
}

impl Provider {
    /// One that is asked for nothing yet. `redirect` is where people come back.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(config: SingleSignOnConfig, redirect: String, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        Ok(Self { config, redirect, clock, wire: Wire::new()?, known: Mutex::new(Known::Nothing) })
    }

    /// Where to send somebody who is to come back by `way`. With `ask_again` the provider asks who they are in any case.
    ///
    /// # Errors
    /// [`Refused::Unreachable`].
    pub async fn address(&self, way: &Way, ask_again: bool) -> Result<String, Refused> {
        let described = self.described().await?;
        let client = self.client(&described)?;
        let (state, nonce) = (CsrfToken::new(way.state.clone()), Nonce::new(way.nonce()));
        let verifier = PkceCodeVerifier::new(way.verifier());
        let others = self.config.scopes.iter().filter(|scope| *scope != "openid").cloned().map(Scope::new);
        let mut request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || state, move || nonce)
            .add_scopes(others)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        if ask_again {
            request = request.add_prompt(CoreAuthPrompt::Login).set_max_age(Duration::ZERO);
        }
        let address = request.url().0.to_string();
        if is_protected(&address) { Ok(address) } else { Err(failed("the authorization endpoint is not https")) }
    }

    /// Gives the code back and learns who it was. `all` says whether what the token itself tells is enough.
    ///
    /// # Errors
    /// Why nobody is named.
    pub async fn person(&self, way: &Way, code: &str, all: impl Fn(&Person) -> bool) -> Result<Person, Refused> {
        let described = self.described().await?;
        let client = self.client(&described)?;
        let exchange = client.exchange_code(AuthorizationCode::new(code.to_owned())).map_err(failed)?;
        let exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(way.verifier()));
        let tokens: Tokens = exchange.request_async(&self.wire).await.map_err(|error| match error {
            // Anybody can make up a code, or come back with one that was used.
            RequestTokenError::ServerResponse(told) if *told.error() == CoreErrorResponseType::InvalidGrant => {
                Refused::Expired
            }
            error => failed(chain(&error)),
        })?;
        let nonce = Nonce::new(way.nonce());
        let mut person = match self.checked(&tokens, described.jwks().clone(), &nonce) {
            Err(NotGood::UnknownKey) => {
                let keys = self.fresh_keys(&described).await?;
                self.checked(&tokens, keys, &nonce)
            }
            other => other,
        }
        .map_err(|not_good| {
            let error = not_good.told();
            tracing::warn!(
                event = "identity_not_verified",
                error,
                "an answer of the identity provider does not stand the checks"
            );
            Refused::NotVerified
        })?;
        if !all(&person) && described.userinfo_endpoint().is_some() {
            self.complete(&client, &tokens, &mut person).await?;
        }
        Ok(person)
    }

    /// Checks the token by these keys.
    fn checked(&self, tokens: &Tokens, keys: JsonWebKeySet<CoreJsonWebKey>, nonce: &Nonce) -> Result<Person, NotGood> {
        let issuer = IssuerUrl::new(self.config.issuer.clone()).map_err(|error| NotGood::Other(chain(&error)))?;
        let now = DateTime::from_timestamp_millis(self.clock.wall_ms()).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let verifier = IdTokenVerifier::new_public_client(ClientId::new(self.config.client_id.clone()), issuer, keys)
            .set_allowed_algs(SIGNATURES)
            .set_time_fn(move || now);
        let token = tokens.id_token().ok_or_else(|| NotGood::Other("there is no ID token".to_owned()))?;
        let claims = token.claims(&verifier, nonce)?;
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = token.signing_alg().map_err(|error| NotGood::Other(chain(&error)))?;
            let key = token.signing_key(&verifier).map_err(|error| NotGood::Other(chain(&error)))?;
            let actual = AccessTokenHash::from_token(tokens.access_token(), algorithm, key)
                .map_err(|error| NotGood::Other(chain(&error)))?;
            if actual != *expected {
                return Err(NotGood::Other("the access token belongs to another ID token".to_owned()));
            }
        }
        Ok(Person {
            subject: claims.subject().to_string(),
            email: claims.email().map(|email| email.to_string()),
            email_verified: claims.email_verified(),
            name: claims
                .name()
                .and_then(|name| name.get(None))
                .map(|name| name.to_string())
                .or_else(|| claims.preferred_username().map(|name| name.to_string())),
            asked_at: claims.auth_time().map(|time| time.timestamp_millis()),
            claims: claims.additional_claims().claims.clone(),
        })
    }

    /// Asks for what the token itself does not tell.
    async fn complete(&self, client: &OidcClient, tokens: &Tokens, person: &mut Person) -> Result<(), Refused> {
        let subject = openidconnect::SubjectIdentifier::new(person.subject.clone());
        let request = client.user_info(tokens.access_token().clone(), Some(subject)).map_err(failed)?;
        let info: UserInfo = request.request_async(&self.wire).await.map_err(|error| failed(chain(&error)))?;
        if person.email.is_none() {
            person.email = info.email().map(|email| email.to_string());
            person.email_verified = info.email_verified();
        }
        if person.name.is_none() {
            let name = info.name().and_then(|name| name.get(None)).map(|name| name.to_string());
            person.name = name.or_else(|| info.preferred_username().map(|name| name.to_string()));
        }
        for (name, value) in &info.additional_claims().claims {
            person.claims.entry(name.clone()).or_insert_with(|| value.clone());
        }
        Ok(())
    }

    fn client(&self, described: &CoreProviderMetadata) -> Result<OidcClient, Refused> {
        let secret = ClientSecret::new(self.config.client_secret.to_string());
        let id = ClientId::new(self.config.client_id.clone());
        let redirect = RedirectUrl::new(self.redirect.clone()).map_err(failed)?;
        let client = OidcClient::from_provider_metadata(described.clone(), id, Some(secret)).set_redirect_uri(redirect);
        // The standard's default is the header.
        let takes = described.token_endpoint_auth_methods_supported();
        let only_body = takes.is_some_and(|takes| {
            takes.contains(&CoreClientAuthMethod::ClientSecretPost)
                && !takes.contains(&CoreClientAuthMethod::ClientSecretBasic)
        });
        Ok(if only_body { client.set_auth_type(AuthType::RequestBody) } else { client })
    }

    /// The provider's description, read if need be. Whoever comes meanwhile waits for the one who reads it.
    async fn described(&self) -> Result<Arc<CoreProviderMetadata>, Refused> {
        let mut known = self.known.lock().await;
        let now = self.clock.boot();
        match &*known {
            Known::Described(since, described) if now < *since + KEPT_FOR => return Ok(Arc::clone(described)),
            Known::Failed(at) if now < *at + PAUSE => return Err(Refused::Unreachable),
            _ => {}
        }
        let issuer = IssuerUrl::new(self.config.issuer.clone()).map_err(failed)?;
        match CoreProviderMetadata::discover_async(issuer, &self.wire).await {
            Ok(described) => {
                let described = Arc::new(described);
                *known = Known::Described(self.clock.boot(), Arc::clone(&described));
                Ok(described)
            }
            Err(error) => {
                *known = Known::Failed(self.clock.boot());
                Err(failed(chain(&error)))
            }
        }
    }

    /// The provider's keys as they are now, kept for others too.
    async fn fresh_keys(&self, described: &CoreProviderMetadata) -> Result<JsonWebKeySet<CoreJsonWebKey>, Refused> {
        let keys = JsonWebKeySet::fetch_async(described.jwks_uri(), &self.wire).await;
        let keys: JsonWebKeySet<CoreJsonWebKey> = keys.map_err(|error| failed(chain(&error)))?;
        let mut known = self.known.lock().await;
        if let Known::Described(_, kept) = &mut *known {
            *kept = Arc::new(CoreProviderMetadata::clone(kept).set_jwks(keys.clone()));
        }
        Ok(keys)
    }
}

/// Why a token is not believed.
enum NotGood {
    /// It names a key that the provider may have begun to use since its keys were read.
    UnknownKey,
    Other(String),
}

impl NotGood {
    fn told(self) -> String {
        match self {
            Self::UnknownKey => "the provider does not publish the key of the signature".to_owned(),
            Self::Other(error) => error,
        }
    }
}

impl From<openidconnect::ClaimsVerificationError> for NotGood {
    fn from(error: openidconnect::ClaimsVerificationError) -> Self {
        use openidconnect::ClaimsVerificationError::SignatureVerification;
        match error {
            SignatureVerification(SignatureVerificationError::NoMatchingKey) => Self::UnknownKey,
            error => Self::Other(chain(&error)),
        }
    }
}

/// Logs that the provider is of no use now.
fn failed(error: impl std::fmt::Display) -> Refused {
    tracing::warn!(event = "identity_provider_failed", %error, "the identity provider did not answer as it should");
    Refused::Unreachable
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told.push_str(": ");
        told.push_str(&error.to_string());
        cause = error.source();
    }
    told
}
