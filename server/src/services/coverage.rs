//! What is encrypted, how much of it already under the key in control, and what is not encrypted and why: counted from the
//! tables themselves, by `store::census`.
//!
//! What must stay true: what is shown is what was stored at one moment, never older than [`OLDEST`], and of the state of the
//! keys that is in force. Where counting is quick it is done for every answer. Where it takes longer, the page would have the
//! database count again and again while it is brought up to date: then all who look at it here share a count, for nine times
//! as long as it took; so counting takes at most a tenth of the time of one connection, and of the largest databases a sixth.

use super::{encryption::Encryption, failure::Failure};
use crate::store::{
    census::{self, Census, SealedCount},
    entities::encryption,
    house,
    not_sealed::{NOT_SEALED, NotSealed, Plain},
    sealed_tables::{OBJECTS, SEALED_TABLES, label},
};
use app::model::{encryption as model, impact::PlainLine};
use std::{sync::Arc, time::Duration};
use tokio::sync::Mutex;

/// A count that took less is not kept.
const QUICK: Duration = Duration::from_millis(100);
/// A count is kept for so many times what it took.
const KEPT_FOR: u32 = 9;
/// But never longer.
const OLDEST: Duration = Duration::from_secs(5);
/// How often a count is made anew because the keys have changed meanwhile.
const TRIES: u32 = 3;

/// The last count of this server, and the turn of whoever counts next.
#[derive(Default)]
pub struct Counter(Mutex<Option<Arc<Counted>>>);

/// A count, and when it was.
pub struct Counted {
    census: Census,
    /// By the wall clock, for people.
    at: i64,
    /// When it began, by the clock that nobody can set.
    began: Duration,
    took: Duration,
}

impl Counted {
    /// Whether it will do for somebody who has asked since `asked`, now that it is `now` and the keys are at `generation`.
    fn will_do(&self, asked: Duration, now: Duration, generation: i64) -> bool {
        let kept = if self.took < QUICK { Duration::ZERO } else { (self.took * KEPT_FOR).min(OLDEST) };
        // Whoever has waited for their turn has no use for another count than the one that began meanwhile.
        let is_recent = self.began >= asked || now.saturating_sub(self.began + self.took) < kept;
        is_recent && self.census.generation >= generation
    }

    /// When it was counted; Unix milliseconds.
    pub fn at(&self) -> i64 {
        self.at
    }

    /// One line for each kind of sealed data.
    pub fn lines(&self) -> Vec<model::CoverageLine> {
        self.census.sealed.iter().map(line).collect()
    }

    /// How much there is to rewrite.
    pub fn amount(&self) -> model::Amount {
        let rows = |is_object: bool| {
            let of_them = self.census.sealed.iter().filter(|count| (count.table == OBJECTS) == is_object);
            of_them.map(|count| count.rows.unsigned_abs()).sum()
        };
        model::Amount { records: rows(false), files: rows(true), bytes: self.census.bytes.unsigned_abs() }
    }

    /// How many rows a table has that is not sealed.
    pub fn rows(&self, table: &str) -> u64 {
        let found = self.census.plain.iter().find(|(name, _)| *name == table);
        found.map_or(0, |(_, rows)| rows.unsigned_abs())
    }

    /// One line for each kind of data that is not sealed.
    pub fn plain_lines(&self) -> Vec<PlainLine> {
        NOT_SEALED.iter().map(|kind| self.plain_line(kind)).collect()
    }

    fn plain_line(&self, kind: &NotSealed) -> PlainLine {
        let rows = match kind.what {
            Plain::Tables(tables) => Some(tables.iter().map(|table| self.rows(table)).sum()),
            // There is one wherever there is a row with sealed data, which has been counted already.
            Plain::Columns(_) => None,
        };
        PlainLine { data: kind.label.to_owned(), rows, reason: kind.reason.to_owned() }
    }
}

