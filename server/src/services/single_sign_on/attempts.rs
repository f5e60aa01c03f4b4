//! Those who have been sent to the identity provider and have not come back, in the database, for all servers.
//!
//! What must stay true: whoever comes back brings two things, the state, which went through the provider, and the browser's
//! secret, which did not; both as they were made, once, within ten minutes. Nonce and PKCE verifier are derived from the two, so
//! what is stored is of no use to whoever reads it.

use crate::{
    services::{failure::Failure, throttle::Address},
    store::{
        Store,
        entities::single_sign_on_attempt::{self as attempt, Purpose},
    },
};
use app::model::error::ApiError;
use data_encoding::BASE64URL_NOPAD;
use sea_orm::{ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use vault::{Entropy, EntropyError};

/// Who has not come back after so long begins anew, in milliseconds.
pub const GOOD_FOR: i64 = 10 * 60 * 1_000;
/// So many at once may be under way from one place: those of a large office, and not those of a flood.
const AT_ONCE: u64 = 200;
const SECRET_BYTES: usize = 32;
/// What a secret of so many bytes is long as text.
const SECRET_CHARS: usize = 43;

/// What belongs to one way to the provider and back.
pub struct Way {
    /// Goes through the provider.
    pub state: String,
    /// Stays in the browser.
    pub secret: String,
}

impl Way {
    /// A new one. A browser that has begun another one keeps its secret, so that two tabs do not disturb each other.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new(kept: Option<&str>, entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let random = || -> Result<String, EntropyError> {
            let mut bytes = [0; SECRET_BYTES];
            entropy.fill(&mut bytes)?;
            Ok(BASE64URL_NOPAD.encode(&bytes))
        };
        let kept = kept.filter(|secret| is_secret(secret)).map(str::to_owned);
        Ok(Self { state: random()?, secret: kept.map_or_else(random, Ok)? })
    }

    /// What somebody has brought back, if it has the right form.
    pub fn back(state: &str, secret: &str) -> Option<Self> {
        (is_secret(state) && is_secret(secret)).then(|| Self { state: state.to_owned(), secret: secret.to_owned() })
    }

    /// What the token must repeat.
    pub fn nonce(&self) -> String {
        self.derived("nonce")
    }

    /// What shows the provider that the code is given back by the one who asked for it.
    pub fn verifier(&self) -> String {
        self.derived("pkce")
    }

    /// All parts have a fixed length, so no two inputs look the same.
    fn derived(&self, what: &str) -> String {
        let hash = Sha256::new().chain_update(&self.secret).chain_update(&self.state).chain_update(what).finalize();
        BASE64URL_NOPAD.encode(&hash)
    }

    fn state_hash(&self) -> String {
        hex::encode(Sha256::digest(&self.state))
    }

    fn browser_hash(&self) -> String {
        hex::encode(Sha256::digest(&self.secret))
    }
}

