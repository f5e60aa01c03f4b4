//! The program `keystead`.

use server::cli;
use std::{alloc::System, process::ExitCode};

/// What was in memory is gone when the memory is given back, also where we do not see it: buffers of TLS, JSON and HTML.
#[global_allocator]
static ALLOCATOR: vault::ZeroAlloc<System> = vault::ZeroAlloc(System);

fn main() -> ExitCode {
    keep_memory_small();
    cli::main()
}

/// The allocator of glibc keeps what was freed in up to eight heaps a processor, and the larger the blocks were, the longer:
/// hundreds of MiB after some uploads. One heap a processor, and large blocks straight from the system (`man 3 mallopt`).
#[cfg(target_env = "gnu")]
#[allow(unsafe_code, reason = "a call into the C library with plain numbers, before there is any other thread")]
fn keep_memory_small() {
    /// Parts of objects are larger, windows of them smaller.
    const STRAIGHT_FROM_THE_SYSTEM: i32 = 4 << 20;
    let heaps = std::thread::available_parallelism().map_or(1, |processors| processors.get().max(2));
    // SAFETY: `mallopt` takes two integers; what it does not know it refuses, and then nothing has changed.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, i32::try_from(heaps).unwrap_or(2));
        libc::mallopt(libc::M_MMAP_THRESHOLD, STRAIGHT_FROM_THE_SYSTEM);
        libc::mallopt(libc::M_TRIM_THRESHOLD, STRAIGHT_FROM_THE_SYSTEM);
    }
}

#[cfg(not(target_env = "gnu"))]
fn keep_memory_small() {}
