//! Who protects the data now: the badge, the chain of custody, the facts, the key checks.

use super::locked;
use crate::{
    components::{
        form::CopyButton,
        moment::Moment,
        more::{More, Section},
    },
    format,
    model::{
        encryption::{CheckResult, DataEncryption, RootKind},
        lock::KeyNotice,
    },
    promises::ENDS_WITHIN_SECONDS,
};
use leptos::prelude::*;

/// The card that says whose key is in control. `deployment` is the id in key policies.
pub fn protection(data: &DataEncryption, deployment: &str) -> impl IntoView + use<> {
    let (class, badge) = match (&data.lock, data.root.kind) {
        (Some(lock), _) => ("badge bad", lock.cause.badge()),
        (None, RootKind::Provider) => ("badge", "Provider key"),
        (None, RootKind::Customer) => ("badge good", "Your key is in control"),
    };
    view! {
        <section class="card">
            <header>
                <h2>"Protection"</h2>
                <span class=class>{badge}</span>
            </header>
            <div class="body">
                {(data.root.kind == RootKind::Provider && data.lock.is_none())
                    .then(|| {
                        view! {
                            <p class="lede">
                                "Your data is encrypted at rest with the provider's key. Bring your own AWS KMS key to decide yourself who can read it, and to take access away at any time."
                            </p>
                            <More about=Section::Limits id="more-limits"/>
                        }
                    })} {chain(data)} {data.lock.as_ref().map(|face| locked::reason(face, data, deployment))} {facts(data)}
            </div>
        </section>
    }
}

/// Whose key opens which keys, and what they open.
fn chain(data: &DataEncryption) -> impl IntoView + use<> {
    let (owner, key) = match data.root.kind {
        RootKind::Customer => ("Your AWS account ", "Your key"),
        RootKind::Provider => ("Provider's AWS account ", "Provider's key"),
    };
    let id = data.root.arn.rsplit('/').next().unwrap_or_default().to_owned();
    let broken = data.lock.as_ref().map(|lock| lock.cause.link_word());
    let link = if broken.is_some() { "link broken" } else { "link" };
    let checked = match (broken, data.verified_ms_ago) {
        (Some(word), _) => view! { {word} }.into_any(),
        (None, Some(ago)) => view! {
            "verified"
            <br/>
            <span>
                <span data-verified=ago.to_string()>{ago / 1_000}</span>
                " s ago"
            </span>
        }
        .into_any(),
        (None, None) => view! { "opens" }.into_any(),
    };
    let protected = match (broken, data.root.kind) {
        (Some(_), _) => "Unreadable",
        (None, RootKind::Customer) => "Encrypted with your key",
        (None, RootKind::Provider) => "Encrypted",
    };
    let amount = format!(
        "{} · {} · {}",
        format::counted(data.amount.records, "record", "records"),
        format::counted(data.amount.files, "file", "files"),
        format::bytes(data.amount.bytes),
    );
    view! {
        <figure class="chain" aria-label="What the key protects">
            <div class="link-node">
                <small>{owner} {data.root.account.clone()}</small>
                <strong>{key}</strong>
                <small class="mono wrap">{id}</small>
            </div>
            <div class=link>{checked}</div>
            <div class="link-node">
                <small>"Data keys"</small>
                <strong>{format::counted(data.data_keys, "key", "keys")}</strong>
                <small>"1 organization · " {format::counted(data.workspaces, "workspace", "workspaces")}</small>
            </div>
            <div class=link>{if broken.is_some() { "closed" } else { "opens" }}</div>
            <div class="link-node">
                <small>"Your data"</small>
                <strong>{protected}</strong>
                <small>{amount}</small>
            </div>
        </figure>
    }
}

fn facts(data: &DataEncryption) -> impl IntoView + use<> {
    let root = data.root.clone();
    let is_customer = root.kind == RootKind::Customer;
    let grace = format::seconds(data.outage_grace_seconds);
    // While the data is locked here, the account of the lock counts the servers.
    let servers = data.servers.standing().filter(|_| data.lock.is_none());
    view! {
        <dl class="facts">
            {data.lock.clone().map(|face| locked::account(face, data.servers))} <dt>"Key ARN"</dt>
            <dd class="row">
                <span class="mono wrap">{root.arn.clone()}</span>
                <CopyButton label="Copy key ARN" text=root.arn/>
            </dd>
            <dt>{if is_customer { "Activated" } else { "In control since" }}</dt>
            <dd>
                <Moment at=root.since/>
                {root.by.map(|by| format!(" by {by}"))}
            </dd>
            {(is_customer && data.lock.is_none())
                .then(|| {
                    view! {
                        <dt>"If you disable it"</dt>
                        <dd>
                            "Access ends within "
                            <strong>{format::counted(ENDS_WITHIN_SECONDS, "second", "seconds")}</strong>
                            " after AWS refuses the key, and within " {grace} " even if AWS cannot be reached. "
                            <More about=Section::Disable id="more-disable"/>
                        </dd>
                    }
                })}
            {data.notice.filter(|_| data.lock.as_ref().is_none_or(|lock| lock.deletion_at.is_none())).map(notice)}
            {servers
                .map(|servers| {
                    view! {
                        <dt>"Servers"</dt>
                        <dd>{servers}</dd>
                    }
                })}
            {(!data.checks.is_empty()).then(|| checks(&data.checks))}
        </dl>
    }
}

/// What is about to happen to the key.
fn notice(notice: KeyNotice) -> impl IntoView {
    let what = match notice {
        KeyNotice::PendingDeletion { .. } => "AWS deletes it",
        KeyNotice::MaterialExpires { .. } => "Its material expires",
    };
    view! {
        <dt>{what}</dt>
        <dd>
            <Moment at=notice.at()/>
            ". "
            {notice.meaning()}
        </dd>
    }
}

/// The last key checks, one mark each, and the same in words.
fn checks(checks: &[CheckResult]) -> impl IntoView + use<> {
    let count = |wanted: CheckResult| checks.iter().filter(|check| **check == wanted).count();
    let summary = format!(
        "{} checks passed, {} slow, {} without an answer, {} denied",
        count(CheckResult::Passed),
        count(CheckResult::Slow),
        count(CheckResult::Unanswered),
        count(CheckResult::Refused)
    );
    let marks = checks
        .iter()
        .map(|check| {
            let class = match check {
                CheckResult::Passed => "passed",
                CheckResult::Slow => "slow",
                CheckResult::Unanswered => "unanswered",
                CheckResult::Refused => "denied",
            };
            view! { <i class=class></i> }
        })
        .collect_view();
    view! {
        <dt>"Last " {checks.len()} " checks"</dt>
        <dd>
            <div class="ticks" role="img" aria-label=summary>
                {marks}
            </div>
            <More about=Section::Costs id="more-costs"/>
        </dd>
    }
}