fn is_secret(text: &str) -> bool {
    text.len() == SECRET_CHARS && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Notes that somebody is sent away.
///
/// # Errors
/// [`ApiError::TooManyAttempts`] if too many of that place have not come back.
pub async fn begin(
    store: &Store,
    way: &Way,
    purpose: Purpose,
    user: Option<Uuid>,
    next: &str,
    from: &Address,
    now: i64,
) -> Result<(), Failure> {
    let under_way = attempt::Entity::find()
        .filter(attempt::Column::Network.eq(from.network()))
        .filter(attempt::Column::ExpiresAt.gt(now))
        .count(store.read())
        .await?;
    if under_way >= AT_ONCE {
        return Err(Failure::Refused(ApiError::TooManyAttempts { seconds: 60 }));
    }
    let row = attempt::ActiveModel {
        state_hash: Set(way.state_hash()),
        browser_hash: Set(way.browser_hash()),
        purpose: Set(purpose),
        user_id: Set(user),
        next: Set(next.to_owned()),
        network: Set(from.network().to_owned()),
        created_at: Set(now),
        expires_at: Set(now + GOOD_FOR),
    };
    attempt::Entity::insert(row).exec_without_returning(store.write()).await?;
    Ok(())
}

/// Takes out the one that somebody comes back from. `None` if there is none, or it has been taken already, or has run out, or
/// began in another browser.
///
/// # Errors
/// When the database fails.
pub async fn take(store: &Store, way: &Way, now: i64) -> Result<Option<attempt::Model>, DbErr> {
    let transaction = store.begin().await?;
    let found = attempt::Entity::find_by_id(way.state_hash()).one(&transaction).await?;
    let taken = attempt::Entity::delete_many()
        .filter(attempt::Column::StateHash.eq(way.state_hash()))
        .filter(attempt::Column::BrowserHash.eq(way.browser_hash()))
        .filter(attempt::Column::ExpiresAt.gt(now))
        .exec(&transaction)
        .await?;
    transaction.commit().await?;
    Ok(found.filter(|_| taken.rows_affected == 1))
}

/// Forgets those that have run out.
///
/// # Errors
/// When the database fails.
pub async fn sweep(store: &Store, now: i64) -> Result<(), DbErr> {
    attempt::Entity::delete_many().filter(attempt::Column::ExpiresAt.lte(now)).exec(store.write()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;
    use vault::SystemEntropy;

    fn here() -> Address {
        Address::from(IpAddr::from([192, 0, 2, 7]))
    }

    async fn store() -> Store {
        let store = Store::connect("sqlite::memory:").await.unwrap();
        store.migrate().await.unwrap();
        store
    }

    async fn begun(store: &Store, kept: Option<&str>) -> Way {
        let way = Way::new(kept, &SystemEntropy::new()).unwrap();
        begin(store, &way, Purpose::SignIn, None, "/workspaces", &here(), 1_000).await.unwrap();
        way
    }

    #[tokio::test]
    async fn one_comes_back_once_with_both_parts_in_time() {
        let store = store().await;
        let (way, other) = (begun(&store, None).await, begun(&store, None).await);
        let mixed = Way { state: way.state.clone(), secret: other.secret.clone() };
        assert!(take(&store, &mixed, 1_001).await.unwrap().is_none(), "in another browser");
        assert!(take(&store, &way, 1_000 + GOOD_FOR).await.unwrap().is_none(), "too late");
        assert_eq!(take(&store, &way, 1_001).await.unwrap().unwrap().next, "/workspaces");
        assert!(take(&store, &way, 1_001).await.unwrap().is_none(), "a second time");
        assert!(take(&store, &other, 1_001).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn two_tabs_of_a_browser_do_not_disturb_each_other() {
        let store = store().await;
        let one = begun(&store, None).await;
        let two = begun(&store, Some(&one.secret)).await;
        assert_eq!(one.secret, two.secret);
        assert_ne!((one.nonce(), one.verifier()), (two.nonce(), two.verifier()));
        assert_ne!(one.nonce(), one.verifier());
        assert!(take(&store, &one, 1_001).await.unwrap().is_some());
        assert!(take(&store, &two, 1_001).await.unwrap().is_some());
        let odd = Way::new(Some("not a secret of ours"), &SystemEntropy::new()).unwrap();
        assert_ne!(odd.secret, "not a secret of ours");
    }

    #[tokio::test]
    async fn what_is_stored_is_of_no_use_and_goes_in_time() {
        let store = store().await;
        let way = begun(&store, None).await;
        let row = attempt::Entity::find().one(store.read()).await.unwrap().unwrap();
        let told = format!("{row:?}");
        for secret in [&way.state, &way.secret, &way.nonce(), &way.verifier()] {
            assert!(!told.contains(secret.as_str()), "{told}");
        }
        sweep(&store, 1_000 + GOOD_FOR - 1).await.unwrap();
        assert_eq!(attempt::Entity::find().count(store.read()).await.unwrap(), 1);
        sweep(&store, 1_000 + GOOD_FOR).await.unwrap();
        assert_eq!(attempt::Entity::find().count(store.read()).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_flood_of_one_place_is_turned_away() {
        let store = store().await;
        for _ in 0..AT_ONCE {
            begun(&store, None).await;
        }
        let way = Way::new(None, &SystemEntropy::new()).unwrap();
        let refused = begin(&store, &way, Purpose::SignIn, None, "", &here(), 1_001).await;
        assert!(matches!(refused, Err(Failure::Refused(ApiError::TooManyAttempts { .. }))), "{refused:?}");
        let elsewhere = Address::from(IpAddr::from([192, 0, 2, 8]));
        begin(&store, &way, Purpose::SignIn, None, "", &elsewhere, 1_001).await.unwrap();
    }
}