fn line(count: &SealedCount) -> model::CoverageLine {
    let is_sealed_column = SEALED_TABLES.iter().any(|table| table.name == count.table);
    model::CoverageLine {
        data: label(count.table).to_owned(),
        stored_in: if is_sealed_column { "Database" } else { "Object store" }.to_owned(),
        items: count.rows.unsigned_abs(),
        current: count.rows.saturating_sub(count.older).unsigned_abs(),
    }
}

impl Encryption {
    /// The root key in force and the count of everything, both of the same state of the keys. While that changes many times a
    /// second, as it does when every workspace gets a fresh data key, the count may be of a later state.
    pub(super) async fn counted(&self) -> Result<(encryption::Model, Arc<Counted>), Failure> {
        let mut tries = 0;
        loop {
            let root = house::root(self.store.read()).await?;
            let counted = self.count(root.generation).await?;
            tries += 1;
            if counted.census.generation == root.generation || tries == TRIES {
                return Ok((root, counted));
            }
        }
    }

    /// Counts everything, or gives the count that somebody else has just made. `generation` is the one that the asker has seen.
    async fn count(&self, generation: i64) -> Result<Arc<Counted>, Failure> {
        let clock = self.keys.vault().clock();
        let asked = clock.boot();
        let mut last = self.counter.0.lock().await;
        if let Some(counted) = last.as_ref().filter(|last| last.will_do(asked, clock.boot(), generation)) {
            return Ok(Arc::clone(counted));
        }
        let (began, at) = (clock.boot(), clock.wall_ms());
        let census = census::take(self.store.read()).await?;
        let counted = Arc::new(Counted { census, at, began, took: clock.boot().saturating_sub(began) });
        *last = Some(Arc::clone(&counted));
        Ok(counted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(number: u64) -> Duration {
        Duration::from_millis(number)
    }

    fn counted(began: u64, took: u64) -> Counted {
        let sealed =
            vec![SealedCount { table: "notes", rows: 10, older: 4 }, SealedCount { table: OBJECTS, rows: 3, older: 3 }];
        let census = Census { sealed, bytes: 9_000, plain: vec![("users", 2)], generation: 7 };
        Counted { census, at: 0, began: ms(began), took: ms(took) }
    }

    #[test]
    fn a_quick_count_is_for_those_who_waited_for_it_alone() {
        let quick = counted(1_000, 99);
        assert!(quick.will_do(ms(1_000), ms(1_099), 7), "it began when this one asked");
        assert!(!quick.will_do(ms(1_001), ms(1_099), 7));
    }

    #[test]
    fn a_slow_count_is_shared_for_nine_times_as_long_as_it_took_and_five_seconds_at_most() {
        let slow = counted(1_000, 200);
        assert!(slow.will_do(ms(2_000), ms(2_999), 7));
        assert!(!slow.will_do(ms(3_000), ms(3_000), 7));
        let slowest = counted(1_000, 2_000);
        assert!(slowest.will_do(ms(7_000), ms(7_999), 7));
        assert!(!slowest.will_do(ms(8_000), ms(8_000), 7));
    }

    #[test]
    fn a_count_from_before_the_keys_changed_will_not_do() {
        assert!(!counted(1_000, 200).will_do(ms(1_300), ms(1_300), 8));
    }

    #[test]
    fn lines_and_amount_come_of_the_same_count() {
        let counted = counted(0, 1);
        let lines = counted.lines();
        assert_eq!((lines[0].items, lines[0].current, lines[0].stored_in.as_str()), (10, 6, "Database"));
        assert_eq!((lines[1].items, lines[1].current, lines[1].stored_in.as_str()), (3, 0, "Object store"));
        assert_eq!(counted.amount(), model::Amount { records: 10, files: 3, bytes: 9_000 });
        let plain = counted.plain_lines();
        assert_eq!((plain[0].data.as_str(), plain[0].rows), ("Accounts and roles", Some(2)));
        assert_eq!(plain.last().and_then(|line| line.rows), None);
    }
}
