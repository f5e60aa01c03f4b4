//! The ring under the lease: what a lock takes back, and what never comes in after it.

use crate::support::{Counting, SCOPE, admit, deployment, key_id, loose_key, open_vault, pass, refuse};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use uuid::Uuid;
use vault::{
    Clock, DataKey, LockCause, Locked, OpenError, Opener, PREFIX_LEN, Place, Scope, SealError, Sealer, Standing, TERM,
    Transition, Vault, Verdict, open, seal,
};

fn place(vault: &Vault) -> Place<'_> {
    Place::object(vault.deployment(), SCOPE, Uuid::from_u128(7))
}

/// An object of one byte.
fn object(vault: &Vault, key: &DataKey) -> Vec<u8> {
    let (mut sealer, prefix) = Sealer::new(key, &place(vault), vault.entropy()).unwrap();
    let mut whole = prefix.to_vec();
    sealer.push(b"x", &mut whole).unwrap();
    sealer.finish(&mut whole).unwrap();
    whole
}

/// Lets time pass with a key check each minute.
fn keep_open(vault: &Vault, clock: &crate::support::HandClock, time: Duration) {
    let mut left = time;
    while !left.is_zero() {
        let step = left.min(Duration::from_mins(1));
        clock.pass(step);
        pass(vault);
        left -= step;
    }
}

fn usable(vault: &Vault, key: &DataKey) -> bool {
    let place = Place::object(vault.deployment(), Scope::Organization, Uuid::from_u128(1));
    match seal(key, &place, b"x", vault.entropy()) {
        Ok(sealed) => open(key, &place, &sealed).is_ok(),
        Err(error) => {
            assert_eq!(error, SealError::Locked);
            let any = [b"KS\x01\x00".as_slice(), key.id().0.as_bytes(), &[0; 72]].concat();
            assert_eq!(open(key, &place, &any).unwrap_err(), OpenError::Locked);
            false
        }
    }
}

#[test]
fn it_starts_locked_and_takes_nothing() {
    let clock = crate::support::HandClock::new();
    let vault = Vault::new(deployment("acme"), clock, Arc::new(Counting::from(0)), Duration::from_mins(5));
    assert!(!vault.is_open());
    assert_eq!(vault.lock_state().unwrap().cause, LockCause::Starting);
    let epoch = vault.epoch();
    assert_eq!(admit(&vault, epoch, loose_key(1, 1)).err(), Some(Locked));
    assert_eq!(vault.key(key_id(1)).err(), Some(Locked));
    // The very unwrap that was the first check may bring its key along.
    assert_eq!(pass(&vault), Transition::Unlocked);
    assert!(admit(&vault, epoch, loose_key(1, 1)).is_ok());
    assert_eq!(vault.lock_state(), None);
}

#[test]
fn a_key_works_in_a_ring_only() {
    let (vault, _) = open_vault();
    let key = loose_key(1, 1);
    assert!(!usable(&vault, &key));
    let key = admit(&vault, vault.epoch(), key).unwrap();
    assert!(usable(&vault, &key));
    assert!(Arc::ptr_eq(&key, &vault.key(key_id(1)).unwrap().unwrap()));
    assert!(vault.key(key_id(2)).unwrap().is_none());
}

#[test]
fn a_lock_takes_keys_back_from_those_who_hold_them() {
    let (vault, clock) = open_vault();
    let mut watch = vault.watch();
    assert_eq!(*watch.borrow_and_update(), Standing::Open);
    let before = vault.epoch();
    let held = admit(&vault, before, loose_key(1, 1)).unwrap();
    assert_eq!(refuse(&vault), Transition::Suspected);
    assert!(vault.standing() == Standing::Suspect && usable(&vault, &held));
    assert!(matches!(refuse(&vault), Transition::Locked(_)));
    assert!(!vault.is_open() && !usable(&vault, &held));
    assert!(watch.has_changed().unwrap());
    assert_eq!(*watch.borrow_and_update(), Standing::Locked);
    assert_eq!(vault.key(key_id(1)).err(), Some(Locked));

    clock.pass(Duration::from_secs(1));
    assert_eq!(pass(&vault), Transition::Unchanged);
    assert_eq!(pass(&vault), Transition::Unlocked);
    assert_eq!(*watch.borrow_and_update(), Standing::Open);
    // Open again, and the ring is empty; what was held is useless for good, what was under way stays outside.
    assert!(vault.key(key_id(1)).unwrap().is_none());
    assert!(!usable(&vault, &held));
    assert_eq!(admit(&vault, before, loose_key(1, 1)).err(), Some(Locked));
    let again = admit(&vault, vault.epoch(), loose_key(1, 1)).unwrap();
    assert!(usable(&vault, &again) && !usable(&vault, &held));
}

