//! Every class of answer, on a clock held by hand. Each case is a script: what happens at which second.

use crate::support::WALL_ZERO;
use std::time::Duration;
use vault::{Lease, LockCause, LockState, Moment, Refusal, Transition, Verdict};

const GRACE: u64 = 300;

fn at(seconds: f64) -> Moment {
    let boot = Duration::from_secs(1000) + Duration::from_secs_f64(seconds);
    Moment { boot, wall_ms: WALL_ZERO + i64::try_from(boot.as_millis()).unwrap() }
}

fn wall(seconds: f64) -> i64 {
    at(seconds).wall_ms
}

/// What is done to the lease.
#[derive(Clone, Copy)]
enum Do {
    Pass,
    Refuse(Refusal),
    Credentials,
    Silence,
    Damage,
    Tick,
}
use Do::{Credentials, Damage, Pass, Refuse, Silence, Tick};

const NO: Do = Refuse(Refusal::Disabled);

impl Do {
    fn verdict(self) -> Option<Verdict> {
        let request_id = Some("request".to_owned());
        let code = |code: &str| Some(code.to_owned());
        Some(match self {
            Self::Pass => Verdict::Passed,
            Self::Refuse(reason) => Verdict::Refused { reason, code: format!("{reason:?}"), request_id },
            Self::Credentials => Verdict::OwnCredentials { code: code("ExpiredTokenException"), request_id },
            Self::Silence => Verdict::unreachable(),
            Self::Damage => Verdict::Tampered { code: code("InvalidCiphertextException"), request_id },
            Self::Tick => return None,
        })
    }
}

/// What the lease is after a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Is {
    Open,
    Suspect,
    Locked(LockCause),
}
use Is::{Locked, Open, Suspect};

const REFUSED: Is = Locked(LockCause::Refused(Refusal::Disabled));
const STARTING: Is = Locked(LockCause::Starting);
const UNREACHABLE: Is = Locked(LockCause::Unreachable);
const UNKNOWN_TO_AWS: Is = Locked(LockCause::OwnCredentials);
const DAMAGED: Is = Locked(LockCause::Damaged);

fn new() -> Lease {
    Lease::new(Duration::from_secs(GRACE), at(0.0))
}

fn is(lease: &Lease) -> Is {
    match lease.lock_state() {
        Some(state) => Locked(state.cause),
        None if lease.is_suspect() => Suspect,
        None => Open,
    }
}

fn step(lease: &mut Lease, seconds: f64, what: Do) -> Transition {
    match what.verdict() {
        Some(verdict) => lease.record(at(seconds), at(seconds), verdict),
        None => lease.tick(at(seconds)),
    }
}

/// What happens at which second, and what the lease is then.
type Script<'a> = &'a [(f64, Do, Is)];

