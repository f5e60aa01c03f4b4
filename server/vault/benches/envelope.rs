//! What sealing costs, beside one raw call of the cipher in the same run.
//!
//! Rounds alternate between the two, so that a slow moment of the machine meets both; medians are compared. The raw
//! call goes from a source buffer into another one, which both allocate, or both have from the round before.

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a benchmark may panic, prints rounded figures, and measures real time"
)]

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};
use uuid::Uuid;
use vault::{
    Clock, DataKey, DataKeyId, DeploymentId, Place, Scope, SystemClock, SystemEntropy, Vault, Verdict, Zeroizing, open,
    open_into, seal, seal_into,
};

const LARGE: usize = 1 << 20;
const SMALL: usize = 512;
const ROUNDS: usize = 401;

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Nanoseconds of one call. What it gives is let go after the clock has stopped.
fn time_one<T>(call: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    let result = black_box(call());
    let time = start.elapsed();
    drop(result);
    time.as_nanos() as f64
}

/// Nanoseconds of one call and of letting go what it gives, over `repeats` of them.
fn time<T>(repeats: u32, mut call: impl FnMut() -> T) -> f64 {
    let start = Instant::now();
    for _ in 0..repeats {
        drop(black_box(call()));
    }
    start.elapsed().as_nanos() as f64 / f64::from(repeats)
}

fn main() {
    let clock = Arc::new(SystemClock);
    let entropy = SystemEntropy::new();
    let deployment = DeploymentId::new("benchmark").unwrap();
    let vault = Vault::new(deployment.clone(), clock.clone(), Arc::new(entropy.clone()), Duration::from_mins(15));
    vault.record_check(clock.boot(), clock.wall_ms(), Verdict::Passed);
    let key = DataKey::generate(DataKeyId(Uuid::from_u128(1)), &entropy).unwrap();
    let key = vault.admit(vault.epoch(), key, Scope::Organization, clock.boot()).unwrap();
    let scope = Scope::Workspace(Uuid::from_u128(2));
    let place = Place { deployment: &deployment, scope, table: "notes", id: Uuid::from_u128(3), column: "body" };
    let raw = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[9; 32]).unwrap());
    let nonce = || Nonce::assume_unique_for_key([1; 12]);

    let plaintext = vec![0x5a_u8; LARGE];
    let sealed = seal(&key, &place, &plaintext, &entropy).unwrap();
    let mut out = vec![0_u8; LARGE];
    let mut tag = [0_u8; 16];
    let raw_seal = |out: &mut [u8], tag: &mut [u8; 16]| {
        raw.seal_out_of_place_scatter(nonce(), Aad::empty(), black_box(&plaintext), out, &[], tag).unwrap();
    };
    raw_seal(&mut out, &mut tag);
    let raw_sealed = out.clone();
    let raw_open = |out: &mut [u8]| {
        raw.open_separate_gather(nonce(), Aad::empty(), black_box(&raw_sealed), &tag, out).unwrap();
    };

    let mut times: [Vec<f64>; 9] = Default::default();
    let mut scratch = [0_u8; 16];
    let (mut used_sealed, mut used_opened) = (Vec::new(), Zeroizing::new(Vec::new()));
    for _ in 0..ROUNDS {
        times[0].push(time_one(|| seal(&key, &place, black_box(&plaintext), &entropy).unwrap()));
        times[1].push(time_one(|| {
            let mut out = vec![0_u8; LARGE];
            raw_seal(&mut out, &mut scratch);
            out
        }));
        times[2].push(time_one(|| {
            seal_into(&key, &place, black_box(&plaintext), &entropy, &mut used_sealed).unwrap();
        }));
        times[3].push(time_one(|| raw_seal(black_box(&mut out), &mut scratch)));
        times[4].push(time_one(|| open(&key, &place, black_box(&sealed)).unwrap()));
        times[5].push(time_one(|| {
            let mut out = vec![0_u8; LARGE];
            raw_open(&mut out);
            out
        }));
        times[6].push(time_one(|| open_into(&key, &place, black_box(&sealed), &mut used_opened).unwrap()));
        times[7].push(time_one(|| raw_open(black_box(&mut out))));
        let opened = open(&key, &place, black_box(&sealed)).unwrap();
        times[8].push(time_one(|| drop(opened)));
    }
    let times = times.map(median);

    println!("{:<34} {:>13} {:>13} {:>8}   target", "", "ours", "raw cipher", "ratio");
    let names =
        ["seal 1 MiB, new buffers", "seal 1 MiB, used buffers", "open 1 MiB, new buffers", "open 1 MiB, used buffers"];
    for (name, pair) in names.into_iter().zip(times.as_chunks::<2>().0) {
        let [ours, raw] = pair;
        println!("{name:<34} {:>10.1} µs {:>10.1} µs {:>8.2}   at least 0.85", ours / 1e3, raw / 1e3, raw / ours);
    }
    println!("{:<34} {:>10.1} µs", "wipe 1 MiB of plaintext", times[8] / 1e3);

    let record = &plaintext[..SMALL];
    let sealed = seal(&key, &place, record, &entropy).unwrap();
    let leash = vault.leash_of(Scope::Organization).unwrap();
    let (mut seals, mut opens, mut tests, mut leashes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        seals.push(time(50, || seal(&key, &place, black_box(record), &entropy).unwrap()));
        opens.push(time(50, || open(&key, &place, black_box(&sealed)).unwrap()));
        tests.push(time(1000, || assert!(black_box(&vault).is_open())));
        leashes.push(time(1000, || assert!(black_box(&leash).is_live())));
    }
    println!("{:<34} {:>10.2} µs {:>27} at most 3 µs", "seal 512 bytes", median(seals) / 1e3, "");
    println!("{:<34} {:>10.2} µs {:>27} at most 3 µs", "open 512 bytes", median(opens) / 1e3, "");
    println!("{:<34} {:>10.1} ns {:>27} at most 60 ns", "test the lease", median(tests), "");
    println!("{:<34} {:>10.1} ns {:>27} at most 60 ns", "test lease and term of a data key", median(leashes), "");
}
