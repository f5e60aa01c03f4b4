//! The program `keystead`.

use server::cli;
use std::{alloc::System, process::ExitCode};

/// What was in memory is gone when the memory is given back, also where we do not see it: buffers of TLS, JSON and HTML.
#[global_allocator]
static ALLOCATOR: vault::ZeroAlloc<System> = vault::ZeroAlloc(System);

fn main() -> ExitCode {
    cli::main()
}
