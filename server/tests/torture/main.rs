//! The torture: the real program is killed at every named point and at moments that nobody chose, also while it recovers, in the
//! middle of changes of key and with people writing, uploading and deleting the whole time. After each crash it is started
//! again; after each change of key everything is compared, from outside and in the database.
//!
//! Without arguments, among the other tests, it is the short form: a few points and moments on each kind of deployment. With
//! `--full` or `--rounds 40` it is the long one, with `--point finish.after_commit` one that dies there only. `--seed` repeats
//! the plan of an earlier run.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "../support/mod.rs"]
mod support;

mod calls;
mod database;
mod load;
mod model;
mod objects;
mod reading;
mod rounds;
mod seed;
mod server;
mod stack;

use ::server::crash::POINTS;
use rounds::{Moment, Plan};
use seed::Dice;
use stack::Stack;
use std::{
    collections::BTreeMap,
    env,
    process::ExitCode,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use support::Database;
use tokio::time::Instant;

/// What was found, or the first thing that must not be so.
type Checked<T = ()> = Result<T, String>;

/// Crashes at random moments in the full form, on both deployments together, and in each round of them.
const RANDOM: u32 = 200;
const RANDOM_A_ROUND: u32 = 4;
/// Rounds until a point counts as one that cannot be reached.
const ATTEMPTS: u32 = 5;
/// The short form takes so many points, of those that every change of key passes, and one round at random.
const SHORT_POINTS: usize = 4;
const PASSED_BY_ALL: [&str; 8] = [
    "control.after_swap",
    "fresh_keys.after_commit",
    "records.after_commit",
    "object.completed",
    "object.before_pointing",
    "object.pointed_at",
    "finish.before_commit",
    "collector.object_removed",
];
/// Rounds at a point that was named.
const POINT_ROUNDS: usize = 6;
/// Points that are passed more than once in a change of key.
const PASSED_OFTEN: [&str; 4] = ["records.", "object.", "file.", "collector."];
/// Points that only S3 has, and those that only files of the program's own have.
const ONLY_S3: [&str; 2] = ["object.upload_noted", "collector.upload_aborted"];
const ONLY_SQLITE: &str = "cleaning.";

/// What was asked for.
#[derive(Clone, Copy)]
enum Length {
    Short,
    Rounds(u32),
    /// Only at one point, again and again: to look closer at what another run has found.
    Point(&'static str),
    Full,
}

/// What was done and what was compared, counted.
#[derive(Default)]
pub struct Tally {
    crashes: BTreeMap<String, u64>,
    checked: BTreeMap<&'static str, u64>,
}

impl Tally {
    fn crashed(&mut self, at: &str) {
        *self.crashes.entry(at.to_owned()).or_default() += 1;
    }

    fn add(&mut self, what: &'static str, by: usize) {
        *self.checked.entry(what).or_default() += by as u64;
    }

    fn set(&mut self, what: &'static str, to: usize) {
        self.checked.insert(what, to as u64);
    }
}

fn main() -> ExitCode {
    let Some((length, seed)) = plan(env::args().skip(1)) else { return ExitCode::SUCCESS };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    println!("torture: seed {seed}");
    let ended = runtime.block_on(run(length, seed));
    runtime.shutdown_timeout(Duration::from_secs(5));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            println!("VIOLATED, seed {seed}: {what}");
            ExitCode::FAILURE
        }
    }
}

/// What the arguments ask for; nothing, if they are those of other tests.
fn plan(mut arguments: impl Iterator<Item = String>) -> Option<(Length, u64)> {
    let (mut length, mut seed) = (Length::Short, seed_of_now());
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().and_then(|number| number.parse().ok());
        match argument.as_str() {
            "--full" => length = Length::Full,
            "--rounds" => {
                let rounds = number().and_then(|rounds| u32::try_from(rounds).ok()).filter(|rounds| *rounds > 0);
                length = Length::Rounds(rounds.expect("--rounds takes a number from 1 up"));
            }
            "--point" => {
                let name = arguments.next().and_then(|name| POINTS.into_iter().find(|point| *point == name));
                length = Length::Point(name.expect("--point takes the name of a point"));
            }
            "--seed" => seed = number().expect("--seed takes a number"),
            "--list" => return None,
            "--test-threads" | "--skip" | "--format" | "--color" => {
                arguments.next();
            }
            name if name.starts_with('-') => {}
            // The name of a test, for all test programs: this one is none of theirs.
            name if !"torture".contains(name) => return None,
            _ => {}
        }
    }
    Some((length, seed))
}

