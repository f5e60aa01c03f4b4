//! One entry of the audit log: a line, with all that is known behind it.

use crate::{
    components::moment::Moment,
    format,
    model::audit::{Actor, AuditEntry, Outcome},
    words::audit::{object_kind, spaced},
};
use leptos::prelude::*;

#[component]
pub fn Entry(entry: AuditEntry) -> impl IntoView {
    let badge = entry.outcome.map_or("badge", Outcome::badge);
    let (heading, outcome, who) = (entry.heading(), entry.outcome_label(), entry.actor.label());
    let address = entry.address.clone().map(|address| format!(" from {address}"));
    let (at, sequence) = (entry.at, entry.sequence);
    view! {
        <li class="stack" id=format!("entry-{sequence}")>
            <div class="row">
                <h3>{heading}</h3>
                <span class=badge>{outcome}</span>
            </div>
            <p class="small soft">
                <Moment at seconds=true/> " · " {who} {address}
            </p>
            <details>
                <summary>"Details" <span class="visually-hidden">" of entry " {sequence}</span></summary>
                <Facts entry/>
            </details>
        </li>
    }
}

#[component]
fn Facts(entry: AuditEntry) -> impl IntoView {
    let (user, email) = match entry.actor {
        Actor::Member { id, email, .. } => (Some(id), Some(email)),
        _ => (None, None),
    };
    let amount = entry.amount.map(|amount| format::count(amount.unsigned_abs()));
    let object = entry.object.map(|(kind, id)| (object_kind(&kind), id));
    let fact = |name: &'static str, value: Option<String>, class: &'static str| {
        value.map(|value| {
            view! {
                <dt>{name}</dt>
                <dd class=class>{value}</dd>
            }
        })
    };
    view! {
        <dl class="facts small">
            {fact("Entry", Some(entry.sequence.to_string()), "")}
            {fact("Action", Some(entry.action_word), "mono")}
            {fact("Email then", email, "")}
            {fact("User", user, "mono")}
            {object.map(|(kind, id)| fact(kind, Some(id), "mono"))}
            {fact("More", entry.detail.as_deref().map(spaced), "")}
            {fact("Number", amount, "")}
            {fact("KMS key", entry.key_arn, "mono")}
            {fact("AWS region", entry.region, "mono")}
            {fact("AWS request", entry.request_id, "mono")}
            {fact("Operation", entry.operation, "mono")}
            {fact("Server", entry.server, "mono")}
            {fact("Hash", Some(entry.hash), "mono")}
        </dl>
    }
}