#[test]
fn the_clock_alone_ends_every_use() {
    let (vault, clock) = open_vault();
    let held = admit(&vault, vault.epoch(), loose_key(1, 1)).unwrap();
    let epoch = vault.epoch();
    clock.pass(Duration::from_millis(299_999));
    assert!(vault.is_open() && usable(&vault, &held));
    clock.pass(Duration::from_millis(1));
    // Nobody has ticked.
    assert!(!vault.is_open() && !usable(&vault, &held));
    assert_eq!(vault.key(key_id(1)).err(), Some(Locked));
    assert_eq!(admit(&vault, epoch, loose_key(2, 2)).err(), Some(Locked));
    assert_eq!(*vault.watch().borrow(), Standing::Open);
    let state = vault.lock_state().unwrap();
    assert_eq!((state.cause, state.since), (LockCause::Unreachable, clock.wall_ms()));
    assert_eq!(*vault.watch().borrow(), Standing::Locked);
}

#[test]
fn suspicion_ends_by_the_clock_too() {
    let (vault, clock) = open_vault();
    let held = admit(&vault, vault.epoch(), loose_key(1, 1)).unwrap();
    refuse(&vault);
    clock.pass(Duration::from_millis(2_999));
    assert!(usable(&vault, &held));
    clock.pass(Duration::from_millis(1));
    assert!(!usable(&vault, &held));
}

#[test]
fn a_machine_that_was_frozen_wakes_locked() {
    let (vault, clock) = open_vault();
    let held = admit(&vault, vault.epoch(), loose_key(1, 1)).unwrap();
    clock.freeze(Duration::from_secs(30));
    assert!(usable(&vault, &held));
    clock.freeze(Duration::from_millis(1));
    assert!(!vault.is_open() && !usable(&vault, &held));
    assert_eq!(vault.lock_state().unwrap().cause, LockCause::ClockJumped);
}

#[test]
fn a_key_is_forgotten_alone() {
    let (vault, _) = open_vault();
    let before = vault.epoch();
    let one = admit(&vault, before, loose_key(1, 1)).unwrap();
    let two = admit(&vault, before, loose_key(2, 2)).unwrap();
    vault.forget(key_id(1));
    assert!(!usable(&vault, &one) && usable(&vault, &two));
    assert!(vault.key(key_id(1)).unwrap().is_none());
    // An unwrap that was under way meanwhile stays outside, others come in.
    assert_eq!(admit(&vault, before, loose_key(1, 1)).err(), Some(Locked));
    assert!(admit(&vault, before, loose_key(3, 3)).is_ok());
    assert!(admit(&vault, vault.epoch(), loose_key(1, 1)).is_ok());
    vault.forget_all();
    assert!(!usable(&vault, &two) && vault.is_open());
    assert_eq!(admit(&vault, before, loose_key(2, 2)).err(), Some(Locked));
    assert!(admit(&vault, vault.epoch(), loose_key(2, 2)).is_ok());
}

#[test]
fn a_key_unwrapped_again_is_the_same_key_with_a_new_term() {
    let (vault, clock) = open_vault();
    let key = admit(&vault, vault.epoch(), loose_key(1, 1)).unwrap();
    let first = vault.held()[0];
    assert_eq!((first.id, first.scope, first.sent, first.in_use), (key_id(1), SCOPE, clock.boot(), false));
    assert!(usable(&vault, &key));
    assert!(vault.held()[0].in_use);
    keep_open(&vault, &clock, Duration::from_mins(4));
    let again = admit(&vault, vault.epoch(), loose_key(1, 1)).unwrap();
    assert!(Arc::ptr_eq(&key, &again));
    let second = vault.held()[0];
    assert_eq!((second.sent, second.in_use), (clock.boot(), false));
    // An answer that comes late makes the term no shorter.
    vault.admit(vault.epoch(), loose_key(1, 1), SCOPE, first.sent).unwrap();
    assert_eq!(vault.held()[0].sent, second.sent);
}

