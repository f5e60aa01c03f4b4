//! How fast a job goes, and how long it still takes, from the marks of its way.
//!
//! Marks are made at regular times for as long as somebody works on the job. Where they are much further apart than that, it
//! was paused or no server ran: such a time says nothing of the rate, and counts nowhere.

use crate::model::job::{JobItems, JobMark};

/// What counts as now.
const NOW: i64 = 60_000;
/// From a shorter time than this nothing is concluded; milliseconds.
const ENOUGH: i64 = 5_000;
/// Marks are never further apart than this while a job is young; milliseconds.
const APART: i64 = 20_000;
/// Of an older job they are further apart, but never by more than this part of its age.
const PART_OF_AGE: i64 = 8;
/// What an item costs beside its bytes, in bytes.
const ITEM: u128 = 512;

/// What is done in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    pub items: u64,
    pub bytes: u64,
}

/// The time between two marks in which the job was worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub from: i64,
    pub to: i64,
    pub pace: Pace,
    /// Whether it follows the one before without a pause.
    pub goes_on: bool,
}

/// The rate of the last minute; `None` when there is too little to tell.
pub fn pace_now(marks: &[JobMark]) -> Option<Pace> {
    recent(marks).map(|(from, to)| pace(from, to))
}

/// How many seconds the rest takes at the rate of the last minute; `None` when there is too little to tell.
pub fn time_left(kinds: &[JobItems], marks: &[JobMark]) -> Option<u64> {
    let (from, to) = recent(marks)?;
    let took = u128::try_from(to.at - from.at).ok()?;
    let did = work(to.items.saturating_sub(from.items), to.bytes.saturating_sub(from.bytes));
    let left: u128 = kinds.iter().map(left_of).sum();
    if did == 0 || left == 0 {
        return None;
    }
    u64::try_from((left * took / did).div_ceil(1_000)).ok()
}

/// The times in which the job was worked on, the oldest first.
pub fn stretches(marks: &[JobMark]) -> Vec<Stretch> {
    let marks = since_begun(marks);
    let Some(first) = marks.first() else { return Vec::new() };
    let mut worked = Vec::with_capacity(marks.len());
    let mut goes_on = false;
    for pair in marks.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        if is_pause(*first, from, to) {
            goes_on = false;
        } else if to.at > from.at {
            worked.push(Stretch { from: from.at, to: to.at, pace: pace(from, to), goes_on });
            goes_on = true;
        }
    }
    worked
}

/// Items that neither are done nor were set aside.
pub const fn items_left(kind: &JobItems) -> u64 {
    kind.total.saturating_sub(kind.done).saturating_sub(kind.set_aside)
}

/// The work that is left of one kind. Where nobody knows its bytes yet, those that are done tell what one has.
fn left_of(kind: &JobItems) -> u128 {
    let items = items_left(kind);
    if items == 0 {
        return 0;
    }
    let bytes = if kind.bytes_total > 0 {
        u128::from(kind.bytes_total.saturating_sub(kind.bytes_done))
    } else {
        u128::from(items) * u128::from(kind.bytes_done) / u128::from(kind.done.max(1))
    };
    bytes + u128::from(items) * ITEM
}

fn work(items: u64, bytes: u64) -> u128 {
    u128::from(bytes) + u128::from(items) * ITEM
}

/// Without the marks from before anything was done.
fn since_begun(marks: &[JobMark]) -> &[JobMark] {
    let idle = marks.iter().take_while(|mark| mark.items == 0 && mark.bytes == 0).count();
    &marks[idle.saturating_sub(1)..]
}

const fn is_pause(first: JobMark, from: JobMark, to: JobMark) -> bool {
    let usual = (from.at - first.at) / PART_OF_AGE;
    to.at - from.at > if usual > APART { usual } else { APART }
}

/// The last mark and one about a minute before it, with no pause between them.
fn recent(marks: &[JobMark]) -> Option<(JobMark, JobMark)> {
    let marks = since_begun(marks);
    let first = *marks.first()?;
    let resumed = marks.windows(2).rposition(|pair| is_pause(first, pair[0], pair[1])).map_or(0, |at| at + 1);
    let (last, earlier) = marks[resumed..].split_last()?;
    let from = earlier.iter().find(|mark| last.at - mark.at <= NOW).or(earlier.last())?;
    (last.at - from.at >= ENOUGH).then_some((*from, *last))
}

