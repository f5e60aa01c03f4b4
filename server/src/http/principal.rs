//! Who is asking: from the session of the request to a user who exists now.
//!
//! What must stay true: the user's row is read for each request, so somebody who was removed, or whose role was changed, is
//! out or changed at once.

use super::{
    HttpState,
    errors::Refusal,
    session::{SEEN, Sessions, USER},
};
use crate::services::accounts::Accounts;
use app::{
    model::error::{ApiError, Invalid},
    ports::{Principal, SessionPort},
};
use async_trait::async_trait;
use axum::{extract::FromRequestParts, http::request::Parts};
use std::sync::Arc;
use tower_sessions::Session;
use uuid::Uuid;

/// The session of one request, as the pages see it.
pub struct RequestSession {
    session: Session,
    sessions: Sessions,
    accounts: Arc<Accounts>,
}

impl RequestSession {
    pub fn new(session: Session, state: &HttpState) -> Self {
        Self { session, sessions: state.sessions.clone(), accounts: state.services.accounts.clone() }
    }

    async fn user(&self) -> Result<Option<Uuid>, ApiError> {
        let user: Option<String> = self.session.get(USER).await.map_err(unavailable)?;
        Ok(user.and_then(|id| Uuid::try_parse(&id).ok()))
    }

    /// Notes that the session is used, at most once a minute. If that fails the request goes on.
    async fn touch(&self) -> Result<(), ApiError> {
        let seen: Option<i64> = self.session.get(SEEN).await.map_err(unavailable)?;
        if let (Some(id), Some(seen)) = (self.session.id(), seen)
            && self.sessions.is_due(seen)
            && let Err(error) = self.sessions.touch(&id).await
        {
            tracing::warn!(event = "database_failed", %error, "the use of a session was not noted");
        }
        Ok(())
    }
}

#[async_trait]
impl SessionPort for RequestSession {
    async fn principal(&self) -> Result<Option<Principal>, ApiError> {
        let Some(id) = self.user().await? else { return Ok(None) };
        let principal = self.accounts.find(id).await?;
        if principal.is_some() {
            self.touch().await?;
        }
        Ok(principal)
    }

    async fn sign_in(&self, email: &str, password: &str) -> Result<(), ApiError> {
        if email.trim().is_empty() {
            return Err(Invalid::EmailMissing.into());
        }
        if password.is_empty() {
            return Err(Invalid::PasswordMissing.into());
        }
        let principal = self.accounts.sign_in(email, password).await?;
        // A new id, so that an id somebody knew before the sign-in is worth nothing after it.
        self.session.cycle_id().await.map_err(unavailable)?;
        self.session.insert(USER, &principal.user_id).await.map_err(unavailable)?;
        tracing::info!(event = "signed_in", user = principal.user_id, "signed in");
        Ok(())
    }

    async fn sign_out(&self) -> Result<(), ApiError> {
        if self.session.id().is_some() {
            self.session.flush().await.map_err(unavailable)?;
        }
        Ok(())
    }
}

/// The principal of a request that only signed-in people may make.
pub struct SignedIn(pub Principal);

impl FromRequestParts<HttpState> for SignedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &HttpState) -> Result<Self, Refusal> {
        let session = parts.extensions.get::<Session>().cloned().ok_or(Refusal(ApiError::Internal))?;
        let principal = RequestSession::new(session, state).principal().await.map_err(Refusal)?;
        principal.map(Self).ok_or(Refusal(ApiError::SignedOut))
    }
}

/// Proof that a page of somebody signed in is asking by itself. It does not count as use of the session: an open page that
/// nobody looks at must not keep its session alive.
#[derive(Clone)]
pub struct Watching {
    id: tower_sessions::session::Id,
}

impl Watching {
    /// Whether session and user are still there.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] if the database does not answer.
    pub async fn goes_on(&self, state: &HttpState) -> Result<bool, ApiError> {
        let user = state.sessions.user_of(&self.id).await.map_err(unavailable)?;
        match user {
            Some(user) => Ok(state.services.accounts.find(user).await?.is_some()),
            None => Ok(false),
        }
    }
}

impl FromRequestParts<HttpState> for Watching {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &HttpState) -> Result<Self, Refusal> {
        let id = parts.extensions.get::<Session>().and_then(Session::id).ok_or(Refusal(ApiError::SignedOut))?;
        let watching = Self { id };
        if watching.goes_on(state).await.map_err(Refusal)? { Ok(watching) } else { Err(Refusal(ApiError::SignedOut)) }
    }
}

fn unavailable(error: impl std::fmt::Display) -> ApiError {
    tracing::error!(event = "database_failed", %error, "a session could not be read or written");
    ApiError::Unavailable
}