#[test]
fn a_key_ends_with_its_term_though_the_lease_goes_on() {
    let (vault, clock) = open_vault();
    let sent = clock.boot();
    let key = admit(&vault, vault.epoch(), loose_key(1, 1)).unwrap();
    let sealed = object(&vault, &key);
    let opener = Opener::new(&key, &place(&vault), &sealed[..PREFIX_LEN], 1).unwrap();
    keep_open(&vault, &clock, TERM.saturating_sub(Duration::from_millis(1)));
    assert!(usable(&vault, &key) && opener.leash().is_live());
    clock.pass(Duration::from_millis(1));
    assert!(vault.is_open());
    assert!(!usable(&vault, &key) && !opener.leash().is_live());
    // The answer to a call that was sent before does not bring it back.
    assert_eq!(vault.admit(vault.epoch(), loose_key(1, 1), SCOPE, sent).err(), Some(Locked));
    admit(&vault, vault.epoch(), loose_key(1, 1)).unwrap();
    assert!(usable(&vault, &key) && opener.leash().is_live());
}

#[test]
fn a_stream_keeps_its_key_in_use_and_ends_when_the_scope_is_revoked() {
    let (vault, _) = open_vault();
    let (one, other) = (Scope::Workspace(Uuid::from_u128(1)), Scope::Workspace(Uuid::from_u128(2)));
    let before = vault.epoch();
    let now = || vault.clock().boot();
    let key = vault.admit(before, loose_key(1, 1), one, now()).unwrap();
    let others = vault.admit(before, loose_key(2, 2), other, now()).unwrap();
    let sealed = object(&vault, &key);
    let opener = Opener::new(&key, &place(&vault), &sealed[..PREFIX_LEN], 1).unwrap();
    vault.admit(vault.epoch(), loose_key(1, 1), one, now()).unwrap();
    let held = |id| vault.held().into_iter().find(|held| held.id == key_id(id)).unwrap();
    assert!(held(1).in_use && !held(2).in_use);
    let mut told = vault.revocations();
    told.mark_unchanged();

    vault.revoke(one);
    assert!(told.has_changed().unwrap());
    assert!(!opener.leash().is_live() && !usable(&vault, &key));
    assert!(vault.key(key_id(1)).unwrap().is_none());
    assert!(vault.is_open() && usable(&vault, &others), "the rest works on");
    // An unwrap that was asked for before does not bring it back; one asked for now does, for new streams only.
    assert_eq!(vault.admit(before, loose_key(1, 1), one, now()).err(), Some(Locked));
    assert!(vault.admit(before, loose_key(3, 3), other, now()).is_ok());
    let again = vault.admit(vault.epoch(), loose_key(1, 1), one, now()).unwrap();
    assert!(usable(&vault, &again) && !opener.leash().is_live());
}

#[test]
fn a_stream_goes_on_under_another_key_of_its_scope() {
    let (vault, clock) = open_vault();
    let old = admit(&vault, vault.epoch(), loose_key(1, 1)).unwrap();
    let sealed = object(&vault, &old);
    let opener = Opener::new(&old, &place(&vault), &sealed[..PREFIX_LEN], 1).unwrap();
    drop(old);
    keep_open(&vault, &clock, Duration::from_mins(8));
    admit(&vault, vault.epoch(), loose_key(2, 2)).unwrap();
    vault.forget(key_id(1));
    assert!(vault.held()[0].in_use, "the stream keeps its scope in use");
    keep_open(&vault, &clock, Duration::from_mins(8));
    assert!(opener.leash().is_live() && vault.without_key().is_empty());
    vault.forget(key_id(2));
    assert_eq!(vault.without_key(), [SCOPE], "the stream goes on, and nothing renews its term");
    admit(&vault, vault.epoch(), loose_key(3, 3)).unwrap();
    keep_open(&vault, &clock, Duration::from_mins(9));
    assert!(opener.leash().is_live());
    keep_open(&vault, &clock, Duration::from_mins(1));
    assert!(!opener.leash().is_live());
    drop(opener);
    vault.forget(key_id(3));
    assert!(vault.held().is_empty() && vault.without_key().is_empty() && vault.leash_of(SCOPE).is_none());
}