fn pace(from: JobMark, to: JobMark) -> Pace {
    let took = u128::try_from(to.at - from.at).unwrap_or(0).max(1);
    let each_second = |before: u64, after: u64| {
        u64::try_from(u128::from(after.saturating_sub(before)) * 1_000 / took).unwrap_or(u64::MAX)
    };
    Pace { items: each_second(from.items, to.items), bytes: each_second(from.bytes, to.bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Marks at these seconds, with as many items, each of 1,000 bytes.
    fn marks(way: &[(i64, u64)]) -> Vec<JobMark> {
        way.iter().map(|(at, items)| JobMark { at: at * 1_000, items: *items, bytes: items * 1_000 }).collect()
    }

    fn notes(total: u64, done: u64) -> JobItems {
        JobItems { kind: "Notes".to_owned(), total, done, bytes_total: 0, bytes_done: done * 1_000, set_aside: 0 }
    }

    #[test]
    fn a_few_seconds_tell_nothing() {
        assert_eq!(pace_now(&[]), None);
        assert_eq!(pace_now(&marks(&[(10, 5)])), None);
        assert_eq!(pace_now(&marks(&[(10, 5), (14, 100)])), None);
        assert_eq!(time_left(&[notes(1_000, 100)], &marks(&[(10, 5), (14, 100)])), None);
        assert_eq!(pace_now(&marks(&[(10, 5), (15, 105)])), Some(Pace { items: 20, bytes: 20_000 }));
    }

    #[test]
    fn the_rate_is_that_of_the_last_minute() {
        let way = marks(&[(0, 0), (15, 15_000), (30, 30_000), (45, 30_010), (60, 30_020), (75, 30_040), (90, 30_060)]);
        assert_eq!(pace_now(&way), Some(Pace { items: 1, bytes: 1_000 }));
    }

    #[test]
    fn of_marks_further_apart_than_a_minute_the_last_two_count() {
        let mut way: Vec<(i64, u64)> = (0..=360).map(|at| (at * 20, 0)).collect();
        way[0].1 = 1;
        way.iter_mut().skip(1).for_each(|mark| mark.1 = 100);
        way.push((7_300, 300));
        assert_eq!(pace_now(&marks(&way)), Some(Pace { items: 2, bytes: 2_000 }));
    }

    #[test]
    fn what_is_left_takes_as_long_as_as_much_did() {
        let way = marks(&[(0, 0), (20, 200), (40, 400), (60, 600)]);
        assert_eq!(time_left(&[notes(1_800, 600)], &way), Some(120));
        assert_eq!(time_left(&[notes(601, 600)], &way), Some(1), "rounded up");
        assert_eq!(time_left(&[notes(600, 600)], &way), None, "nothing is left");
    }

    #[test]
    fn what_was_set_aside_is_not_waited_for() {
        let way = marks(&[(0, 0), (20, 200), (40, 400), (60, 600)]);
        let kind = JobItems { set_aside: 600, ..notes(1_800, 600) };
        assert_eq!(items_left(&kind), 600);
        assert_eq!(time_left(&[kind], &way), Some(60));
    }

    #[test]
    fn files_count_by_their_bytes() {
        let file = JobItems {
            kind: "File content".to_owned(),
            total: 2,
            done: 1,
            bytes_total: 40_000_000,
            bytes_done: 10_000_000,
            set_aside: 0,
        };
        let way = [JobMark { at: 0, items: 0, bytes: 0 }, JobMark { at: 10_000, items: 1, bytes: 10_000_000 }];
        let left = time_left(&[file], &way).unwrap();
        assert!((29..=31).contains(&left), "{left}");
    }

    #[test]
    fn a_standstill_has_a_rate_but_no_end() {
        let way = marks(&[(0, 10), (10, 500), (30, 500), (50, 500), (70, 500), (90, 500)]);
        assert_eq!(pace_now(&way), Some(Pace { items: 0, bytes: 0 }));
        assert_eq!(time_left(&[notes(1_000, 500)], &way), None);
    }

    #[test]
    fn a_pause_counts_nowhere() {
        let way = marks(&[(0, 0), (10, 100), (3_600, 100), (3_604, 140), (3_610, 200)]);
        assert_eq!(pace_now(&way), Some(Pace { items: 10, bytes: 10_000 }));
        assert_eq!(time_left(&[notes(500, 200)], &way), Some(30));
        let worked = stretches(&way);
        assert_eq!(worked.len(), 3);
        assert!(worked.iter().all(|stretch| stretch.pace.items == 10), "{worked:?}");
        assert_eq!(worked.iter().map(|stretch| stretch.goes_on).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(pace_now(&marks(&[(0, 0), (10, 100), (3_600, 101)])), None, "just resumed");
    }

    #[test]
    fn what_was_before_the_first_item_counts_nowhere() {
        let way = marks(&[(0, 0), (10, 0), (20, 0), (30, 100)]);
        assert_eq!(pace_now(&way), Some(Pace { items: 10, bytes: 10_000 }));
        assert_eq!(stretches(&way).len(), 1);
        assert_eq!(stretches(&marks(&[(0, 0), (10, 0)])), []);
    }

    #[test]
    fn marks_that_make_no_sense_do_no_harm() {
        let way = [
            JobMark { at: 20_000, items: u64::MAX, bytes: u64::MAX },
            JobMark { at: 10_000, items: 5, bytes: 5 },
            JobMark { at: 10_000, items: 4, bytes: 4 },
        ];
        assert_eq!(pace_now(&way), None);
        assert_eq!(stretches(&way), []);
        let way = [JobMark { at: 0, items: 0, bytes: 0 }, JobMark { at: 6_000, items: u64::MAX, bytes: u64::MAX }];
        assert_eq!(pace_now(&way), Some(Pace { items: u64::MAX / 6, bytes: u64::MAX / 6 }));
    }
}
