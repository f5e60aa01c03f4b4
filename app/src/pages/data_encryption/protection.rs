//! Who protects the data now: the badge, the chain of custody, the facts, the key checks.

use super::Board;
use crate::{
    components::{form::CopyButton, moment::Moment},
    format,
    model::{
        encryption::{CheckResult, DataEncryption, RootKind},
        lock::LockFace,
    },
};
use leptos::prelude::*;

#[component]
pub fn Protection(board: Board) -> impl IntoView {
    let badge = board.part(|state| match (&state.lock, state.root.kind) {
        (Some(lock), _) => ("badge bad", lock.cause.badge()),
        (None, RootKind::Provider) => ("badge", "Provider key"),
        (None, RootKind::Customer) => ("badge good", "Your key is in control"),
    });
    let is_provider = board.part(|state| state.root.kind == RootKind::Provider);
    view! {
        <section class="card">
            <header>
                <h2>"Protection"</h2>
                <span class=move || badge.get().0>{move || badge.get().1}</span>
            </header>
            <div class="body">
                <p class="lede" hidden=move || !is_provider.get()>
                    "Your data is encrypted at rest with the provider's key. Bring your own AWS KMS key to decide yourself who can read it, and to take access away at any time."
                </p>
                <Chain board/>
                <Lock board/>
                <Facts board/>
            </div>
        </section>
    }
}

/// Seconds since the last successful key check, counted on in the browser.
fn verified_seconds_ago(board: Board) -> Option<u64> {
    let told = board.state.with(|state| state.verified_ms_ago)?;
    let since = board.clock.get().zip(board.read_at.get()).map_or(0, |(now, then)| (now - then).max(0));
    Some((told + u64::try_from(since).unwrap_or(0)) / 1_000)
}

#[component]
fn Chain(board: Board) -> impl IntoView {
    let key = board.part(|state| {
        let id = state.root.arn.rsplit('/').next().unwrap_or_default().to_owned();
        match state.root.kind {
            RootKind::Customer => ("Your AWS account ", state.root.account.clone(), "Your key", id),
            RootKind::Provider => ("Provider's AWS account ", state.root.account.clone(), "Provider's key", id),
        }
    });
    let broken = board.part(|state| state.lock.as_ref().map(|lock| lock.cause.link_word()));
    let link = move || if broken.get().is_some() { "link broken" } else { "link" };
    let checked = move || match (broken.get(), verified_seconds_ago(board)) {
        (Some(word), _) => view! { {word} }.into_any(),
        (None, Some(seconds)) => view! { "verified" <br/> {seconds} " s ago" }.into_any(),
        (None, None) => view! { "opens" }.into_any(),
    };
    let keys = board.part(|state| (state.data_keys, state.workspaces));
    let data = board.part(|state| {
        let word = match (&state.lock, state.root.kind) {
            (Some(_), _) => "Unreadable",
            (None, RootKind::Customer) => "Encrypted with your key",
            (None, RootKind::Provider) => "Encrypted",
        };
        (word, state.amount)
    });
    view! {
        <figure class="chain" aria-label="What the key protects">
            <div class="link-node">
                <small>{move || key.get().0} {move || key.get().1}</small>
                <strong>{move || key.get().2}</strong>
                <small class="mono wrap">{move || key.get().3}</small>
            </div>
            <div class=link>{checked}</div>
            <div class="link-node">
                <small>"Data keys"</small>
                <strong>{move || format::counted(keys.get().0, "key", "keys")}</strong>
                <small>
                    "1 organization · " {move || format::counted(keys.get().1, "workspace", "workspaces")}
                </small>
            </div>
            <div class=link>{move || if broken.get().is_some() { "closed" } else { "opens" }}</div>
            <div class="link-node">
                <small>"Your data"</small>
                <strong>{move || data.get().0}</strong>
                <small>
                    {move || format::counted(data.get().1.records, "record", "records")} " · "
                    {move || format::counted(data.get().1.files, "file", "files")} " · "
                    {move || format::bytes(data.get().1.bytes)}
                </small>
            </div>
        </figure>
    }
}