#[test]
fn a_key_that_somebody_has_just_taken_is_not_forgotten_as_unused() {
    let (vault, _) = open_vault();
    let key = admit(&vault, vault.epoch(), loose_key(1, 1)).unwrap();
    assert!(!vault.held()[0].in_use);
    vault.key(key_id(1)).unwrap().unwrap();
    vault.forget_unused(key_id(1));
    assert!(usable(&vault, &key));
    // Renewed, and nobody has used it since.
    admit(&vault, vault.epoch(), loose_key(1, 1)).unwrap();
    vault.forget_unused(key_id(1));
    assert!(vault.held().is_empty() && !usable(&vault, &key));
}

#[test]
fn the_organization_has_no_term_beside_the_lease() {
    let clock = crate::support::HandClock::new();
    let quarter = Duration::from_mins(15);
    let vault = Vault::new(deployment("acme"), clock.clone(), Arc::new(Counting::from(0)), quarter);
    let (epoch, sent) = (vault.epoch(), clock.boot());
    pass(&vault);
    let key = vault.admit(epoch, loose_key(1, 1), Scope::Organization, sent).unwrap();
    clock.pass(quarter.saturating_sub(Duration::from_millis(1)));
    assert!(usable(&vault, &key), "AWS cannot be reached, and the grace has not run out");
    clock.pass(Duration::from_millis(1));
    assert!(!usable(&vault, &key));
}

#[test]
fn what_was_made_under_one_lease_ends_with_it_whatever_comes_after() {
    let (vault, clock) = open_vault();
    let leash = vault.leash().unwrap();
    let locks = vault.locks();
    assert!(leash.is_live());
    refuse(&vault);
    assert!(leash.is_live());
    refuse(&vault);
    assert!(!leash.is_live() && vault.leash().is_none() && vault.locks() == locks + 1);
    pass_twice(&vault, &clock);
    assert!(!leash.is_live() && vault.leash().unwrap().is_live());
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_the_lock_is_told() {
    let (vault, clock) = open_vault();
    let told = Arc::new(AtomicBool::new(false));
    let wait = || {
        let (vault, told) = (Arc::clone(&vault), Arc::clone(&told));
        tokio::spawn(async move {
            vault.locked().await;
            told.store(true, Ordering::SeqCst);
        })
    };
    // By a refusal, at once.
    let waiting = wait();
    tokio::task::yield_now().await;
    refuse(&vault);
    tokio::task::yield_now().await;
    assert!(!told.load(Ordering::SeqCst));
    refuse(&vault);
    tokio::task::yield_now().await;
    waiting.await.unwrap();
    // While locked, without waiting.
    vault.locked().await;
    // And when the lease simply runs out.
    pass_twice(&vault, &clock);
    told.store(false, Ordering::SeqCst);
    let waiting = wait();
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(!told.load(Ordering::SeqCst));
    clock.pass(Duration::from_mins(5));
    waiting.await.unwrap();
    assert!(told.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
async fn time_is_kept_while_nobody_asks() {
    let (vault, clock) = open_vault();
    let keeping = Arc::clone(&vault);
    let keeper = tokio::spawn(async move { keeping.keep_time().await });
    let mut watch = vault.watch();
    watch.mark_unchanged();
    clock.pass(Duration::from_secs(301));
    watch.changed().await.unwrap();
    assert_eq!(*watch.borrow(), Standing::Locked);
    keeper.abort();
}

fn pass_twice(vault: &Vault, clock: &crate::support::HandClock) {
    for _ in 0..2 {
        clock.pass(Duration::from_secs(1));
        pass(vault);
    }
    assert!(vault.is_open());
}

/// Threads that use keys while another locks and unlocks: no use begins after a lock has returned.
#[test]
fn no_use_outlives_a_lock() {
    let (vault, clock) = open_vault();
    for _ in 0..50 {
        let key = admit(&vault, vault.epoch(), loose_key(1, 1)).unwrap();
        let locked = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let user = scope.spawn(|| {
                loop {
                    let was_locked = locked.load(Ordering::SeqCst);
                    let used = usable(&vault, &key);
                    assert!(!(was_locked && used), "a key was used after the lock had returned");
                    if was_locked {
                        break;
                    }
                }
            });
            refuse(&vault);
            let verdict = Verdict::Refused { reason: vault::Refusal::NotFound, code: String::new(), request_id: None };
            vault.record_check(clock.boot(), clock.wall_ms(), verdict);
            locked.store(true, Ordering::SeqCst);
            user.join().unwrap();
        });
        clock.pass(Duration::from_secs(20));
        pass_twice(&vault, &clock);
    }
}
