//! What it costs to zero memory as it is freed, in pages a second.
//!
//! One process serves the list while its allocator zeroes or does not, in rounds that take turns, so that a slow moment of the
//! machine meets both. The allocator is the program's own behind a switch; the client allocates nothing. Beside the time on
//! the wall stands the time of the processors, which other programs disturb less.

use crate::client::{Client, Cost, round};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicBool, Ordering},
};
use vault::ZeroAlloc;

/// Pages for each connection in a round.
const PAGES: usize = 40;
/// Pairs of rounds, one with and one without.
const PAIRS: usize = 101;

/// The program's allocator, or the system's alone.
pub struct Switched;

/// On at first, as in the program.
static IS_ZEROING: AtomicBool = AtomicBool::new(true);
static ZEROING: ZeroAlloc<System> = ZeroAlloc(System);

#[allow(unsafe_code, reason = "an allocator cannot be switched without being one")]
// SAFETY: every call goes on as it came, and both allocators have their blocks from the same one.
unsafe impl GlobalAlloc for Switched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if IS_ZEROING.load(Ordering::Relaxed) {
            // SAFETY: the caller keeps to the contract of `dealloc`.
            unsafe { ZEROING.dealloc(block, layout) }
        } else {
            // SAFETY: likewise.
            unsafe { System.dealloc(block, layout) }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if IS_ZEROING.load(Ordering::Relaxed) {
            // SAFETY: the caller keeps to the contract of `realloc`.
            unsafe { ZEROING.realloc(block, layout, new_size) }
        } else {
            // SAFETY: likewise.
            unsafe { System.realloc(block, layout, new_size) }
        }
    }
}

fn round_with(clients: &mut [Client], zeroing: bool) -> Cost {
    IS_ZEROING.store(zeroing, Ordering::Relaxed);
    round(clients, PAGES)
}

pub fn measure(clients: &mut [Client]) {
    for zeroing in [true, false] {
        round_with(clients, zeroing);
    }
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        // Each of the two goes first in half of the pairs.
        for zeroing in if pair % 2 == 0 { [true, false] } else { [false, true] } {
            let cost = round_with(clients, zeroing);
            if zeroing { with.push(cost) } else { without.push(cost) }
        }
    }
    IS_ZEROING.store(true, Ordering::Relaxed);
    println!("Over {} connections, in {PAIRS} pairs of rounds", clients.len());
    println!("{:<34} {:>13} {:>13} {:>8}   {:<14} target", "", "zeroing", "not zeroing", "ratio", "middle half");
    report("pages a second", |cost| 1.0 / cost.wall, &with, &without);
    report("pages a second of one processor", |cost| 1.0 / cost.processors, &with, &without);
}

/// The quarter, the half and the three quarters of some figures.
fn quartiles(mut figures: Vec<f64>) -> [f64; 3] {
    figures.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| figures[figures.len() * quarter / 4])
}

/// Medians of the rounds, and the median of the ratios within the pairs.
fn report(name: &str, figure: impl Fn(&Cost) -> f64, with: &[Cost], without: &[Cost]) {
    let [with, without] = [with, without].map(|costs| costs.iter().map(&figure).collect::<Vec<_>>());
    let [low, ratio, high] = quartiles(with.iter().zip(&without).map(|(with, without)| with / without).collect());
    let ([_, with, _], [_, without, _]) = (quartiles(with), quartiles(without));
    let spread = format!("{low:.3} to {high:.3}");
    println!("{name:<34} {with:>13.0} {without:>13.0} {ratio:>8.3}   {spread:<14} at least 0.97");
}
