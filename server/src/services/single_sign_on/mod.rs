//! Single sign-on by `OpenID` Connect: the authorization code flow with PKCE, state and nonce.
//!
//! Somebody is sent to the identity provider and comes back with a code; this server gives the code back and learns who it was
//! from a signed token. What must stay true: who comes back is who was sent away, in the same browser, once, within ten minutes
//! ([`attempts`]); nobody is believed but the provider's own token ([`provider`]); an address alone opens no account
//! ([`people`]); and what goes wrong has a word of a closed set, the details being in the log.
//!
//! A second factor of ours is not asked for: whether there is one is the provider's affair. Its word counts as fresh proof only from
//! when it has really asked who somebody is.

mod attempts;
mod people;
mod provider;
mod roles;
mod wire;

pub use attempts::{GOOD_FOR, sweep};

use super::{
    accounts::{Accounts, Known, Method},
    audit::{Action, Entry, Outcome},
    failure::Failure,
    throttle::Address,
};
use crate::{
    config::{Config, SingleSignOnConfig},
    store::entities::single_sign_on_attempt::{self as attempt, Purpose},
};
use app::{
    model::{error::ApiError, single_sign_on::SingleSignOnRefused as Refused},
    ports::Principal,
    return_path,
};
use attempts::Way;
use provider::{Person, Provider};
use std::sync::Arc;
use uuid::Uuid;
use vault::Entropy;

/// Where the identity provider sends people back, below the public URL.
pub const CALLBACK: &str = "/sign-in/callback";
/// Clocks differ, and the provider's times are whole seconds. In milliseconds.
const SKEW: i64 = 60 * 1_000;

/// Single sign-on.
pub struct SingleSignOn {
    config: SingleSignOnConfig,
    provider: Provider,
    accounts: Arc<Accounts>,
    entropy: Arc<dyn Entropy>,
}

/// Somebody who is to be sent away.
pub struct Begun {
    /// Where to.
    pub address: String,
    /// What their browser keeps until they come back.
    pub secret: String,
}

/// What somebody brings back from the provider. All of it may be made up.
#[derive(Default)]
pub struct Answer {
    pub state: String,
    pub code: String,
    /// The provider's own word for a refusal.
    pub error: Option<String>,
    pub issuer: Option<String>,
}

/// What came of it, and the page to go to.
pub enum Finished {
    SignedIn { known: Known, asked_at: i64, next: String },
    Connected,
    Proven { next: String },
}

/// What went wrong, and what it was for.
pub struct Failed {
    pub purpose: Purpose,
    pub next: String,
    pub error: ApiError,
}

