//! The allocator that the program installs leaves no block behind with anything in it.

#![allow(unsafe_code, reason = "an allocator cannot be watched without being one")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering},
};
use vault::ZeroAlloc;

/// Looks at each block as it is given back.
struct Watching;

static GIVEN_BACK: AtomicUsize = AtomicUsize::new(0);
static NOT_ZERO: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is still ours, and was written from end to end when it was zeroed.
        let bytes = unsafe { std::slice::from_raw_parts(block, layout.size()) };
        if bytes.iter().any(|byte| *byte != 0) {
            NOT_ZERO.fetch_add(1, Ordering::Relaxed);
        }
        GIVEN_BACK.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps to the contract of `dealloc`.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: ZeroAlloc<Watching> = ZeroAlloc(Watching);

#[test]
fn every_block_is_zero_when_it_is_given_back() {
    let before = GIVEN_BACK.load(Ordering::Relaxed);
    let mut text = String::from("a secret");
    for _ in 0..12 {
        // Grows, and leaves its old block each time.
        text.push_str(&text.clone());
    }
    let mut shrunk = vec![0xaa_u8; 1 << 20];
    shrunk.truncate(10);
    shrunk.shrink_to_fit();
    drop((text, shrunk, Box::new([0xbb_u8; 77])));
    assert!(GIVEN_BACK.load(Ordering::Relaxed) - before >= 15);
    assert_eq!(NOT_ZERO.load(Ordering::Relaxed), 0);
}
