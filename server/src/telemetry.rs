//! The log: lines for people or JSON for programs, on standard error; and the count of alarms in it.
//!
//! What must stay true: what is logged are ids, kinds and counts; never a secret, and never what people have written. An alarm
//! is counted whatever `RUST_LOG` keeps out of the text.

use crate::{config::LogFormat, metrics::alarms};
use std::{
    fmt::Debug,
    io::{self, IsTerminal},
    panic,
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::LevelFilter,
    fmt,
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
    util::SubscriberInitExt,
};

/// What is logged when `RUST_LOG` does not say. The session layer calls every expired cookie suspicious.
const DEFAULT_FILTER: &str = "info,tower_sessions=error,tower_sessions_core=error";

/// Begins to log. Only the first call in a process has an effect.
pub fn init(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let log = fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    let log: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Text => log.with_target(false).boxed(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed(),
    };
    let begun = tracing_subscriber::registry().with(log.with_filter(filter)).with(alarm_counter()).try_init();
    if begun.is_ok() {
        log_panics();
    }
}

/// The part of the log that counts alarms. It has a filter of its own.
pub fn alarm_counter<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    AlarmCounter.with_filter(LevelFilter::WARN)
}

struct AlarmCounter;

impl<S: Subscriber> Layer<S> for AlarmCounter {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut EventName);
    }
}

/// Looks for the name of an event among its fields.
struct EventName;

impl Visit for EventName {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "event" {
            alarms::note(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
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
