//! Who is asking: from the session of the request to a user who exists now and may act.
//!
//! What must stay true: the user's row is read for each request, so somebody who was removed or disabled, or whose role was
//! changed, is out or changed at once, on every server. A session counts only under the number of its user under which it began.

use super::{
    HttpState,
    client_address::ClientAddress,
    errors::Refusal,
    session::{ADDRESS, CONFIRMED, DEVICE, EPOCH, HALF, Half, PROVEN, SEEN, Sessions, USER},
};
use crate::services::{
    accounts::{Accounts, Known, Method, Wrong},
    audit::{Action, Entry},
    organization::OrganizationName,
    proof,
    single_sign_on::SingleSignOn,
    throttle::Address,
};
use app::{
    model::{
        error::{ApiError, Invalid},
        single_sign_on::ProofWays,
    },
    ports::{Principal, SessionPort, SignInStep},
};
use async_trait::async_trait;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::USER_AGENT, request::Parts},
};
use std::sync::Arc;
use tower_sessions::Session;
use uuid::Uuid;
use vault::Clock;

/// Somebody who gave the right password has so long to give a code.
const HALF_FOR: i64 = 5 * 60 * 1_000;
/// The header with which an open page asks of its own accord (`app/src/browser/request.rs`).
const BY_ITSELF: &str = "x-by-itself";
/// So much is kept of what a browser says of itself.
const DEVICE_CHARS: usize = 256;

/// The session of one request, as the pages see it.
pub struct RequestSession {
    pub(super) session: Session,
    pub(super) sessions: Sessions,
    pub(super) accounts: Arc<Accounts>,
    pub(super) single_sign_on: Option<Arc<SingleSignOn>>,
    pub(super) organization: OrganizationName,
    pub(super) from: Address,
    pub(super) clock: Arc<dyn Clock>,
    device: String,
    /// Whether an open page asks of its own accord.
    by_itself: bool,
}

