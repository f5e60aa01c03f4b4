//! Slows down whoever guesses passwords and codes, on all servers together, without letting a stranger lock anybody out.
//!
//! Failures are counted for an address, for an account, and for the two together. The pair waits longer with each failure
//! beyond a few; so does an address, except for those who have signed in from there before. An account as a whole is never
//! refused a password: attempts from places it was never used from are only held for a moment. A code has few digits, so there
//! an account as a whole does wait, but for places that are known.
//!
//! What must stay true: an attempt is counted before it is checked, so that many at once gain nothing; one that is refused costs
//! neither a hash nor a write, and is not counted, so that a flood does not make anybody's wait longer; and an e-mail that
//! nobody has is treated like any other.

mod standing;

use crate::store::{Store, entities::sign_in_attempt as row};
use app::model::error::ApiError;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use standing::{FORGOTTEN_AFTER, KNOWN_FOR, SECOND, Standing, Subjects};
use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use vault::Clock;

/// How many attempts of one address a server works on at a time.
const AT_ONCE: u32 = 8;
/// Remembered refusals are tidied up when there are more than so many.
const REMEMBERED: usize = 10_000;

/// Where a request comes from.
#[derive(Clone, Debug)]
pub struct Address {
    whole: IpAddr,
    network: String,
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        let whole = address.to_canonical();
        let network = match whole {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        };
        Self { whole, network }
    }
}

impl Address {
    /// What attempts are counted by. An IPv6 address stands for its network of 64 bits, which is what one customer has.
    pub(super) fn network(&self) -> &str {
        &self.network
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.whole.fmt(f)
    }
}

/// What is guessed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guess {
    Password,
    Code,
}

/// An attempt that may be made. It counts as failed until [`Throttle::passed`].
pub struct Attempt {
    subjects: Subjects,
    /// How long to hold it before it is checked.
    pub hold: Duration,
    known: bool,
    _place: Place,
}

/// The account of attempts, shared by all servers through the database.
pub struct Throttle {
    store: Store,
    clock: Arc<dyn Clock>,
    local: Arc<Mutex<Local>>,
}

/// What a server remembers by itself, so that a flood does not reach the database.
#[derive(Default)]
struct Local {
    working: HashMap<String, u32>,
    /// Until when a pair has to wait.
    refused: HashMap<String, i64>,
    /// How many attempts of an address were turned away since it was last asked.
    turned_away: HashMap<String, u64>,
}

impl Local {
    fn turn_away(&mut self, from: &Address, wait_ms: i64) -> ApiError {
        if self.turned_away.len() < REMEMBERED || self.turned_away.contains_key(from.network()) {
            *self.turned_away.entry(from.network().to_owned()).or_default() += 1;
        }
        refusal(wait_ms)
    }
}

/// One of the attempts that a server works on for an address.
struct Place {
    local: Arc<Mutex<Local>>,
    network: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut local = locked(&self.local);
        if let Some(working) = local.working.get_mut(&self.network) {
            *working -= 1;
            if *working == 0 {
                local.working.remove(&self.network);
            }
        }
    }
}

