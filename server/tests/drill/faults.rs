//! What can go wrong while servers are at load: KMS is out of reach or throttles, a database line is cut, a process is
//! stopped and continued, and KMS cannot make up its mind.

use super::{
    figures::{Kind, Report},
    fleet::{Fleet, Server},
    trials,
};
use crate::support::kms_proxy::{Act, Operation, Rule};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long KMS throttles: shorter than the grace.
const THROTTLED: Duration = Duration::from_secs(5);
/// How long it flaps, once everything is locked.
const FLAPPING: Duration = Duration::from_secs(5);
/// How long a healthy server may give no data to any of its clients, on a machine that is busy with three of them.
const GAP: Duration = Duration::from_secs(4);
/// Beyond the grace: how long the end of access is waited for.
const BEYOND: Duration = Duration::from_secs(3);

pub async fn run(fleet: &Fleet, grace: Duration, rounds: usize, report: &mut Report) {
    for round in 0..rounds {
        for server in &fleet.servers {
            server.seen.forget();
        }
        throttled(fleet, report).await;
        unreachable(fleet, grace, report).await;
        cut_off_and_stopped(fleet, grace, round % 2 == 1, report).await;
        flapping(fleet, report).await;
    }
}

/// A while of throttling is not felt.
async fn throttled(fleet: &Fleet, report: &mut Report) {
    let from = Instant::now();
    for server in &fleet.servers {
        server.kms.set([Rule::all(Act::Fail(400, "ThrottlingException"))]);
    }
    while from.elapsed() < THROTTLED {
        for server in &fleet.servers {
            let lock = server.lock().await;
            report.check(lock == Ok(None), || format!("server {}: locked while throttled", server.number + 1));
        }
        sleep(Duration::from_millis(200)).await;
    }
    for server in &fleet.servers {
        server.kms.clear();
        let gap = server.seen.longest_gap(from, Instant::now());
        report.check(gap < GAP, || format!("server {}: no data for {gap:.1?} while throttled", server.number + 1));
    }
    until_checked(fleet).await;
    println!("throttled for {} s: nobody noticed", THROTTLED.as_secs());
}

/// KMS is out of reach for longer than the grace, for each server in another way.
async fn unreachable(fleet: &Fleet, grace: Duration, report: &mut Report) {
    let from = Instant::now();
    let ways = [Act::Reset, Act::Hang, Act::Fail(503, "ServiceUnavailableException")];
    for (server, way) in fleet.servers.iter().zip(ways) {
        server.kms.set([Rule::all(way)]);
    }
    fleet.until_locked().await;
    sleep(BEYOND).await;
    for server in &fleet.servers {
        let beyond = beyond(server, &fleet.key, from, grace);
        report.time(Kind::Unreachable, server.number, beyond);
        let face = server.lock().await.ok().flatten();
        let refused = face.as_ref().and_then(|face| face.refused_at);
        report.check(face.is_some() && refused.is_none(), || format!("server {}: {face:?}", server.number + 1));
    }
    let back = Instant::now();
    for server in &fleet.servers {
        server.kms.clear();
    }
    fleet.until_served_since(back).await;
    println!("KMS out of reach: access ended with the grace, and was back after {:.1?}", back.elapsed());
}

/// How long after the end of the grace a server last gave data. The grace runs from the last call that was answered well.
fn beyond(server: &Server, key: &str, trouble: Instant, grace: Duration) -> Duration {
    let renewed = server.kms.last_acceptance(key, trouble).expect("it was checked before");
    let last = server.seen.last().expect("it was at load");
    last.saturating_duration_since(renewed.at + grace)
}

/// One server cannot reach the database, another is stopped, and the first goes on as if nothing were.
async fn cut_off_and_stopped(fleet: &Fleet, grace: Duration, dark: bool, report: &mut Report) {
    let [healthy, alone, stopped] = &fleet.servers[..] else { unreachable!("there are three") };
    let from = Instant::now();
    if dark {
        alone.line.black_hole();
    } else {
        alone.line.cut();
    }
    stopped.program.freeze();
    alone.until_locked_without_sessions().await;
    sleep((grace + BEYOND).saturating_sub(from.elapsed())).await;
    report.time(Kind::NoDatabase, alone.number, beyond(alone, &fleet.key, from, grace));
    let gap = healthy.seen.longest_gap(from, Instant::now());
    report.check(gap < GAP, || format!("the healthy server gave no data for {gap:.1?}"));
    report.check(healthy.lock().await == Ok(None), || "the healthy server is locked".to_owned());

    // What clients took from the kernel meanwhile does not count: it was there when the process was stopped.
    let mark = stopped.kms.mark();
    let thawed = Instant::now();
    stopped.program.thaw();
    alone.line.restore();
    stopped.kms.until(mark, 2, "two checks after it went on", |call| call.is_check() && call.is_good()).await;
    let checks = stopped.kms.since(mark);
    let good = checks.iter().filter(|call| call.is_check() && call.is_good()).nth(1);
    let second = good.and_then(|call| call.answer.as_ref()).expect("it is there").at;
    let given = stopped.seen.between(thawed, second);
    report.check(given == 0, || format!("the stopped server gave data {given} times before two checks had passed"));
    let back = fleet.until_served_since(second.max(thawed)).await;
    let back: Vec<_> = back.iter().map(|first| format!("{:.1}", (*first - thawed).as_secs_f64())).collect();
    // Old connections may still hang in the dark: they are given up here.
    alone.line.cut();
    alone.line.restore();
    fleet.until_served().await;
    println!("one without database, one stopped: back after {} s, the third went on", back.join(" "));
}

/// After the key was disabled every other answer is still a good one: it locks and stays locked.
async fn flapping(fleet: &Fleet, report: &mut Report) {
    for server in &fleet.servers {
        server.kms.set([Rule::on(Operation::Decrypt, Act::Flap(vec![true, false])).scope("organization")]);
    }
    let took = trials::cut_off(fleet, Kind::CutOffWhileFlapping, report).await;
    let from = Instant::now();
    while from.elapsed() < FLAPPING {
        for server in &fleet.servers {
            let lock = server.lock().await;
            report
                .check(matches!(lock, Ok(Some(_))), || format!("server {}: unlocked amid refusals", server.number + 1));
        }
        sleep(Duration::from_millis(200)).await;
    }
    for server in &fleet.servers {
        let given = server.seen.between(from, Instant::now());
        report.check(given == 0, || format!("server {}: gave data {given} times while locked", server.number + 1));
        server.kms.clear();
    }
    trials::restore(fleet, report).await;
    let longest = took.iter().max().copied().unwrap_or_default();
    println!("flapping after it was disabled: access ended after {longest:.1?} and stayed so");
}

/// Waits until each server has passed a check more and gives data, so that one fault does not meet the end of another.
async fn until_checked(fleet: &Fleet) {
    let marks: Vec<_> = fleet.servers.iter().map(|server| server.kms.mark()).collect();
    for (server, mark) in fleet.servers.iter().zip(marks) {
        server.kms.until(mark, 1, "a check passes again", |call| call.is_check() && call.is_good()).await;
    }
    fleet.until_served().await;
}