impl RequestSession {
    /// The session of a request; `None` if it came past the layer that knows sessions.
    pub fn of(request: &Parts, state: &HttpState) -> Option<Self> {
        let session = request.extensions.get::<Session>()?.clone();
        let ClientAddress(from) = *request.extensions.get::<ClientAddress>()?;
        Some(Self {
            session,
            sessions: state.sessions.clone(),
            accounts: Arc::clone(&state.services.accounts),
            single_sign_on: state.services.single_sign_on.clone(),
            organization: state.services.organization.name.clone(),
            from: Address::from(from),
            clock: Arc::clone(state.services.accounts.clock()),
            device: device(&request.headers),
            by_itself: request.headers.contains_key(BY_ITSELF),
        })
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<Option<T>, ApiError> {
        self.session.get(key).await.map_err(unavailable)
    }

    pub(super) async fn put(&self, key: &str, value: impl serde::Serialize) -> Result<(), ApiError> {
        self.session.insert(key, value).await.map_err(unavailable)
    }

    /// The user of the session and the row's part that is needed here.
    pub(super) async fn known(&self) -> Result<Option<Known>, ApiError> {
        let user: Option<Uuid> = self.get::<String>(USER).await?.and_then(|id| Uuid::try_parse(&id).ok());
        let Some(id) = user else { return Ok(None) };
        let epoch: i64 = self.get(EPOCH).await?.unwrap_or_default();
        let Some(mut known) = self.accounts.find(id).await?.filter(|known| known.epoch == epoch) else {
            return Ok(None);
        };
        known.principal.proven_at = self.get(PROVEN).await?.unwrap_or_default();
        known.principal.confirmed_at = self.get(CONFIRMED).await?.unwrap_or_default();
        known.principal.address = Some(self.from.to_string());
        Ok(Some(known))
    }

    /// Whoever is signed in.
    ///
    /// # Errors
    /// [`ApiError::SignedOut`] if nobody is.
    pub(super) async fn who(&self) -> Result<Principal, ApiError> {
        Ok(self.known().await?.ok_or(ApiError::SignedOut)?.principal)
    }

    /// The id of whoever is signed in.
    ///
    /// # Errors
    /// [`ApiError::SignedOut`] if nobody is.
    pub(super) async fn user_id(&self) -> Result<Uuid, ApiError> {
        Uuid::try_parse(&self.who().await?.user_id).map_err(|_| ApiError::Internal)
    }

    /// The same, if their proof is fresh.
    ///
    /// # Errors
    /// [`ApiError::ProofNeeded`] if it is not.
    pub(super) async fn proven_user_id(&self) -> Result<Uuid, ApiError> {
        let who = self.who().await?;
        proof::fresh(&who, self.clock.wall_ms()).map_err(|failure| failure.tell(None))?;
        Uuid::try_parse(&who.user_id).map_err(|_| ApiError::Internal)
    }

    /// Notes that the session is used, at most once a minute. If that fails the request goes on. An open page that nobody looks
    /// at must not keep its session alive.
    async fn touch(&self) -> Result<(), ApiError> {
        if self.by_itself {
            return Ok(());
        }
        let seen: Option<i64> = self.get(SEEN).await?;
        if let (Some(id), Some(seen)) = (self.session.id(), seen)
            && self.sessions.is_due(seen)
            && let Err(error) = self.sessions.touch(&id).await
        {
            tracing::warn!(event = "database_failed", %error, "the use of a session was not noted");
        }
        Ok(())
    }

    /// Gives the session a new id and nothing in it, so that one that somebody knew before is worth nothing after.
    async fn anew(&self) -> Result<(), ApiError> {
        self.session.clear().await;
        self.session.cycle_id().await.map_err(unavailable)
    }

    /// Everything that was asked for has been given, the last time at `proven_at`. Without its entry in the audit log there is no
    /// session.
    pub(super) async fn begin(&self, known: &Known, method: Method, proven_at: i64) -> Result<(), ApiError> {
        self.accounts.signed_in(&known.principal, method, &self.from).await?;
        self.anew().await?;
        self.put(USER, &known.principal.user_id).await?;
        self.put(EPOCH, known.epoch).await?;
        self.put(PROVEN, proven_at).await?;
        self.put(ADDRESS, self.from.to_string()).await?;
        self.put(DEVICE, &self.device).await?;
        tracing::info!(event = "signed_in", user = known.principal.user_id, "signed in");
        Ok(())
    }

    /// Fresh proof was given beside the sign-in.
    pub(super) async fn confirm(&self) -> Result<(), ApiError> {
        let now = self.clock.wall_ms();
        self.put(CONFIRMED, now).await?;
        self.put(PROVEN, now).await
    }

    /// Who has given the password a moment ago and owes a code.
    async fn half(&self) -> Result<Option<Half>, ApiError> {
        let half: Option<Half> = self.get(HALF).await?;
        Ok(half.filter(|half| self.clock.wall_ms() - half.at < HALF_FOR))
    }
}

#[async_trait]
impl SessionPort for RequestSession {
    async fn principal(&self) -> Result<Option<Principal>, ApiError> {
        let known = self.known().await?;
        if known.is_some() {
            self.touch().await?;
        }
        Ok(known.map(|known| known.principal))
    }

    async fn sign_in(&self, email: &str, password: &str) -> Result<SignInStep, ApiError> {
        if email.trim().is_empty() {
            return Err(Invalid::EmailMissing.into());
        }
        if password.is_empty() {
            return Err(Invalid::PasswordMissing.into());
        }
        let known = self.accounts.check_sign_in(email, password, &self.from).await?;
        if known.second_factor {
            self.anew().await?;
            let (user, epoch) = (known.principal.user_id, known.epoch);
            self.put(HALF, Half { user, epoch, at: self.clock.wall_ms() }).await?;
            return Ok(SignInStep::CodeNeeded);
        }
        self.begin(&known, Method::Password, self.clock.wall_ms()).await?;
        Ok(SignInStep::Done)
    }

    async fn owes_code(&self) -> Result<bool, ApiError> {
        Ok(self.half().await?.is_some())
    }

    async fn give_code(&self, code: &str) -> Result<(), ApiError> {
        if code.trim().is_empty() {
            return Err(Invalid::CodeMissing.into());
        }
        let half = self.half().await?.ok_or(ApiError::SignedOut)?;
        let id = Uuid::try_parse(&half.user).map_err(|_| ApiError::SignedOut)?;
        let row = self.accounts.row(id).await?;
        let known =
            self.accounts.find(id).await?.filter(|known| known.epoch == half.epoch).ok_or(ApiError::SignedOut)?;
        if row.totp_secret.is_some() {
            let checked = self.accounts.second_factor().check(&row, code, &self.from).await;
            if matches!(checked, Err(ApiError::Invalid(Invalid::CodeWrong))) {
                self.accounts.note_wrong(&row, Action::SignInFailed, Wrong::WrongCode, &self.from).await?;
            }
            checked?;
        }
        self.begin(&known, Method::SecondFactor, self.clock.wall_ms()).await
    }

