//! The trials: the key is disabled through the KMS API, and later enabled again.
//!
//! The cut-off is the later of two moments, from the first refusal that any server was given: when the last client got the
//! last byte of opened data, and when the server itself says that it gave the last one to the kernel.

use super::{
    figures::{Kind, Report},
    fleet::{Fleet, PATIENCE, SERVERS, Server},
};
use crate::support::{
    kms_proxy::Answered,
    raw::{End, RawClient},
};
use std::{sync::atomic::Ordering, time::Duration};
use tokio::time::{Instant, sleep, timeout};
use vault::{Clock, SystemClock};

/// Clients of each server that ask for the file and stop reading.
const STALLED: usize = 2;
/// What the kernels hold for a stalled client at most, by far.
const BUFFERS: usize = 4 * 1024 * 1024;
/// What such a client reads before.
const BEGUN: usize = 300_000;
/// A server remembers a refusal for so long, and then needs no second one. A trial must not profit from the one before it.
const REMEMBERED: Duration = Duration::from_secs(10);
/// How long is listened for data that comes after all.
const QUIET: Duration = Duration::from_secs(2);

pub async fn run(fleet: &Fleet, trials: usize, report: &mut Report) {
    for trial in 0..trials {
        // So that it meets the interval between two checks at another place each time.
        let place = Duration::from_millis(1_000 + (trial as u64 * 1_370) % 5_000);
        sleep(if trial == 0 { place } else { REMEMBERED + place }).await;
        let cut_off = cut_off(fleet, Kind::CutOff, report).await;
        let restored = restore(fleet, report).await;
        println!(
            "trial {:>2}: access ended after {}, and was back after {}",
            trial + 1,
            said(&cut_off),
            said(&restored)
        );
    }
    let notes = fleet.notes().await;
    let mut acknowledged = 0;
    for server in &fleet.servers {
        let counts = &server.counts;
        let of = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
        acknowledged += of(&counts.notes);
        report.count(format!(
            "server {}: {} pages, {} notes and {} MiB given, {} downloads broken off, {} requests told of a lock, {} KMS calls",
            server.number + 1,
            of(&counts.pages),
            of(&counts.notes),
            of(&counts.bytes) >> 20,
            of(&counts.resets),
            of(&counts.locked),
            server.kms.mark(),
        ));
        report.check(of(&counts.resets) > 0, || format!("server {}: no download was cut", server.number + 1));
        report.check(of(&counts.locked) > 0, || format!("server {}: nobody was told of a lock", server.number + 1));
    }
    report.check(notes >= acknowledged, || format!("{notes} notes are stored, {acknowledged} were acknowledged"));
}

/// Disables the key and waits until all access has ended. Gives how long it took on each server.
pub async fn cut_off(fleet: &Fleet, kind: Kind, report: &mut Report) -> Vec<Duration> {
    for server in &fleet.servers {
        server.seen.forget();
    }
    fleet.until_served().await;
    let mut stalled = Vec::new();
    for server in &fleet.servers {
        for _ in 0..STALLED {
            stalled.push((server, stall(server, &fleet.content.file).await));
        }
    }
    let (at, at_ms) = (Instant::now(), SystemClock.wall_ms());
    fleet.disable_key().await;
    fleet.until_locked().await;
    sleep(QUIET).await;

    let refused = first(fleet, |server| server.kms.first_refusal(&fleet.key, at)).expect("a server was refused");
    let accounts = fleet.accounts(at_ms).await;
    report.check(accounts.len() == SERVERS, || format!("{} accounts of one lock", accounts.len()));
    let mut times = Vec::new();
    for server in &fleet.servers {
        let last = server.seen.last().expect("it was at load");
        report.check(last.elapsed() >= QUIET / 2, || format!("server {} goes on", server.number + 1));
        let by_clients = last.saturating_duration_since(refused.at);
        let address = server.program.address.to_string();
        let own = accounts.iter().filter(|event| event.server_name.ends_with(&address));
        let ended = own.filter_map(|event| event.ended_at).max().expect("each server has its own account");
        let by_account = Duration::from_millis(u64::try_from(ended - refused.at_ms).unwrap_or_default());
        times.push(by_clients.max(by_account));
    }
    for (server, time) in times.iter().enumerate() {
        report.time(kind, server, *time);
    }
    for (server, mut client) in stalled {
        let before = client.received;
        let end = client.end().await;
        let came = client.received - before;
        report.check(end == End::Reset && came < BUFFERS, || {
            format!("server {}: a stalled client saw {end:?} after {came} bytes", server.number + 1)
        });
    }
    times
}

/// Enables the key and waits until every server gives data. Gives how long it took on each.
pub async fn restore(fleet: &Fleet, report: &mut Report) -> Vec<Duration> {
    let at = Instant::now();
    fleet.enable_key().await;
    let served = fleet.until_served_since(at).await;
    let accepted = first(fleet, |server| server.kms.first_acceptance(&fleet.key, at)).expect("a server was accepted");
    let times: Vec<_> = served.iter().map(|first| first.saturating_duration_since(accepted.at)).collect();
    for (server, time) in times.iter().enumerate() {
        report.time(Kind::Restore, server, *time);
    }
    times
}

/// The first answer of its kind that any server was given.
fn first(fleet: &Fleet, of: impl Fn(&Server) -> Option<Answered>) -> Option<Answered> {
    fleet.servers.iter().filter_map(of).min_by_key(|answer| answer.at)
}

/// A download that has begun. A server whose database was away a moment ago may fail a request or two.
async fn stall(server: &Server, file: &str) -> RawClient {
    let patience = Instant::now() + PATIENCE;
    loop {
        let mut client = RawClient::get(&server.browser, server.program.address, file).await;
        while client.received < BEGUN && matches!(timeout(QUIET, client.piece()).await, Ok(None)) {}
        if client.received >= BEGUN {
            return client;
        }
        assert!(Instant::now() < patience, "server {}: no download begins", server.number + 1);
        sleep(Duration::from_millis(100)).await;
    }
}

fn said(times: &[Duration]) -> String {
    let said: Vec<_> = times.iter().map(|time| format!("{:.1}", time.as_secs_f64())).collect();
    format!("{} s", said.join(" "))
}
