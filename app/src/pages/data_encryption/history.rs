//! Access history: each lock with its times, and each time that locked data was destroyed.

use crate::{
    components::moment::{Moment, MomentBeside},
    model::lock::{LockHistory, LockIncident, Reset, ServerLock},
    words::Outcome,
};
use leptos::prelude::*;

/// How many lines are shown before the reader asks for more.
const SHOWN: usize = 5;

/// The card with the list, newest first.
pub fn history(lines: &[LockHistory]) -> impl IntoView + use<> {
    let (newest, earlier) = lines.split_at(lines.len().min(SHOWN));
    let earlier = (!earlier.is_empty()).then(|| {
        view! {
            <details id="history-earlier" class="body">
                <summary id="history-earlier-summary">{earlier.len()} " earlier"</summary>
                {list(earlier)}
            </details>
        }
    });
    view! {
        <section class="card">
            <header>
                <h2>"Access history"</h2>
            </header>
            {if newest.is_empty() {
                view! {
                    <p class="body soft">
                        "Access has never ended here. When it does, this list says why, how soon it ended on each server, and when it returned."
                    </p>
                }
                    .into_any()
            } else {
                view! {
                    {list(newest)}
                    {earlier}
                }
                    .into_any()
            }}
        </section>
    }
}

fn list(lines: &[LockHistory]) -> impl IntoView + use<> {
    let items = lines.iter().cloned().map(line).collect_view();
    view! { <ol class="history">{items}</ol> }
}

fn line(line: LockHistory) -> AnyView {
    match line {
        LockHistory::Lock(incident) => lock(incident).into_any(),
        LockHistory::Reset(reset) => destruction(reset).into_any(),
    }
}

fn lock(incident: LockIncident) -> impl IntoView {
    let outcome = incident.outcome();
    let badge = match outcome {
        Outcome::Locked => "badge bad",
        Outcome::Restored => "badge good",
        Outcome::Stopped => "badge",
    };
    let began = incident.began_at();
    let restored = incident.restored().map(|(at, after)| {
        view! {
            " Restored at " <MomentBeside at other=began/> {after.map(|after| format!(", after {after}"))} "."
        }
    });
    let (heading, ended) = (incident.heading(), incident.ended());
    // What is opened stays open while the page is brought up to date, so it must be known again.
    let id = format!("lock-{began}-{}", incident.workspace.as_deref().unwrap_or("all"));
    let servers = incident.servers.into_iter().map(|server| row(server, began)).collect_view();
    view! {
        <li class="stack">
            <div class="row">
                <h3>{heading}</h3>
                <span class=badge>{outcome.label()}</span>
            </div>
            {incident
                .workspace
                .map(|id| {
                    view! {
                        <p>
                            "Only workspace " <a class="mono wrap" href=format!("/workspaces/{id}")>
                                {id.clone()}
                            </a> " was locked."
                        </p>
                    }
                })}
            <p>{ended} {restored}</p>
            <p class="small soft">
                <Moment at=began seconds=true/>
                {incident.code.map(|code| view! { " · AWS answered " <span class="mono wrap">{code}</span> })}
                {incident.request_id.map(|id| view! { " · request " <span class="mono wrap">{id}</span> })}
            </p>
            <details id=id.clone()>
                <summary id=format!("{id}-servers")>"Times on each server"</summary>
                <p class="small soft">"Key " <span class="mono wrap">{incident.root_key_arn}</span></p>
                <div class="scroll" tabindex="0" role="group" aria-labelledby=format!("{id}-servers")>
                    <table class="list">
                        <thead>
                            <tr>
                                <th scope="col">"Server"</th>
                                <th scope="col">"AWS refused"</th>
                                <th scope="col">"Confirmed"</th>
                                <th scope="col">"Access ended"</th>
                                <th scope="col">"Restored"</th>
                            </tr>
                        </thead>
                        <tbody>{servers}</tbody>
                    </table>
                </div>
            </details>
        </li>
    }
}

/// One server's own times. Those of the day on which it all began are told by the clock alone.
fn row(server: ServerLock, began: i64) -> impl IntoView {
    let at = move |moment: Option<i64>, otherwise: &'static str| match moment {
        Some(at) => view! { <MomentBeside at other=began/> }.into_any(),
        None => view! { <span class="soft">{otherwise}</span> }.into_any(),
    };
    let restored = match (server.restored_at, server.gone_at) {
        (None, Some(gone)) => view! {
            <span class="soft">"stopped " <MomentBeside at=gone other=began/></span>
        }
        .into_any(),
        (restored, _) => at(restored, "not yet"),
    };
    let ended = if server.gone_at.is_some() { "with the server" } else { "not yet" };
    view! {
        <tr>
            <td class="wrap">{server.server}</td>
            <td>{at(server.refused_at, "did not refuse")}</td>
            <td>{at(Some(server.confirmed_at), "")}</td>
            <td>{at(server.ended_at, ended)}</td>
            <td>{restored}</td>
        </tr>
    }
}

fn destruction(reset: Reset) -> impl IntoView {
    view! {
        <li class="stack">
            <div class="row">
                <h3>"The operator destroyed all data under a key that was gone"</h3>
                <span class="badge bad">"Destroyed"</span>
            </div>
            <p>{reset.destroyed()}</p>
            <p class="small soft">
                <Moment at=reset.at seconds=true/> " · key " <span class="mono wrap">{reset.root_key_arn}</span>
            </p>
        </li>
    }
}
