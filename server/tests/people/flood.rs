//! A flood of wrong passwords from one address, and somebody who signs in from another meanwhile. The figure is printed, not
//! asserted: it depends on the machine.

use crate::{
    steps::MEMBER,
    support::{Database, PASSWORD, TestApp},
};
use reqwest::header::ACCEPT;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

const A_SECOND: u64 = 500;

#[tokio::test(flavor = "multi_thread")]
async fn a_right_sign_in_gets_through_a_flood() {
    let app = TestApp::start_with(Database::Sqlite, |config| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    app.add_member(MEMBER).await;
    let (over, sent, refused) =
        (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let flood = {
        let (over, sent, refused) = (over.clone(), sent.clone(), refused.clone());
        let browser = app.browser();
        tokio::spawn(async move {
            let mut ticks = interval(Duration::from_micros(1_000_000 / A_SECOND));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            while !over.load(Ordering::Relaxed) {
                ticks.tick().await;
                let number = sent.fetch_add(1, Ordering::Relaxed);
                // Half of it against one account, half against ever others.
                let email =
                    if number.is_multiple_of(2) { MEMBER.to_owned() } else { format!("user{number}@example.com") };
                let fields = [("email", email.as_str()), ("password", "not the password"), ("next", "")];
                let request = browser.form("/api/sign_in", &fields).header(ACCEPT, "application/json");
                let (request, refused) = (request.header("x-forwarded-for", "203.0.113.66"), refused.clone());
                tokio::spawn(async move {
                    if request.send().await.is_ok_and(|answer| answer.status() == 429) {
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        })
    };
    sleep(Duration::from_secs(2)).await;
    let mut times = Vec::new();
    for host in 0..5 {
        let browser = app.browser();
        let fields = [("email", MEMBER), ("password", PASSWORD), ("next", "")];
        let request = browser.form("/api/sign_in", &fields).header(ACCEPT, "application/json");
        let began = Instant::now();
        let answer = browser.send(request.header("x-forwarded-for", format!("192.0.2.{host}"))).await;
        assert!(answer.status.is_success(), "{answer:?}");
        times.push(began.elapsed());
    }
    over.store(true, Ordering::Relaxed);
    flood.await.unwrap();
    let (sent, refused) = (sent.load(Ordering::Relaxed), refused.load(Ordering::Relaxed));
    println!(
        "under a flood of {A_SECOND} a second ({sent} sent, {refused} refused with 429): signed in within {times:?}"
    );
    app.stop().await;
}
