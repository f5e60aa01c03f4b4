//! How fast a change of key goes on this deployment: as the last one that took long enough has gone, or else as is assumed of a
//! small machine.
//!
//! Cost grows so: a change takes `N / r + F / f + B / b` seconds for `N` records and `F` files of `B` bytes in all, and a few calls of KMS
//! for each data key. Of the three rates only their sum can be seen in a job that did all of it. So the assumed rates give the
//! proportions, and the job says by what factor it was faster or slower: exact for data of the same mix, which a deployment's
//! mostly is, and fair for another.

use super::failure::Failure;
use crate::store::{
    entities::{
        job::{self, JobState},
        job_item, job_mark,
    },
    sealed_tables::OBJECTS,
};
use app::model::impact::{Measured, Speed};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// What is assumed of a small machine; per second.
const RECORDS: u64 = 2_000;
const FILES: u64 = 100;
const BYTES: u64 = 40_000_000;
/// How many complete jobs are looked at, the newest first.
const JOBS: u64 = 5;
/// From a shorter time than this nothing is concluded, nor from so little that it would be assumed to take less than the
/// second; milliseconds.
const ENOUGH: i64 = 5_000;
const ENOUGH_WORK: u64 = 1_000;
/// Marks of how far a job was are never further apart than this while it is young, or of its age than this part.
/// Otherwise nobody worked on it meanwhile.
const APART: i64 = 20_000;
const PART_OF_AGE: i64 = 8;

/// What a job did, and how long it was worked on; milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Work {
    records: u64,
    files: u64,
    bytes: u64,
    took: i64,
}

/// The speed of the last complete job that took long enough, or the assumed one. Cost: a few index ranges, some hundred rows
/// of a long job.
pub async fn speed(on: &impl ConnectionTrait) -> Result<Speed, Failure> {
    let complete = job::Entity::find().filter(job::Column::State.eq(JobState::Complete));
    let newest = complete.order_by_desc(job::Column::CreatedAt).order_by_desc(job::Column::Id).limit(JOBS);
    for job in newest.all(on).await? {
        let (Some(began), Some(ended)) = (job.control_at, job.finished_at) else { continue };
        let items = job_item::Entity::find().filter(job_item::Column::JobId.eq(job.id)).all(on).await?;
        let mut work = done(&items);
        if ended - began < ENOUGH || assumed(&work) < ENOUGH_WORK {
            continue;
        }
        let marks = job_mark::Entity::find().filter(job_mark::Column::JobId.eq(job.id));
        let marks: Vec<_> = marks.order_by_asc(job_mark::Column::At).all(on).await?;
        work.took = worked(began, &marks.iter().map(|mark| (mark.at, mark.items_done)).collect::<Vec<_>>(), ended);
        if work.took >= ENOUGH {
            return Ok(measured(&work, ended));
        }
    }
    Ok(Speed { records: RECORDS, files: FILES, bytes: BYTES, measured: None })
}

fn done(items: &[job_item::Model]) -> Work {
    let mut work = Work { records: 0, files: 0, bytes: 0, took: 0 };
    for kind in items {
        let count = kind.items_done.unsigned_abs();
        if kind.kind == OBJECTS {
            (work.files, work.bytes) = (count, kind.bytes_done.unsigned_abs());
        } else {
            work.records += count;
        }
    }
    work
}

/// How long the assumed rates would take; milliseconds.
fn assumed(work: &Work) -> u64 {
    let time = |amount: u64, rate: u64| u128::from(amount) * 1_000 / u128::from(rate);
    let all = time(work.records, RECORDS) + time(work.files, FILES) + time(work.bytes, BYTES);
    u64::try_from(all).unwrap_or(u64::MAX)
}

/// The time in which a job was worked on, of which `marks` say when it had done how many items. Waiting at its end counts no
/// longer than the longest time between two marks; waiting in its midst does, where somebody held the job.
fn worked(began: i64, marks: &[(i64, i64)], ended: i64) -> i64 {
    let all = marks.last().map_or(0, |(_, items)| *items);
    let (mut before, mut worked, mut waited) = (began, 0, 0);
    let mut is_done = false;
    for (at, items) in marks.iter().copied().chain([(ended, all)]).filter(|(at, _)| *at > began) {
        let longest = Ord::max(APART, (before - began) / PART_OF_AGE);
        if at - before <= longest {
            *(if is_done { &mut waited } else { &mut worked }) += at - before;
        }
        is_done = items >= all;
        before = at;
    }
    worked + Ord::min(waited, APART)
}

fn measured(work: &Work, ended: i64) -> Speed {
    let took = work.took.unsigned_abs();
    let rate = |assumed_rate: u64| {
        let rate = u128::from(assumed_rate) * u128::from(assumed(work)) / u128::from(took.max(1));
        u64::try_from(rate).unwrap_or(u64::MAX).max(1)
    };
    Speed {
        records: rate(RECORDS),
        files: rate(FILES),
        bytes: rate(BYTES),
        measured: Some(Measured {
            ended_at: ended,
            records: work.records,
            files: work.files,
            bytes: work.bytes,
            seconds: took.div_ceil(1_000),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_took_twice_as_long_as_assumed_halves_the_rates() {
        let work = Work { records: 20_000, files: 0, bytes: 0, took: 20_000 };
        let speed = measured(&work, 5);
        assert_eq!((speed.records, speed.files, speed.bytes), (1_000, 50, 20_000_000));
        assert_eq!(speed.measured.map(|by| (by.records, by.seconds, by.ended_at)), Some((20_000, 20, 5)));
        let mixed = Work { records: 2_000, files: 100, bytes: 80_000_000, took: 1_000 };
        assert_eq!(measured(&mixed, 5).records, 8_000);
    }

    #[test]
    fn a_pause_and_waiting_at_the_end_count_nothing() {
        assert_eq!(worked(0, &[(2_000, 10), (4_000, 20), (6_000, 30)], 7_000), 7_000);
        assert_eq!(worked(0, &[(2_000, 10), (4_000, 20), (600_000, 20), (602_000, 30)], 603_000), 7_000);
        let mut uploads: Vec<_> = (1..=100).map(|at| (at * 2_000, 30)).collect();
        uploads[0].1 = 10;
        assert_eq!(worked(0, &uploads, 201_000), 4_000 + APART);
        assert_eq!(worked(0, &[], 3_000), 3_000);
    }

    #[test]
    fn marks_of_an_old_job_may_be_further_apart() {
        let day = 86_400_000;
        assert_eq!(worked(0, &[(1_000, 1)], 1_000), 1_000);
        let way: Vec<_> = (1..=100).map(|at| (at * day / 100, at)).collect();
        // The first ones are further apart than marks of a young job are.
        assert_eq!(worked(0, &way, day), day - 8 * day / 100);
    }
}
