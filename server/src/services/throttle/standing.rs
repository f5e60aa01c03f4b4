//! Under which names an attempt is counted, what is known of them, and what follows from it.

use super::{Address, Guess};
use crate::store::entities::sign_in_attempt as row;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::LockType,
};
use sha2::{Digest, Sha256};
use std::time::Duration;

pub const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 24 * 60 * MINUTE;
/// After so long without another failure, all before it are forgotten.
pub const FORGOTTEN_AFTER: i64 = 60 * MINUTE;
/// For so long a place is known from which somebody has signed in.
pub const KNOWN_FOR: i64 = 30 * DAY;
const PAIR: Limit = Limit { free: 5, longest: 15 * MINUTE };
const ADDRESS: Limit = Limit { free: 30, longest: 5 * MINUTE };
const CODES_OF_ACCOUNT: Limit = Limit { free: 10, longest: 15 * MINUTE };
/// From so many failures on, passwords from places that are not known are held before they are checked.
const HELD_FROM: i64 = 50;
const HELD_LONGEST: i64 = 2 * SECOND;

/// How many failures are free, and how long the wait becomes beyond.
struct Limit {
    free: i64,
    longest: i64,
}

impl Limit {
    /// Until when the next attempt has to wait.
    fn until(&self, found: Option<&row::Model>) -> i64 {
        let Some(row) = found else { return 0 };
        let beyond = row.failures - self.free;
        if beyond <= 0 {
            return 0;
        }
        let doubled = SECOND << u32::try_from(beyond - 1).unwrap_or(20).min(20);
        row.last_at + doubled.min(self.longest)
    }
}

/// Under which names an attempt is counted.
pub struct Subjects {
    pub pair: String,
    address: String,
    account: String,
    pub known: String,
    guess: Guess,
}

impl Subjects {
    pub fn new(guess: Guess, account: &str, from: &Address) -> Self {
        let from = from.network();
        // Of an account only a hash is stored: what is typed as an e-mail may be anything, also a password.
        let account = hex::encode(&Sha256::digest(account.as_bytes())[..16]);
        let kind = match guess {
            Guess::Password => 'p',
            Guess::Code => 'c',
        };
        Self {
            pair: format!("{kind}:{account}:{from}"),
            address: format!("a:{from}"),
            account: format!("u{kind}:{account}"),
            known: format!("k:{account}:{from}"),
            guess,
        }
    }

    /// In the order in which rows are locked.
    pub fn all(&self) -> [&str; 4] {
        let mut all = [self.pair.as_str(), &self.address, &self.account, &self.known];
        all.sort_unstable();
        all
    }

    /// The subjects that a failure counts for.
    pub fn counted(&self, known: bool) -> Vec<&str> {
        let mut counted = vec![self.address.as_str(), &self.pair];
        if !known {
            counted.push(&self.account);
        }
        counted.sort_unstable();
        counted
    }
}

/// What is known of an attempt's subjects.
pub struct Standing {
    rows: Vec<row::Model>,
    /// Whether the account has been used from there.
    pub known: bool,
}

impl Standing {
    pub async fn read(on: &impl ConnectionTrait, subjects: &Subjects, now: i64, lock: bool) -> Result<Self, DbErr> {
        let mut query =
            row::Entity::find().filter(row::Column::Subject.is_in(subjects.all())).order_by_asc(row::Column::Subject);
        if lock {
            query = query.lock(LockType::Update);
        }
        let mut rows = query.all(on).await?;
        let known = rows.iter().any(|row| row.subject == subjects.known && now - row.last_at < KNOWN_FOR);
        rows.retain(|row| row.subject != subjects.known);
        for row in rows.iter_mut().filter(|row| now - row.last_at >= FORGOTTEN_AFTER) {
            row.failures = 0;
        }
        Ok(Self { rows, known })
    }

    pub fn of(&self, subject: &str) -> Option<&row::Model> {
        self.rows.iter().find(|row| row.subject == subject)
    }

    /// Until when the attempt has to wait; at once, if that is over.
    pub fn until(&self, subjects: &Subjects) -> i64 {
        let mut until = PAIR.until(self.of(&subjects.pair));
        if !self.known {
            until = until.max(ADDRESS.until(self.of(&subjects.address)));
            if subjects.guess == Guess::Code {
                until = until.max(CODES_OF_ACCOUNT.until(self.of(&subjects.account)));
            }
        }
        until
    }

    pub fn hold(&self, subjects: &Subjects) -> Duration {
        if self.known || subjects.guess == Guess::Code {
            return Duration::ZERO;
        }
        let failures = self.of(&subjects.account).map_or(0, |row| row.failures);
        let hold = ((failures - HELD_FROM) * SECOND / 4).clamp(0, HELD_LONGEST);
        Duration::from_millis(u64::try_from(hold).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn failed(subject: &str, failures: i64) -> row::Model {
        row::Model { subject: subject.to_owned(), failures, last_at: 1_000_000 }
    }

    fn address(text: &str) -> Address {
        Address::from(text.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn each_failure_beyond_the_free_ones_doubles_the_wait() {
        let wait = |failures| PAIR.until(Some(&failed("p", failures))) - 1_000_000;
        assert!(wait(5) <= 0);
        assert_eq!((wait(6), wait(7), wait(10)), (SECOND, 2 * SECOND, 16 * SECOND));
        assert_eq!((wait(16), wait(i64::MAX / 2)), (15 * MINUTE, 15 * MINUTE));
        assert_eq!(PAIR.until(None), 0);
    }

    #[test]
    fn an_ipv6_address_counts_as_its_network() {
        let of = |from: &str| Subjects::new(Guess::Password, "ada@example.com", &address(from));
        assert_eq!(of("2001:db8::1").pair, of("2001:db8::ffff:1").pair);
        assert_ne!(of("2001:db8::1").pair, of("2001:db8:0:1::1").pair);
        assert_eq!(of("::ffff:192.0.2.1").pair, of("192.0.2.1").pair);
        assert!(!of("192.0.2.1").account.contains("ada"));
    }

    #[test]
    fn only_codes_make_an_account_wait_and_never_where_it_is_known() {
        for (guess, known, waits, held) in [
            (Guess::Password, false, false, true),
            (Guess::Password, true, false, false),
            (Guess::Code, false, true, false),
            (Guess::Code, true, false, false),
        ] {
            let subjects = Subjects::new(guess, "ada@example.com", &address("192.0.2.1"));
            let standing = Standing { rows: vec![failed(&subjects.account, 100)], known };
            assert_eq!(standing.until(&subjects) > 0, waits, "{guess:?} {known}");
            assert_eq!(standing.hold(&subjects) > Duration::ZERO, held, "{guess:?} {known}");
        }
    }
}
