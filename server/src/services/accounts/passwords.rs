//! Hashing passwords with Argon2id.
//!
//! What must stay true: checking against nobody's hash takes as long as against somebody's, at most as many passwords are
//! hashed at once as there are processor cores, and only so many wait.

use app::model::error::ApiError;
use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version, password_hash::SaltString,
};
use std::{sync::Arc, thread};
use tokio::{sync::Semaphore, task};
use vault::{Entropy, Zeroizing};

/// How many sign-ins may wait for each one that is being checked. Those beyond are told to come again.
const WAITING_PER_CORE: usize = 16;
/// OWASP's first recommendation for Argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes and checks passwords, a few at a time.
pub struct Passwords {
    entropy: Arc<dyn Entropy>,
    /// What the password of an unknown user is checked against.
    nobody: Arc<str>,
    /// One permit for each password being hashed.
    hashing: Arc<Semaphore>,
    /// One permit for each request that hashes or waits to.
    queue: Arc<Semaphore>,
}

impl Passwords {
    /// Takes as long as one hash. `None` if the system gives no random bytes.
    pub fn new(entropy: Arc<dyn Entropy>) -> Option<Self> {
        let mut unknowable = Zeroizing::new([0; 32]);
        entropy.fill(unknowable.as_mut_slice()).ok()?;
        let nobody = hash(unknowable.as_slice(), entropy.as_ref())?.into();
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let hashing = Arc::new(Semaphore::new(cores));
        let queue = Arc::new(Semaphore::new(cores * (1 + WAITING_PER_CORE)));
        Some(Self { entropy, nobody, hashing, queue })
    }

    /// Whether `password` is the one that was stored. `None` is checked too, and never matches.
    ///
    /// # Errors
    /// [`ApiError::Busy`] if too many wait already.
    pub async fn verify(&self, password: &str, stored: Option<&str>) -> Result<bool, ApiError> {
        let place = self.queue.clone().try_acquire_owned().map_err(|_| ApiError::Busy)?;
        let turn = self.hashing.clone().acquire_owned().await.map_err(|_| ApiError::Internal)?;
        let password = Zeroizing::new(password.as_bytes().to_vec());
        let against = stored.map_or_else(|| self.nobody.clone(), Arc::from);
        // The permits travel with the work: it goes on when the request that asked for it has gone.
        let checked = task::spawn_blocking(move || {
            let _permits = (place, turn);
            let parsed = PasswordHash::new(&against).ok()?;
            Some(argon2()?.verify_password(&password, &parsed).is_ok())
        });
        let matches = checked.await.ok().flatten().ok_or_else(|| {
            tracing::error!(event = "password_hash_unreadable", "a stored password hash could not be read");
            ApiError::Internal
        })?;
        Ok(matches && stored.is_some())
    }

    /// The password as a PHC string. `None` if it could not be hashed.
    pub async fn hash(&self, password: &str) -> Option<String> {
        let turn = self.hashing.clone().acquire_owned().await.ok()?;
        let (password, entropy) = (Zeroizing::new(password.as_bytes().to_vec()), self.entropy.clone());
        let hashed = task::spawn_blocking(move || {
            let _permit = turn;
            hash(&password, entropy.as_ref())
        });
        hashed.await.ok().flatten()
    }
}

fn argon2() -> Option<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &[u8], entropy: &dyn Entropy) -> Option<String> {
    let mut salt = [0; 16];
    entropy.fill(&mut salt).ok()?;
    let salt = SaltString::encode_b64(&salt).ok()?;
    Some(argon2()?.hash_password(password, &salt).ok()?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use vault::SystemEntropy;

    fn passwords() -> Passwords {
        Passwords::new(Arc::new(SystemEntropy::new())).unwrap()
    }

    #[tokio::test]
    async fn only_the_password_that_was_hashed_matches() {
        let passwords = passwords();
        let stored = passwords.hash("correct horse battery").await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(passwords.verify("correct horse battery", Some(&stored)).await.unwrap());
        assert!(!passwords.verify("correct horse", Some(&stored)).await.unwrap());
        assert!(!passwords.verify("correct horse", None).await.unwrap());
    }

    #[tokio::test]
    async fn a_stored_hash_of_nonsense_lets_nobody_in() {
        assert_eq!(passwords().verify("x", Some("nonsense")).await.unwrap_err(), ApiError::Internal);
    }

    #[tokio::test]
    async fn only_as_many_wait_as_there_is_room_for() {
        let passwords = passwords();
        let all = u32::try_from(passwords.queue.available_permits()).unwrap();
        let _taken = passwords.queue.clone().try_acquire_many_owned(all).unwrap();
        assert_eq!(passwords.verify("x", None).await.unwrap_err(), ApiError::Busy);
    }
}