impl SingleSignOn {
    /// As it is configured, if it is.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn of(
        config: &Config,
        accounts: &Arc<Accounts>,
        entropy: &Arc<dyn Entropy>,
    ) -> Result<Option<Arc<Self>>, reqwest::Error> {
        let Some(settings) = config.single_sign_on.clone() else { return Ok(None) };
        let redirect = format!("{}{CALLBACK}", config.public_url);
        let provider = Provider::new(settings.clone(), redirect, Arc::clone(accounts.clock()))?;
        let (accounts, entropy) = (Arc::clone(accounts), Arc::clone(entropy));
        Ok(Some(Arc::new(Self { config: settings, provider, accounts, entropy })))
    }

    /// What the button says.
    pub fn label(&self) -> &str {
        &self.config.label
    }

    /// Sends somebody away. `user` is who is signed in, if that matters; `kept` is what the browser keeps from another time.
    ///
    /// # Errors
    /// [`Refused::Unreachable`], or [`ApiError::TooManyAttempts`].
    pub async fn begin(
        &self,
        purpose: Purpose,
        user: Option<Uuid>,
        next: &str,
        kept: Option<&str>,
        from: &Address,
    ) -> Result<Begun, ApiError> {
        let begin = async {
            let way = Way::new(kept, self.entropy.as_ref())?;
            let address = self.provider.address(&way, purpose != Purpose::SignIn).await.map_err(ApiError::from)?;
            let (store, now) = (self.accounts.store(), self.accounts.clock().wall_ms());
            attempts::begin(store, &way, purpose, user, return_path::checked(next), from, now).await?;
            Ok(Begun { address, secret: way.secret })
        };
        begin.await.map_err(|failure: Failure| failure.tell(None))
    }

    /// Takes up somebody who comes back. `who` is signed in in that browser, if anybody is.
    ///
    /// # Errors
    /// What went wrong; nothing has changed then.
    pub async fn finish(
        &self,
        answer: &Answer,
        kept: Option<&str>,
        who: Option<&Principal>,
        from: &Address,
    ) -> Result<Finished, Failed> {
        let lost = |error: ApiError| Failed { purpose: Purpose::SignIn, next: String::new(), error };
        let way = kept.and_then(|secret| Way::back(&answer.state, secret)).ok_or(lost(Refused::Expired.into()))?;
        let begun = attempts::take(self.accounts.store(), &way, self.accounts.clock().wall_ms()).await;
        let begun = begun.map_err(|error| lost(Failure::from(error).tell(None)))?;
        let begun = begun.ok_or(lost(Refused::Expired.into()))?;
        let (purpose, next) = (begun.purpose, begun.next.clone());
        let finished = self.take_up(&way, begun, answer, who, from).await;
        finished.map_err(|failure| Failed { purpose, next, error: failure.tell(None) })
    }

    async fn take_up(
        &self,
        way: &Way,
        begun: attempt::Model,
        answer: &Answer,
        who: Option<&Principal>,
        from: &Address,
    ) -> Result<Finished, Failure> {
        let refused = |refused: Refused| Failure::Refused(refused.into());
        if answer.issuer.as_ref().is_some_and(|issuer| *issuer != self.config.issuer) {
            return Err(refused(Refused::NotVerified));
        }
        if answer.error.is_some() || answer.code.is_empty() {
            return Err(refused(Refused::Declined));
        }
        if begun.purpose == Purpose::SignIn {
            let person = self.provider.person(way, &answer.code, |person| self.tells_all(person)).await;
            let person = person.map_err(refused)?;
            let known = self.sign_in(&person, from).await?;
            // A time that is far from now is none: some mean milliseconds.
            let latest = self.accounts.clock().wall_ms() + SKEW;
            let asked_at = person.asked_at.filter(|at| *at <= latest).unwrap_or_default();
            return Ok(Finished::SignedIn { known, asked_at, next: begun.next });
        }
        let id = begun.user_id.ok_or(Failure::Inconsistent("a way to the identity provider without its user"))?;
        let who = who.filter(|who| who.user_id == id.to_string()).ok_or(refused(Refused::Expired))?;
        let person = self.provider.person(way, &answer.code, |_| true).await.map_err(refused)?;
        let now = self.accounts.clock().wall_ms();
        if person.asked_at.is_none_or(|at| at + SKEW < begun.created_at || at > now + SKEW) {
            return Err(refused(Refused::NotAskedAgain));
        }
        if begun.purpose == Purpose::Connect {
            self.connect(who, id, &person).await?;
            return Ok(Finished::Connected);
        }
        if self.user_of(&person).await? != Some(id) {
            let entry = Entry::by(who, Action::ProofGiven).detail(Method::SingleSignOn).outcome(Outcome::Refused);
            self.accounts.note(entry).await?;
            return Err(refused(Refused::OtherPerson));
        }
        self.accounts.note(Entry::by(who, Action::ProofGiven).detail(Method::SingleSignOn)).await?;
        Ok(Finished::Proven { next: begun.next })
    }

    /// The account of a person, or an entry that they were turned down. Strangers cannot make such entries: the provider knows them.
    async fn sign_in(&self, person: &Person, from: &Address) -> Result<Known, Failure> {
        let address = Some(from.to_string());
        let outcome = self.account_of(person, address.clone()).await;
        if matches!(outcome, Err(Failure::Refused(_))) {
            let entry = Entry::by_nobody(Action::SignInFailed, address).detail(Method::SingleSignOn);
            self.accounts.note(entry.outcome(Outcome::Refused)).await?;
        }
        outcome
    }

    /// Whether the token itself tells what a sign-in needs.
    fn tells_all(&self, person: &Person) -> bool {
        let tells_roles = !roles::matters(&self.config) || roles::is_told(&person.claims, &self.config.role_claim);
        person.email.is_some() && tells_roles
    }
}