fn locked(local: &Mutex<Local>) -> MutexGuard<'_, Local> {
    local.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Throttle {
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, local: Arc::default() }
    }

    /// Lets an attempt through, and counts it as failed for the time being.
    ///
    /// # Errors
    /// [`ApiError::TooManyAttempts`] if it has to wait, [`ApiError::Unavailable`] if the database does not answer.
    pub async fn admit(&self, guess: Guess, account: &str, from: &Address) -> Result<Attempt, ApiError> {
        let subjects = Subjects::new(guess, account, from);
        let now = self.clock.wall_ms();
        let place = self.enter(&subjects, from, now)?;
        let standing = Standing::read(self.store.read(), &subjects, now, false).await.map_err(unavailable)?;
        self.check(&standing, &subjects, from, now)?;
        let standing = self.count(&subjects, now).await.map_err(unavailable)?;
        // Others may have failed since it was read; what was counted then stays.
        self.check(&standing, &subjects, from, now)?;
        Ok(Attempt { hold: standing.hold(&subjects), known: standing.known, subjects, _place: place })
    }

    /// It was right after all: it and what failed before from the same place do not count.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] if the database does not answer.
    pub async fn passed(&self, attempt: &Attempt) -> Result<(), ApiError> {
        self.uncount(&attempt.subjects, attempt.known).await.map_err(unavailable)
    }

    /// The account is used from here from now on.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] if the database does not answer.
    pub async fn remember(&self, account: &str, from: &Address) -> Result<(), ApiError> {
        let known = Subjects::new(Guess::Password, account, from).known;
        let now = self.clock.wall_ms();
        put(self.store.write(), &known, None, 0, now).await.map_err(unavailable)
    }

    /// Deletes what has no effect any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self) -> Result<(), DbErr> {
        let now = self.clock.wall_ms();
        let places = row::Column::Subject.starts_with("k:");
        let old = row::Column::LastAt.lt(now - KNOWN_FOR);
        row::Entity::delete_many().filter(places.clone().and(old)).exec(self.store.write()).await?;
        let old = row::Column::LastAt.lt(now - FORGOTTEN_AFTER);
        row::Entity::delete_many().filter(places.not().and(old)).exec(self.store.write()).await?;
        Ok(())
    }

    fn enter(&self, subjects: &Subjects, from: &Address, now: i64) -> Result<Place, ApiError> {
        let mut local = locked(&self.local);
        if let Some(until) = local.refused.get(&subjects.pair).copied().filter(|until| *until > now) {
            return Err(local.turn_away(from, until - now));
        }
        if local.working.get(from.network()).is_some_and(|working| *working >= AT_ONCE) {
            return Err(local.turn_away(from, SECOND));
        }
        let network = from.network().to_owned();
        *local.working.entry(network.clone()).or_default() += 1;
        Ok(Place { local: Arc::clone(&self.local), network })
    }

    fn check(&self, standing: &Standing, subjects: &Subjects, from: &Address, now: i64) -> Result<(), ApiError> {
        let until = standing.until(subjects);
        if until <= now {
            return Ok(());
        }
        let mut local = locked(&self.local);
        if local.refused.len() >= REMEMBERED {
            local.refused.retain(|_, until| *until > now);
        }
        if local.refused.len() < REMEMBERED {
            // Not for long: it may become right on another server.
            local.refused.insert(subjects.pair.clone(), Ord::min(until, now + SECOND));
        }
        Err(local.turn_away(from, until - now))
    }

    /// How many attempts were turned away since this was last asked, by network: those with the most, at most `most`.
    pub fn turned_away(&self, most: usize) -> Vec<(String, u64)> {
        let mut counted: Vec<_> = locked(&self.local).turned_away.drain().collect();
        counted.sort_unstable_by_key(|(_, count)| std::cmp::Reverse(*count));
        counted.truncate(most);
        counted
    }

    /// Counts a failure, and gives what stood before it. One that has to wait is not counted.
    async fn count(&self, subjects: &Subjects, now: i64) -> Result<Standing, DbErr> {
        let transaction = self.store.begin().await?;
        let standing = Standing::read(&transaction, subjects, now, true).await?;
        if standing.until(subjects) <= now {
            for subject in subjects.counted(standing.known) {
                let failures = standing.of(subject).map(|row| row.failures + 1);
                put(&transaction, subject, failures, 1, now).await?;
            }
        }
        transaction.commit().await?;
        Ok(standing)
    }

    async fn uncount(&self, subjects: &Subjects, known: bool) -> Result<(), DbErr> {
        let transaction = self.store.begin().await?;
        for subject in subjects.counted(known) {
            if subject == subjects.pair {
                row::Entity::delete_by_id(subject).exec(&transaction).await?;
            } else {
                row::Entity::update_many()
                    .col_expr(row::Column::Failures, Expr::col(row::Column::Failures).sub(1))
                    .filter(row::Column::Subject.eq(subject))
                    .filter(row::Column::Failures.gt(0))
                    .exec(&transaction)
                    .await?;
            }
        }
        transaction.commit().await?;
        locked(&self.local).refused.remove(&subjects.pair);
        Ok(())
    }
}

/// Writes a row: `counted` is the number it gets, if it was read under a lock; one that was not there gets `first`, and one more
/// than it has if somebody else was first.
async fn put(
    on: &impl ConnectionTrait,
    subject: &str,
    counted: Option<i64>,
    first: i64,
    now: i64,
) -> Result<(), DbErr> {
    let new = row::ActiveModel {
        subject: Set(subject.to_owned()),
        failures: Set(counted.unwrap_or(first)),
        last_at: Set(now),
    };
    let more = Expr::col((row::Entity, row::Column::Failures)).add(first);
    let counted = counted.map_or(more, Expr::value);
    let conflict = OnConflict::column(row::Column::Subject)
        .value(row::Column::Failures, counted)
        .value(row::Column::LastAt, Expr::value(now))
        .to_owned();
    row::Entity::insert(new).on_conflict(conflict).exec_without_returning(on).await?;
    Ok(())
}

fn refusal(wait_ms: i64) -> ApiError {
    let seconds = Ord::max(wait_ms, 1).div_euclid(SECOND) + i64::from(wait_ms.rem_euclid(SECOND) > 0);
    ApiError::TooManyAttempts { seconds: u32::try_from(Ord::max(seconds, 1)).unwrap_or(u32::MAX) }
}

#[allow(clippy::needless_pass_by_value, reason = "what `map_err` calls")]
fn unavailable(error: DbErr) -> ApiError {
    tracing::error!(event = "database_failed", %error, "attempts to sign in could not be counted");
    ApiError::Unavailable
}