fn play_all(cases: &[(&str, Script<'_>)]) {
    for (name, script) in cases {
        let mut lease = new();
        for (seconds, what, expected) in *script {
            step(&mut lease, *seconds, *what);
            assert_eq!(is(&lease), *expected, "{name}, at {seconds} s");
        }
    }
}

#[test]
fn from_the_start() {
    play_all(&[
        ("one success opens from the start", &[(1.0, Pass, Open)]),
        ("silence at the start, then one success", &[(1.0, Silence, UNREACHABLE), (2.0, Pass, Open)]),
        ("no credentials at the start, then one success", &[(1.0, Credentials, UNKNOWN_TO_AWS), (2.0, Pass, Open)]),
        ("refused at the start: two are needed", &[(1.0, NO, REFUSED), (2.0, Pass, REFUSED), (3.0, Pass, Open)]),
        ("damaged at the start: two are needed", &[(1.0, Damage, DAMAGED), (2.0, Pass, DAMAGED), (3.0, Pass, Open)]),
        ("nothing happens at the start", &[(900.0, Tick, STARTING)]),
    ]);
}

#[test]
fn the_second_refusal_locks() {
    play_all(&[
        ("suspect at the first, locked at the second", &[(0.0, Pass, Open), (5.0, NO, Suspect), (6.0, NO, REFUSED)]),
        (
            "another kind of refusal confirms too",
            &[(0.0, Pass, Open), (5.0, NO, Suspect), (6.0, Refuse(Refusal::NotFound), REFUSED)],
        ),
        (
            "the second counts whatever lies between",
            &[
                (0.0, Pass, Open),
                (5.0, NO, Suspect),
                (6.0, Pass, Suspect),
                (7.0, Pass, Open),
                (12.0, Pass, Open),
                (15.0, NO, REFUSED),
            ],
        ),
        (
            "after 10 s it is a first one again",
            &[(0.0, Pass, Open), (5.0, NO, Suspect), (6.0, Pass, Suspect), (7.0, Pass, Open), (15.1, NO, Suspect)],
        ),
    ]);
}

#[test]
fn suspicion() {
    play_all(&[
        (
            "suspicion without an answer locks after 3 s",
            &[(0.0, Pass, Open), (5.0, NO, Suspect), (7.9, Tick, Suspect), (8.0, Tick, REFUSED)],
        ),
        (
            "silence while suspect does not help",
            &[
                (0.0, Pass, Open),
                (5.0, NO, Suspect),
                (6.0, Silence, Suspect),
                (7.0, Credentials, Suspect),
                (8.0, Silence, REFUSED),
            ],
        ),
        (
            "successes must be in a row",
            &[
                (0.0, Pass, Open),
                (5.0, NO, Suspect),
                (6.0, Pass, Suspect),
                (6.5, Silence, Suspect),
                (7.0, Pass, Suspect),
                (7.5, Pass, Open),
            ],
        ),
        (
            "one success is not enough for suspicion",
            &[(0.0, Pass, Open), (5.0, NO, Suspect), (6.0, Pass, Suspect), (8.0, Tick, REFUSED)],
        ),
        (
            "the success that comes too late finds it locked",
            &[(0.0, Pass, Open), (5.0, NO, Suspect), (6.0, Pass, Suspect), (8.5, Pass, REFUSED), (9.5, Pass, Open)],
        ),
        (
            "damage while suspect does not help",
            &[(0.0, Pass, Open), (5.0, NO, Suspect), (6.0, Damage, Suspect), (8.0, Tick, REFUSED)],
        ),
        (
            "the lease's end before suspicion's is the refusal's",
            &[(0.0, Pass, Open), (299.0, NO, Suspect), (300.0, Tick, REFUSED)],
        ),
    ]);
}

#[test]
fn no_answer_and_own_credentials() {
    play_all(&[
        (
            "silence lets the lease run to its end",
            &[(0.0, Pass, Open), (5.0, Silence, Open), (299.9, Silence, Open), (300.0, Tick, UNREACHABLE)],
        ),
        (
            "so do our own credentials",
            &[(0.0, Pass, Open), (5.0, Credentials, Open), (299.9, Credentials, Open), (300.0, Tick, UNKNOWN_TO_AWS)],
        ),
        (
            "silence after bad credentials explains nothing better",
            &[
                (0.0, Pass, Open),
                (5.0, Credentials, Open),
                (6.0, Silence, Open),
                (300.0, Tick, UNKNOWN_TO_AWS),
                (301.0, Silence, UNKNOWN_TO_AWS),
            ],
        ),
        (
            "bad credentials explain a lock for silence, and are no refusal",
            &[(0.0, Pass, Open), (300.0, Tick, UNREACHABLE), (301.0, Credentials, UNKNOWN_TO_AWS)],
        ),
        (
            "a success among the silence renews",
            &[
                (0.0, Pass, Open),
                (5.0, Silence, Open),
                (200.0, Pass, Open),
                (499.9, Tick, Open),
                (500.0, Tick, UNREACHABLE),
            ],
        ),
    ]);
}

#[test]
fn damaged_answers() {
    play_all(&[
        (
            "damage does not renew, and has its own face",
            &[(0.0, Pass, Open), (5.0, Damage, Open), (299.9, Damage, Open), (300.0, Tick, DAMAGED)],
        ),
        (
            "silence after damage is still damage",
            &[(0.0, Pass, Open), (5.0, Damage, Open), (6.0, Silence, Open), (300.0, Tick, DAMAGED)],
        ),
        (
            "a success after damage ends the story",
            &[
                (0.0, Pass, Open),
                (5.0, Damage, Open),
                (6.0, Pass, Open),
                (7.0, Silence, Open),
                (306.0, Tick, UNREACHABLE),
            ],
        ),
    ]);
}

#[test]
fn unlocking_and_its_causes() {
    play_all(&[
        (
            "silence takes no refusal back",
            &[
                (0.0, Pass, Open),
                (5.0, NO, Suspect),
                (6.0, NO, REFUSED),
                (7.0, Silence, REFUSED),
                (8.0, Credentials, REFUSED),
            ],
        ),
        (
            "a refusal explains a lock for silence",
            &[
                (0.0, Pass, Open),
                (300.0, Tick, UNREACHABLE),
                (301.0, NO, REFUSED),
                (302.0, Damage, DAMAGED),
                (303.0, Silence, DAMAGED),
                (304.0, Refuse(Refusal::AccessDenied), Locked(LockCause::Refused(Refusal::AccessDenied))),
            ],
        ),
        (
            "two in a row unlock, and the refusal before still counts",
            &[
                (0.0, Pass, Open),
                (5.0, NO, Suspect),
                (6.0, NO, REFUSED),
                (7.0, Pass, REFUSED),
                (8.0, Pass, Open),
                (9.0, NO, REFUSED),
            ],
        ),
        (
            "unlocking takes two in a row",
            &[
                (0.0, Pass, Open),
                (300.0, Tick, UNREACHABLE),
                (301.0, Pass, UNREACHABLE),
                (302.0, Silence, UNREACHABLE),
                (303.0, Pass, UNREACHABLE),
                (304.0, Pass, Open),
            ],
        ),
    ]);
}

#[test]
fn the_lease_counts_from_when_the_call_was_sent() {
    let mut lease = new();
    assert_eq!(lease.record(at(2.0), at(0.0), Verdict::Passed), Transition::Unlocked);
    assert_eq!(lease.tick(at(299.9)), Transition::Unchanged);
    assert!(matches!(lease.tick(at(300.0)), Transition::Locked(_)));
}

#[test]
fn an_answer_that_took_longer_than_the_grace_opens_nothing() {
    let mut lease = new();
    assert_eq!(lease.record(at(301.0), at(1.0), Verdict::Passed), Transition::Unchanged);
    assert_eq!(is(&lease), STARTING);
}

#[test]
fn answers_out_of_order_do_not_shorten_the_lease() {
    let mut lease = new();
    lease.record(at(20.0), at(19.0), Verdict::Passed);
    lease.record(at(21.0), at(10.0), Verdict::Passed);
    assert_eq!(lease.tick(at(318.9)), Transition::Unchanged);
}

#[test]
fn a_success_sent_before_a_refusal_says_nothing() {
    let mut lease = new();
    step(&mut lease, 0.0, Pass);
    lease.record(at(10.2), at(10.0), NO.verdict().unwrap());
    assert_eq!(lease.record(at(10.3), at(9.0), Verdict::Passed), Transition::Unchanged);
    assert_eq!(lease.record(at(10.4), at(10.3), Verdict::Passed), Transition::Unchanged);
    assert_eq!(is(&lease), Suspect);
    assert_eq!(lease.record(at(10.5), at(10.4), Verdict::Passed), Transition::Cleared);
}

#[test]
fn a_wall_clock_that_ran_ahead_voids_it() {
    let ahead = |seconds: f64, ms: i64| Moment { wall_ms: wall(seconds) + ms, ..at(seconds) };
    let mut lease = new();
    step(&mut lease, 0.0, Pass);
    assert_eq!(lease.tick(ahead(1.0, 30_000)), Transition::Unchanged);
    assert_eq!(lease.tick(ahead(1.0, -3_600_000)), Transition::Unchanged);
    assert!(matches!(lease.tick(ahead(1.0, 30_001)), Transition::Locked(_)));
    assert_eq!(is(&lease), Locked(LockCause::ClockJumped));
    // A check that was under way meanwhile does not count, two from now on do.
    lease.record(ahead(2.0, 40_000), at(1.9), Verdict::Passed);
    lease.record(ahead(3.0, 40_000), ahead(2.9, 40_000), Verdict::Passed);
    assert_eq!(is(&lease), Locked(LockCause::ClockJumped));
    lease.record(ahead(4.0, 40_000), ahead(3.9, 40_000), Verdict::Passed);
    assert_eq!(is(&lease), Open);
    assert_eq!(lease.tick(ahead(100.0, 40_000)), Transition::Unchanged);
}

#[test]
fn the_account_of_a_refusal_is_that_of_the_first_one() {
    let mut lease = new();
    step(&mut lease, 0.0, Pass);
    assert_eq!(step(&mut lease, 5.0, NO), Transition::Suspected);
    let locked = LockState {
        cause: LockCause::Refused(Refusal::Disabled),
        since: wall(6.0),
        refused_at: Some(wall(5.0)),
        code: Some("Disabled".to_owned()),
        request_id: Some("request".to_owned()),
    };
    assert_eq!(step(&mut lease, 6.0, NO), Transition::Locked(locked.clone()));
    assert_eq!(step(&mut lease, 7.0, NO), Transition::Unchanged);
    // The owner schedules its deletion: the cause is new, the times are not.
    let deleted =
        LockState { cause: LockCause::Refused(Refusal::InvalidState), code: Some("InvalidState".to_owned()), ..locked };
    assert_eq!(step(&mut lease, 8.0, Refuse(Refusal::InvalidState)), Transition::CauseChanged(deleted));
    step(&mut lease, 9.0, Pass);
    assert_eq!(step(&mut lease, 10.0, Pass), Transition::Unlocked);
    // The refusal that led to the lock which is over makes the next one the second, but its account is the new one's.
    let Transition::Locked(again) = step(&mut lease, 11.0, NO) else { panic!("it must lock") };
    assert_eq!((again.since, again.refused_at), (wall(11.0), Some(wall(11.0))));
}

#[test]
fn a_lock_found_late_is_dated_when_it_was() {
    let mut lease = new();
    step(&mut lease, 0.0, Pass);
    step(&mut lease, 10.0, Credentials);
    let Transition::Locked(state) = step(&mut lease, 420.0, Tick) else { panic!("it must have run out") };
    assert_eq!((state.since, state.refused_at), (wall(300.0), None));
    assert_eq!(state.code.as_deref(), Some("ExpiredTokenException"));
}

#[test]
fn checks_come_faster_when_they_matter() {
    let (every, mut lease) = (Duration::from_secs(5), new());
    let next = |lease: &Lease, jitter| lease.next_check_after(every, jitter);
    assert_eq!(next(&lease, 0.5), Duration::from_secs(1));
    step(&mut lease, 0.0, Pass);
    assert_eq!(next(&lease, 0.0), Duration::from_secs(4));
    assert_eq!(next(&lease, 0.5), Duration::from_secs(5));
    assert_eq!(next(&lease, 1.0), Duration::from_secs(6));
    assert_eq!(next(&lease, 7.0), Duration::from_secs(6));
    step(&mut lease, 1.0, Silence);
    assert_eq!(next(&lease, 0.5), Duration::from_secs(5));
    step(&mut lease, 2.0, NO);
    assert_eq!(next(&lease, 0.5), Duration::from_secs(1));
    step(&mut lease, 3.0, NO);
    assert_eq!(next(&lease, 0.5), Duration::from_secs(1));
}
