//! What re-encryption costs, each figure beside its baseline, measured in the same run and in turns with it.
//!
//! * `records`: rows a second of the job's own pass over notes, beside the same pass that only copies, and beside
//!   bare statements through `sqlx`; and whether a table ten times as long is as quick.
//! * `objects`: bytes a second of a whole job over large files, beside copying the files and beside the raw cipher; and the
//!   peak of resident memory of the program that runs the job.
//! * `control`: how long a new root key takes to get control over 1,000 workspaces, beside the calls to KMS alone.
//! * `foreground`: what people wait while a job runs, beside what they wait without one.
//!
//! `cargo bench … -- records control` runs some of them. `SCALE=0.02` makes everything so much smaller, to try things: such
//! figures say little. Needs a local KMS and `PostgreSQL`: `scripts/bench.sh` starts both.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    reason = "a benchmark may panic, prints rounded figures, and measures real time"
)]

#[path = "../../tests/support/mod.rs"]
mod support;

mod bare;
mod control;
mod deployment;
mod figures;
mod foreground;
mod load;
mod objects;
mod records;

use figures::Scale;
use std::env;

fn main() {
    let scale = Scale::from_environment();
    let wanted: Vec<_> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| name.contains(wanted.as_str()));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    figures::head(scale);
    runtime.block_on(async {
        if is_wanted("records") {
            records::measure(scale).await;
        }
        if is_wanted("objects") {
            objects::measure(scale).await;
        }
        if is_wanted("control") {
            control::measure(scale).await;
        }
        if is_wanted("foreground") {
            foreground::measure(scale).await;
        }
    });
}