    async fn give_proof(&self, secret: &str) -> Result<(), ApiError> {
        if secret.is_empty() {
            return Err(Invalid::PasswordMissing.into());
        }
        let (who, user) = (self.who().await?, self.user_id().await?);
        self.accounts.check_proof(user, secret, &self.from).await?;
        self.accounts.note(Entry::by(&who, Action::ProofGiven)).await?;
        self.confirm().await
    }

    async fn proof_left(&self) -> Result<u32, ApiError> {
        let proven: i64 = self.get(PROVEN).await?.unwrap_or_default();
        Ok(u32::try_from(proof::left(proven, self.clock.wall_ms()) / 1_000).unwrap_or_default())
    }

    async fn proof_ways(&self) -> Result<ProofWays, ApiError> {
        let Some(way) = &self.single_sign_on else {
            return Ok(ProofWays { password: true, single_sign_on: None });
        };
        let row = self.accounts.row(self.user_id().await?).await?;
        let connected = way.connected_at(row.id).await.map_err(unavailable)?.map(|_| way.label().to_owned());
        // Who has neither is asked for a password, and is told that it is wrong.
        let password = row.password().is_some() || row.totp_secret.is_some() || connected.is_none();
        Ok(ProofWays { password, single_sign_on: connected })
    }

    fn single_sign_on(&self) -> Option<String> {
        self.single_sign_on.as_ref().map(|way| way.label().to_owned())
    }

    async fn sign_out(&self) -> Result<(), ApiError> {
        if self.session.id().is_some() {
            if let Some(known) = self.known().await? {
                self.accounts.note(Entry::by(&known.principal, Action::SignOut)).await?;
            }
            self.session.flush().await.map_err(unavailable)?;
        }
        Ok(())
    }
}

fn device(headers: &HeaderMap) -> String {
    let told = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    told.chars().take(DEVICE_CHARS).collect()
}

/// The principal of a request that only signed-in people may make.
pub struct SignedIn(pub Principal);

impl FromRequestParts<HttpState> for SignedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &HttpState) -> Result<Self, Refusal> {
        let session = RequestSession::of(parts, state).ok_or(Refusal(ApiError::Internal))?;
        let principal = session.principal().await.map_err(Refusal)?;
        principal.map(Self).ok_or(Refusal(ApiError::SignedOut))
    }
}

/// Proof that a page of somebody signed in is asking by itself. It does not count as use of the session: an open page that
/// nobody looks at must not keep its session alive.
#[derive(Clone)]
pub struct Watching {
    id: tower_sessions::session::Id,
    who: Principal,
}

impl Watching {
    /// Whose page it is.
    pub fn who(&self) -> &Principal {
        &self.who
    }

    /// Whether session and user are still there.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] if the database does not answer.
    pub async fn goes_on(&self, state: &HttpState) -> Result<bool, ApiError> {
        Ok(user_of(&self.id, state).await?.is_some())
    }
}

impl FromRequestParts<HttpState> for Watching {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &HttpState) -> Result<Self, Refusal> {
        let id = parts.extensions.get::<Session>().and_then(Session::id).ok_or(Refusal(ApiError::SignedOut))?;
        let who = user_of(&id, state).await.map_err(Refusal)?.ok_or(Refusal(ApiError::SignedOut))?;
        Ok(Self { id, who })
    }
}

/// The user of a session, if both are there.
async fn user_of(id: &tower_sessions::session::Id, state: &HttpState) -> Result<Option<Principal>, ApiError> {
    let Some((user, epoch)) = state.sessions.holder_of(id).await.map_err(unavailable)? else { return Ok(None) };
    let known = state.services.accounts.find(user).await?.filter(|known| known.epoch == epoch);
    Ok(known.map(|known| known.principal))
}

pub(super) fn unavailable(error: impl std::fmt::Display) -> ApiError {
    tracing::error!(event = "database_failed", %error, "a session could not be read or written");
    ApiError::Unavailable
}
