//! The drill: three real servers at load, whose key is taken away and given back, again and again; then what can go wrong
//! meanwhile. It prints how long it took for access to end and to return, and fails when that is longer than promised.
//!
//! Without arguments, among the other tests, it is the short form: one trial a case, which asserts on what happens and not
//! on how long it takes. With `--trials 20` it is the long one, and its figures count.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "../support/mod.rs"]
mod support;

mod faults;
mod figures;
mod fleet;
mod load;
mod outages;
mod trials;

use figures::Report;
use fleet::Fleet;
use std::{env, process::ExitCode, time::Duration};

/// The shortest grace there is, so that the faults which wait for its end do not take for ever.
const SHORT_GRACE: Duration = Duration::from_secs(10);
/// What servers have if they are told nothing.
const USUAL_GRACE: Duration = Duration::from_mins(5);
/// Outages for each trial, up to this many.
const OUTAGES_PER_TRIAL: usize = 5;
const MOST_OUTAGES: usize = 100;
/// A round of faults for each so many trials.
const TRIALS_PER_ROUND: usize = 10;

/// What was asked for.
#[derive(Clone, Copy)]
struct Plan {
    trials: usize,
    /// Whether times are held against their bounds.
    measured: bool,
}

fn main() -> ExitCode {
    let Some(plan) = plan(env::args().skip(1)) else { return ExitCode::SUCCESS };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let broken = runtime.block_on(run(plan));
    runtime.shutdown_timeout(Duration::from_secs(5));
    for what in &broken {
        println!("BROKEN: {what}");
    }
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What the arguments ask for; nothing, if they are those of other tests.
fn plan(arguments: impl Iterator<Item = String>) -> Option<Plan> {
    let mut plan = Plan { trials: 1, measured: false };
    let mut arguments = arguments.peekable();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--trials" => {
                let trials = arguments.next().and_then(|trials| trials.parse().ok()).filter(|trials| *trials > 0);
                plan = Plan { trials: trials.expect("--trials takes a number from 1 up"), measured: true };
            }
            "--list" => return None,
            "--test-threads" | "--skip" | "--format" | "--color" => {
                arguments.next();
            }
            name if name.starts_with('-') => {}
            // The name of a test, for all test programs: this one is none of theirs.
            name if !"drill".contains(name) => return None,
            _ => {}
        }
    }
    Some(plan)
}

/// Everything, one after the other. Gives what was broken.
async fn run(plan: Plan) -> Vec<String> {
    let mut report = Report::new(plan.measured);
    let (rounds, outages) = (plan.trials.div_ceil(TRIALS_PER_ROUND), plan.trials * OUTAGES_PER_TRIAL);
    let outages = outages.min(MOST_OUTAGES);
    println!("drill: {} servers, {} trials, {rounds} rounds of faults, {outages} outages", fleet::SERVERS, plan.trials);

    let ground = fleet::filled_ground().await;
    if plan.measured {
        let fleet = Fleet::start(&ground, USUAL_GRACE).await;
        trials::run(&fleet, plan.trials, &mut report).await;
        fleet.stop().await;
        let fleet = Fleet::start(&ground, SHORT_GRACE).await;
        faults::run(&fleet, SHORT_GRACE, rounds, &mut report).await;
        fleet.stop().await;
        outages::run(outages, outages::LONGEST, &mut report).await;
    } else {
        // The same servers for all, and the outages beside them: nothing is measured.
        let fleet = Fleet::start(&ground, SHORT_GRACE).await;
        let mut outage_report = Report::new(false);
        let drill = async {
            trials::run(&fleet, plan.trials, &mut report).await;
            faults::run(&fleet, SHORT_GRACE, rounds, &mut report).await;
        };
        tokio::join!(drill, outages::run(outages, outages::SHORT, &mut outage_report));
        report.take(outage_report);
        fleet.stop().await;
    }
    fleet::remove(ground).await;
    report.print();
    report.broken()
}
