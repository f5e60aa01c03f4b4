//! What will happen, beside the button that makes it happen: how much is rewritten and how long that takes, who can read
//! then, what stays as it is, and what happens to the key in AWS.
//!
//! It says only what is known before the button is pressed, and it is exchanged while the page is open, so it is right when
//! the button is pressed. It asks nothing: one press acts.
//!
//! Cost of what it announces: in proportion to records, files and bytes, and a few calls of KMS for each data key.

use crate::{
    format,
    model::{
        encryption::DataEncryption,
        job::{JobKind, JobState},
    },
};
use leptos::prelude::*;

/// Which way the key would change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Activate,
    Delete,
}

/// The list.
pub fn impact(direction: Direction, data: &DataEncryption) -> AnyView {
    let (heading, facts) = match direction {
        Direction::Activate => ("What Activate Key will do", ACTIVATING),
        Direction::Delete => ("What Delete Key will do", DELETING),
    };
    let rewritten = format!(
        "{} and {} ({} of content).",
        format::counted(data.amount.records, "record", "records"),
        format::counted(data.amount.files, "file", "files"),
        format::bytes(data.amount.bytes),
    );
    let facts = facts.iter().map(|(name, text)| fact(name, text)).collect_view();
    view! {
        <section class="impact stack" aria-labelledby="impact">
            <h3 id="impact">{heading}</h3>
            <dl class="facts">
                <dt>"Rewritten"</dt>
                <dd>
                    {rewritten} {is_under_way(data).then_some(" The change of key that is under way turns round first.")}
                </dd>
                <dt>"Time"</dt>
                <dd>
                    {data.speed.estimate(data.amount, data.data_keys)} " People keep working meanwhile."
                    <p class="small soft">{data.speed.basis()}</p>
                </dd>
                {facts}
            </dl>
        </section>
    }
    .into_any()
}

/// What else there is to know, of either way.
type Facts = &'static [(&'static str, &'static str)];

const ACTIVATING: Facts = &[
    ("In control", "Your key, within seconds. From then on nothing that is stored here opens without it."),
    (
        "Who can read",
        "The same people as today, for as long as AWS lets this deployment use your key. If you disable the key, nobody can, and neither can we.",
    ),
    (
        "Stays as it is",
        "Accounts, sessions and the audit log are not encrypted, with either key. Backups made before still open with the provider's key.",
    ),
    ("Your key in AWS", "Nothing happens to it. Keystead asks it to encrypt and decrypt, and cannot change it."),
    (
        "Another key later",
        "Delete this one here first, then activate the other. All data is rewritten each time, and in between the provider's key protects it.",
    ),
];

const DELETING: Facts = &[
    ("In control", "The provider's key, within seconds. From then on your key is not needed for what is stored here."),
    ("Who can read", "The same people as today. You can no longer take access away by disabling your key."),
    (
        "Stays as it is",
        "Accounts, sessions and the audit log are not encrypted, with either key. Backups made while your key was active still need it: keep it in AWS for as long as you keep them.",
    ),
    ("Your key in AWS", "Nothing happens to it. Keystead does not delete or disable it."),
    ("To use another key", "Delete this one, and wait until all data is rewritten. Then activate the other one here."),
];

fn fact(name: &'static str, text: &'static str) -> impl IntoView {
    view! {
        <dt>{name}</dt>
        <dd>{text}</dd>
    }
}

/// Whether a change is under way that a deletion would turn round.
fn is_under_way(data: &DataEncryption) -> bool {
    data.job
        .as_ref()
        .is_some_and(|job| matches!(job.state, JobState::Running | JobState::Paused) && job.kind != JobKind::Delete)
}
