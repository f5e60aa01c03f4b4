//! The log: text for people or JSON for programs, on standard error.
//!
//! What must stay true: what is logged are ids, kinds and counts; never a secret, and never what people have written.

use crate::config::LogFormat;
use std::{
    io::{self, IsTerminal},
    panic,
};
use tracing_subscriber::{EnvFilter, fmt};

/// What is logged when `RUST_LOG` does not say. The session layer calls every expired cookie suspicious.
const DEFAULT_FILTER: &str = "info,tower_sessions=error,tower_sessions_core=error";

/// Begins to log. Only the first call in a process has an effect.
pub fn init(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let log = fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    let begun = match format {
        LogFormat::Text => log.with_target(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
    };
    if begun.is_ok() {
        log_panics();
    }
}

/// Puts panics into the log, with their place. The message is left out unless it is part of the program: one that was put
/// together at run time may contain what people have written.
fn log_panics() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let message = info.payload().downcast_ref::<&'static str>().copied().unwrap_or("(not shown)");
        tracing::error!(event = "panic", place, said = message, "a part of the program panicked");
    }));
}
