//! The audit log, for administrators. Everything is plain links and forms: nothing of it is compiled for the browser.

mod entry;
mod filter;

use crate::{
    api::audit::{EXPORT, PAGE, read_audit_log},
    components::{moment::Moment, opened::opened, redirect::page_status},
    format,
    model::{
        audit::{AuditFilter, AuditPage, SignedHead},
        error::ApiError,
    },
};
use filter::{FilterForm, address};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

#[component]
pub fn AuditLogPage() -> impl IntoView {
    let (filter, older, newer) = use_query_map().with_untracked(|query| {
        let text = |name| query.get(name).unwrap_or_default();
        let filter = AuditFilter {
            from: text("from"),
            to: text("to"),
            actor: text("actor"),
            action: text("action"),
            outcome: text("outcome"),
        };
        (filter, query.get("older"), query.get("newer"))
    });
    let is_first = older.is_none() && newer.is_none();
    let asked = filter.clone();
    // Members may know that there is a log: they get a face of their own instead of an error.
    let page = OnceResource::new(async move {
        match read_audit_log(asked, older, newer).await {
            Ok(page) => Ok(Some(page)),
            Err(ApiError::NotAllowed) => Ok(None),
            Err(error) => Err(error),
        }
    });
    let filter = StoredValue::new(filter);
    view! {
        {super::tab_title("Audit Log")}
        <div>
            <h2>"Audit Log"</h2>
            <p class="lede">
                "Who did what, when, and from where. Entries are only ever added. They hold ids and addresses, and nothing of your data."
            </p>
        </div>
        {opened(page, None, move |page, _| match page {
            Some(page) => view! { <Log page filter=filter.get_value() is_first/> }.into_any(),
            None => view! { <NotAllowed/> }.into_any(),
        })}
    }
}

#[component]
fn NotAllowed() -> impl IntoView {
    page_status(403);
    view! {
        <section class="card">
            <div class="empty">
                <h2>"Only administrators read the audit log"</h2>
                <p class="lede">
                    "It holds addresses and e-mails of other people. Ask an administrator of your organization."
                </p>
            </div>
        </section>
    }
}

#[component]
fn Log(page: AuditPage, filter: AuditFilter, is_first: bool) -> impl IntoView {
    let is_filtered = filter != AuditFilter::default();
    let AuditPage { entries, older, newer, signed, unreadable } = page;
    let link = |name: &str, place: Option<String>| place.map(|place| address(PAGE, &filter, Some((name, &place))));
    let (older, newer) = (link("older", older), link("newer", newer));
    let is_wrong = |name: &str| unreadable.iter().any(|field| field == name);
    let newest = (!is_first).then(|| address(PAGE, &filter, None));
    let list = if entries.is_empty() {
        view! { <Empty is_filtered/> }.into_any()
    } else {
        let entries = entries.into_iter().map(|entry| view! { <entry::Entry entry/> }).collect_view();
        view! {
            <ol class="history audit" aria-label="Entries, newest first">
                {entries}
            </ol>
        }
        .into_any()
    };
    view! {
        <FilterForm filter=filter.clone() from_is_wrong=is_wrong("from") to_is_wrong=is_wrong("to")/>
        <section class="card" aria-label="Entries">
            {list}
        </section>
        {(newest.is_some() || older.is_some()).then(|| view! { <Pages newest newer older/> })}
        <Keep filter signed/>
    }
}

#[component]
fn Pages(newest: Option<String>, newer: Option<String>, older: Option<String>) -> impl IntoView {
    view! {
        <nav class="row pager" aria-label="Pages of the audit log">
            {newest.map(|href| view! { <a class="button" href=href>"Newest"</a> })}
            {newer.map(|href| view! { <a class="button" href=href rel="prev">"Newer"</a> })}
            {older.map(|href| view! { <a class="button" href=href rel="next">"Older"</a> })}
        </nav>
    }
}

#[component]
fn Empty(is_filtered: bool) -> impl IntoView {
    view! {
        <div class="empty">
            <h3>{if is_filtered { "No entry fits" } else { "Nothing here yet" }}</h3>
            <p class="lede">
                {if is_filtered {
                    "Ask for another time, person, action or outcome."
                } else {
                    "The first sign-in will be the first entry."
                }}
            </p>
            {is_filtered
                .then(|| {
                    view! {
                        <a class="button" href=PAGE>
                            "Show everything"
                        </a>
                    }
                })}
        </div>
    }
}

/// What can be kept of the log, and how far it is signed.
#[component]
fn Keep(filter: AuditFilter, signed: Option<SignedHead>) -> impl IntoView {
    let form = |kind: &'static str, label: &'static str| {
        let action = address(EXPORT, &filter, Some(("format", kind)));
        view! {
            <form class="bare" method="post" action=action>
                <button class="button" type="submit">
                    {label}
                </button>
            </form>
        }
    };
    view! {
        <section class="card">
            <header>
                <h3>"Keep it"</h3>
            </header>
            <div class="body">
                <p>"A file holds all entries that the filter lets through, oldest first. That it was made is an entry too."</p>
                <div class="row">{form("csv", "Export CSV")} {form("jsonl", "Export JSON Lines")}</div>
                {match signed {
                    Some(head) => view! {
                        <p class="small soft">
                            "Signed up to entry " {format::count(head.sequence.unsigned_abs())} ", "
                            <Moment at=head.at seconds=true/> ". Its hash: " <span class="mono wrap">{head.hash}</span>
                        </p>
                    }
                        .into_any(),
                    None => view! { <p class="small soft">"Nothing is signed yet. That takes up to a minute."</p> }
                        .into_any(),
                }}
            </div>
        </section>
    }
}
