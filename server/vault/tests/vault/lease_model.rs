//! The lease against a model that remembers everything and is asked every tenth of a second, on random answers.

use crate::support::WALL_ZERO;
use proptest::prelude::*;
use std::time::Duration;
use vault::{Lease, Moment, Refusal, Verdict};

const GRACE: u64 = 200;
const WINDOW: u64 = 100;
const SUSPICION: u64 = 30;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answer {
    Pass,
    Refuse,
    Silence,
    Credentials,
    Damage,
}

/// All that was heard, with the tenth of a second in which it was.
#[derive(Default)]
struct Model {
    heard: Vec<(u64, Answer)>,
    /// When it was locked last; from the start at 0.
    locked_at: Option<u64>,
}

impl Model {
    fn new() -> Self {
        Self { heard: Vec::new(), locked_at: Some(0) }
    }

    /// How many successes end the list, counting back to `from`.
    fn row(&self, from: u64) -> usize {
        self.heard.iter().rev().take_while(|(at, answer)| *answer == Answer::Pass && *at >= from).count()
    }

    fn last(&self, answer: Answer) -> Option<u64> {
        self.heard.iter().rev().find(|(_, a)| *a == answer).map(|(at, _)| *at)
    }

    /// Whether two successes in a row have been heard after `from`.
    fn cleared_since(&self, from: u64) -> bool {
        let later: Vec<_> = self.heard.iter().filter(|(at, _)| *at > from).collect();
        later.windows(2).any(|pair| pair.iter().all(|(_, answer)| *answer == Answer::Pass))
    }

    fn time(&mut self, now: u64) {
        if self.locked_at.is_some() {
            return;
        }
        let lapsed = self.last(Answer::Pass).is_none_or(|sent| now >= sent + GRACE);
        let refused = self.last(Answer::Refuse);
        let in_doubt = refused.is_some_and(|at| now >= at + SUSPICION && !self.cleared_since(at));
        if lapsed || in_doubt {
            self.locked_at = Some(now);
        }
    }

    fn hear(&mut self, now: u64, answer: Answer) {
        self.time(now);
        let again = self.last(Answer::Refuse).is_some_and(|at| now - at <= WINDOW);
        self.heard.push((now, answer));
        let spoken = |(_, answer): &(u64, Answer)| !matches!(answer, Answer::Silence | Answer::Credentials);
        match self.locked_at {
            Some(since) => {
                let first_word = self.heard.iter().filter(|entry| spoken(entry)).count() == 1;
                let needed = if first_word { 1 } else { 2 };
                if self.row(since) >= needed {
                    self.locked_at = None;
                }
            }
            None if answer == Answer::Refuse && again => self.locked_at = Some(now),
            None => {}
        }
    }
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        5 => Just(Answer::Pass),
        2 => Just(Answer::Refuse),
        2 => Just(Answer::Silence),
        1 => Just(Answer::Credentials),
        1 => Just(Answer::Damage),
    ]
}

fn at(tenths: u64) -> Moment {
    let boot = Duration::from_millis(500_000 + tenths * 100);
    Moment { boot, wall_ms: WALL_ZERO + i64::try_from(boot.as_millis()).unwrap() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn the_lease_does_what_the_model_does(script in prop::collection::vec((1u64..60, answer()), 1..60)) {
        let mut lease = Lease::new(Duration::from_millis(GRACE * 100), at(0));
        let mut model = Model::new();
        let mut now = 0;
        for (wait, answer) in script {
            for _ in 0..wait {
                now += 1;
                lease.tick(at(now));
                model.time(now);
                prop_assert_eq!(lease.lock_state().is_some(), model.locked_at.is_some(), "time alone, at {}", now);
            }
            let verdict = match answer {
                Answer::Pass => Verdict::Passed,
                Answer::Refuse => {
                    Verdict::Refused { reason: Refusal::AccessDenied, code: String::new(), request_id: None }
                }
                Answer::Silence => Verdict::unreachable(),
                Answer::Credentials => Verdict::OwnCredentials { code: None, request_id: None },
                Answer::Damage => Verdict::Tampered { code: None, request_id: None },
            };
            lease.record(at(now), at(now), verdict);
            model.hear(now, answer);
            prop_assert_eq!(lease.lock_state().is_some(), model.locked_at.is_some(), "{:?} at {}", answer, now);
            // Never open past the grace, whatever model and lease agree on.
            if lease.lock_state().is_none() {
                let sent = model.last(Answer::Pass);
                prop_assert!(sent.is_some_and(|sent| now < sent + GRACE));
                prop_assert!(lease.deadline().is_some_and(|(end, _)| end > at(now).boot));
            }
        }
    }
}
