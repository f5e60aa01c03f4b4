//! What is promised and what is not, backups, and what a key costs.

use super::{
    Reader, Terms,
    costs::{self as price, DAYS, KEY_CENTS, REQUESTS, REQUESTS_CENTS, a_day, dollars},
    guide::table,
    prose::{all_said, aws, items, said},
};
use crate::{
    format,
    promises::{ENDS_WITHIN_SECONDS, PUBLISHED_LIMIT_MINUTES, RETURNS_WITHIN_SECONDS},
};
use leptos::prelude::*;

pub fn limits(terms: &Terms) -> AnyView {
    let [ends, returns] =
        [ENDS_WITHIN_SECONDS, RETURNS_WITHIN_SECONDS].map(|seconds| format::counted(seconds, "second", "seconds"));
    let grace = format::seconds(terms.outage_grace.as_secs());
    let renewal = format::seconds(terms.workspace_renewal.as_secs());
    let term = format::seconds(terms.workspace_term.as_secs());
    let limit = format::counted(PUBLISHED_LIMIT_MINUTES, "minute", "minutes");
    let rows = [
        [
            "AWS refuses the key".to_owned(),
            format!("Access ends within {ends}, on every server, open downloads included."),
        ],
        [
            "AWS gives no answer at all".to_owned(),
            format!("Access ends {grace} after the last successful key check was sent."),
        ],
        ["AWS accepts the key again".to_owned(), format!("Access returns within {returns}, by itself.")],
        [
            "The key policy denies one workspace".to_owned(),
            format!("It is locked with its next check, about every {renewal}. Without an answer, after {term}."),
        ],
        ["Published limit".to_owned(), format!("{limit}, for the whole service. The times above are far below it.")],
    ];
    let cannot = items([
        "It cannot recall what a browser has already shown, or what somebody has downloaded.",
        "It cannot reach copies of database and objects that were made before the key was activated.",
        "It does not hide sizes, times, the number of records, or who wrote them.",
        "It cannot prevent that somebody who can write to the database deletes rows or puts back older ones. A changed or moved \
         record does not open.",
        "A proxy in front of the servers that stores answers can deliver a little more. The times are those of the servers.",
    ]);
    view! {
        <h3>"How fast"</h3>
        {table("How fast access ends and returns", &["When", "Then"], rows.map(|row| row.to_vec()).to_vec())}
        <h3>"What is encrypted"</h3>
        {all_said([
            "Under your key: names and descriptions of workspaces, notes, names and types of files, contents of files.",
            "Not under your key: accounts, roles, sessions, settings, and the history of changes and locks. People must be able to \
             sign in and see why the data is locked.",
        ])}
        <h3>"What it cannot do"</h3>
        <ul>{cannot}</ul>
    }
    .into_any()
}

pub fn backups() -> AnyView {
    all_said([
        "A backup keeps the key it was made under. One from before your key was active opens with the provider key. One from its \
         time opens only with your key, also when you have deleted that key from Keystead since.",
        "So a disabled key also closes the backups from its time. A key that AWS has deleted closes them for ever.",
        "Before you delete a key in AWS, make sure that nobody needs a backup from its time. Ask the operator how long backups and \
         the logs of the database are kept.",
    ])
    .into_any()
}

pub fn costs(reader: &Reader, terms: &Terms) -> AnyView {
    let servers = reader.servers.unwrap_or(1).max(1);
    let check = format::seconds(terms.key_check.as_secs());
    let renewal = format::seconds(terms.workspace_renewal.as_secs());
    let calls = format!(
        "Each server makes one call to KMS every {check}, which is about {} a day. For each workspace in use it makes another about \
         every {renewal}, which is {} a day if it is in use all day. The number of people and requests does not matter.",
        format::count(a_day(terms.key_check)),
        format::count(a_day(terms.workspace_renewal)),
    );
    let whose = match reader.servers {
        Some(_) => format!("This deployment runs {} now:", format::counted(servers, "server", "servers")),
        None => "For one server. Sign in to see it for the servers that run now:".to_owned(),
    };
    let rows = [0, 10, 100].map(|workspaces| {
        let costs = price::costs(terms, servers, workspaces);
        [
            format::count(workspaces),
            format::count(costs.calls_a_day),
            format::count(costs.calls_a_month),
            dollars(costs.cents),
        ]
        .to_vec()
    });
    let heads = ["Workspaces in use all day", "Calls a day", "Calls a month", "About, a month"];
    let formula = format!(
        "Calls a day = servers × ({day} ÷ {} + workspaces in use × {day} ÷ {}), in seconds.\nDollars a month = {} + calls a day × \
         {DAYS} × {} ÷ {}.",
        terms.key_check.as_secs(),
        terms.workspace_renewal.as_secs(),
        dollars(KEY_CENTS).trim_end_matches(".00 USD"),
        dollars(REQUESTS_CENTS).trim_end_matches(" USD"),
        format::count(REQUESTS),
        day = format::count(86_400),
    );
    let prices = format!(
        ", {} a key and month and {} for {} requests, as in most regions. Requests that AWS gives away are not counted. If your \
         account and the provider's are two, AWS says there who pays for requests.",
        dollars(KEY_CENTS),
        dollars(REQUESTS_CENTS),
        format::count(REQUESTS),
    );
    view! {
        {said(&calls)} {said(&whose)} {table("Calls and dollars", &heads, rows.to_vec())}
        <pre class="formula">{formula}</pre>
        <p>"Prices: " {aws("https://aws.amazon.com/kms/pricing/", "AWS KMS pricing")} {prices}</p>
        {said(
            "A change of key costs at most three calls for each data key, then two for each fresh one. There is one data key for the \
             organization and one for each workspace.",
        )}
        {said(
            "Each call is an event in AWS CloudTrail, so plan for as many events as calls. The first copy of such events costs nothing \
             at AWS; further trails, and what you store or search elsewhere, do.",
        )}
    }
    .into_any()
}