#[expect(clippy::disallowed_methods, reason = "the one thing here that is to be different each time, and is printed")]
fn seed_of_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs() % 1_000_000_000)
}

async fn run(length: Length, seed: u64) -> Checked {
    tokio::try_join!(
        on_one("SQLite and a folder", Database::Sqlite, length, seed),
        on_one("PostgreSQL and S3", Database::Postgres, length, seed)
    )?;
    Ok(())
}

/// The whole torture of one deployment.
async fn on_one(name: &'static str, database: Database, length: Length, seed: u64) -> Checked {
    let points: Vec<&'static str> = POINTS
        .iter()
        .copied()
        .filter(|point| match database {
            Database::Postgres => !point.starts_with(ONLY_SQLITE),
            Database::Sqlite => !ONLY_S3.contains(point),
        })
        .collect();
    // A point that only the other deployment has.
    if matches!(length, Length::Point(point) if !points.contains(&point)) {
        return Ok(());
    }
    let mut stack = Stack::start(name, database, seed).await.map_err(|what| format!("{name}, at the start: {what}"))?;
    let moments = moments(length, &points, &mut Dice::of(seed, "the order"), matches!(database, Database::Postgres));
    let rounds = moments.len();
    for (number, moment) in (1..).zip(moments) {
        let (mut attempt, began) = (0, Instant::now());
        loop {
            let plan = Plan::around(again(moment, attempt), &mut stack, &points);
            let outcome = stack.round(plan).await;
            let reached = outcome.map_err(|what| {
                let log = stack.server.keep_log();
                format!("{name}, round {number}, attempt {attempt}, {plan:?}: {what}; the server's log is {log}")
            })?;
            attempt += 1;
            if reached {
                println!("{name}, {number} of {rounds}: {moment}, {:.0} s", began.elapsed().as_secs_f64());
                break;
            }
            if attempt == ATTEMPTS {
                return Err(format!("{name}: {moment} was not reached in {ATTEMPTS} rounds"));
            }
        }
    }
    print(&stack);
    let Stack { server, ground, load, .. } = stack;
    drop((server, load));
    ground.remove().await;
    Ok(())
}

/// The moments of a run, in order.
fn moments(length: Length, points: &[&'static str], dice: &mut Dice, second: bool) -> Vec<Moment> {
    let random = Moment::Random { times: RANDOM_A_ROUND };
    let mut at = |name: &'static str| {
        let often = PASSED_OFTEN.iter().any(|of| name.starts_with(of));
        Moment::Point { name, nth: if often { 1 + dice.below(3) } else { 1 } }
    };
    match length {
        Length::Full => {
            let mut all: Vec<_> = points.iter().map(|name| at(name)).collect();
            all.extend((0..RANDOM / 2 / RANDOM_A_ROUND).map(|_| random));
            all
        }
        Length::Point(name) => vec![Moment::Point { name, nth: 1 }; POINT_ROUNDS],
        // Other points on the second deployment than on the first, so that both together see twice as many.
        Length::Rounds(rounds) => {
            let from = if second { points.len() / 2 } else { 0 };
            let all = points.iter().cycle().skip(from).zip(0..rounds);
            all.map(|(name, n)| if n % 4 == 3 { random } else { at(name) }).collect()
        }
        Length::Short => {
            let from = usize::try_from(dice.below(PASSED_BY_ALL.len() as u64)).unwrap() + usize::from(second);
            let some = PASSED_BY_ALL.iter().cycle().skip(from).step_by(2).take(SHORT_POINTS);
            let mut all: Vec<_> = some.map(|name| Moment::Point { name, nth: 1 }).collect();
            all.push(Moment::Random { times: 2 });
            all
        }
    }
}

/// What is tried when a point was not reached: the first time that anybody passes it.
fn again(moment: Moment, attempt: u32) -> Moment {
    match moment {
        Moment::Point { name, .. } if attempt > 0 => Moment::Point { name, nth: 1 },
        moment => moment,
    }
}

fn print(stack: &Stack) {
    let total: u64 = stack.tally.crashes.values().sum();
    println!("{}: {total} crashes", stack.name);
    for (at, times) in &stack.tally.crashes {
        println!("  {times:6}  {at}");
    }
    println!("{}: what was checked", stack.name);
    for (what, times) in &stack.tally.checked {
        println!("  {times:12}  {what}");
    }
    println!("{}: what clients did", stack.name);
    for (what, times) in stack.caller.counts() {
        println!("  {times:12}  {what}");
    }
}