/// Why data is locked, and AWS's own account of it.
#[component]
fn Lock(board: Board) -> impl IntoView {
    let lock = board.part(|state| state.lock.clone());
    move || lock.get().map(|face| view! { <Reason face/> }.into_any())
}

#[component]
fn Reason(face: LockFace) -> impl IntoView {
    let later = face.refused_at.map(|refused| u64::try_from(face.since - refused).unwrap_or(0) / 1_000);
    let kept = if face.cause.keeps_everything() { " Nothing has been lost." } else { "" };
    view! {
        <div class="notice bad">
            <strong>{face.cause.notice()}</strong>
            <p>"Keystead can no longer open any of your data. " {face.cause.remedy()} {kept}</p>
        </div>
        <dl class="facts">
            {face
                .refused_at
                .map(|at| {
                    view! {
                        <dt>"AWS refused the key"</dt>
                        <dd>
                            <Moment at=at seconds=true/>
                        </dd>
                    }
                })} <dt>"Access ended"</dt> <dd>
                <Moment at=face.since seconds=true/>
                {later.map(|later| format!(", {} later", format::counted(later, "second", "seconds")))}
            </dd>
            {face
                .code
                .map(|code| {
                    view! {
                        <dt>"AWS answered"</dt>
                        <dd class="mono">{code}</dd>
                    }
                })}
            {face
                .request_id
                .map(|id| {
                    view! {
                        <dt>"AWS request"</dt>
                        <dd class="mono">{id}</dd>
                    }
                })}
        </dl>
    }
}

#[component]
fn Facts(board: Board) -> impl IntoView {
    let arn = board.part(|state| state.root.arn.clone());
    let since = board.part(|state| (state.root.kind, state.root.since, state.root.by.clone()));
    let grace = board.part(|state| (state.root.kind == RootKind::Customer).then_some(state.outage_grace_seconds));
    view! {
        <dl class="facts">
            <dt>"Key ARN"</dt>
            <dd class="row">
                <span class="mono wrap">{move || arn.get()}</span>
                <CopyButton label="Copy key ARN" text=arn/>
            </dd>
            <dt>{move || if since.get().0 == RootKind::Customer { "Activated" } else { "In control since" }}</dt>
            <dd>{move || {
                let (_, at, by) = since.get();
                view! {
                    <Moment at=at/>
                    {by.map(|by| format!(" by {by}"))}
                }
            }}</dd>
            {move || {
                grace
                    .get()
                    .map(|grace| {
                        view! {
                            <dt>"If you disable it"</dt>
                            <dd>
                                "Access ends within " <strong>"10 seconds"</strong> " after AWS refuses the key, and within "
                                {format::seconds(grace)} " even if AWS cannot be reached."
                            </dd>
                        }
                    })
            }}
            <Checks board/>
        </dl>
    }
}

#[component]
fn Checks(board: Board) -> impl IntoView {
    let checks = board.part(|state| state.checks.clone());
    let label = board.part(summary);
    let tick = |check: CheckResult| {
        let class = match check {
            CheckResult::Passed => "",
            CheckResult::Slow => "slow",
            CheckResult::Unanswered => "unanswered",
            CheckResult::Refused => "denied",
        };
        view! { <i class=class></i> }
    };
    view! {
        <dt hidden=move || checks.with(Vec::is_empty)>"Last " {move || checks.with(Vec::len)} " checks"</dt>
        <dd hidden=move || checks.with(Vec::is_empty)>
            <div class="ticks" role="img" aria-label=move || label.get()>
                {move || checks.get().into_iter().map(tick).collect_view()}
            </div>
        </dd>
    }
}

/// The checks in words.
fn summary(state: &DataEncryption) -> String {
    let count = |wanted: CheckResult| state.checks.iter().filter(|check| **check == wanted).count();
    format!(
        "{} checks passed, {} slow, {} without an answer, {} denied",
        count(CheckResult::Passed),
        count(CheckResult::Slow),
        count(CheckResult::Unanswered),
        count(CheckResult::Refused)
    )
}
