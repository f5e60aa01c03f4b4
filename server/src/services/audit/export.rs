//! The audit log as a file: CSV or JSON Lines, oldest first, with the same filter as the page.
//!
//! What must stay true: it is streamed, so its size does not matter; it ends with its own opening entry at most, so it ends at
//! all; and in CSV nothing that anybody has chosen (a name, an e-mail) is taken for a formula by a spreadsheet.

use super::{
    Action, Entry, OpenEntry, Outcome,
    read::{AuditLog, Chosen, Place, shown},
};
use crate::{
    services::{access, failure::Failure, ids::new_id},
    store::{Store, entities::audit_entry},
};
use app::{
    model::audit::{Actor, AuditEntry, AuditFilter},
    ports::Principal,
};
use bytes::Bytes;
use futures::{Stream, stream};
use sea_orm::{DbErr, Order};
use serde::{Deserialize, Serialize};
use std::{fmt::Write, io};

/// How many entries are read at a time.
const BATCH: usize = 1_000;
/// The columns of the CSV.
const COLUMNS: &str = "sequence,time,action,outcome,operation,actor,actor_name,actor_email,address,object_kind,object_id,\
                       detail,amount,key_arn,region,request_id,server,hash\r\n";

/// What a file looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    Csv,
    /// JSON Lines: one object a line.
    Jsonl,
}

impl Format {
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Jsonl => "application/jsonl",
        }
    }

    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Csv => "keystead-audit-log.csv",
            Self::Jsonl => "keystead-audit-log.jsonl",
        }
    }

    fn begin(self) -> String {
        match self {
            Self::Csv => COLUMNS.to_owned(),
            Self::Jsonl => String::new(),
        }
    }

    fn write(self, out: &mut String, entry: &AuditEntry) {
        match self {
            Self::Csv => csv(out, entry),
            Self::Jsonl => {
                out.push_str(&serde_json::to_string(&Line::of(entry)).unwrap_or_default());
                out.push('\n');
            }
        }
    }
}

/// An export that has begun.
struct Export {
    store: Store,
    chosen: Chosen,
    format: Format,
    place: Option<Place>,
    written: u64,
    open: OpenEntry,
}

impl AuditLog {
    /// Begins an export: notes it in the log, and gives the stream of the file.
    ///
    /// # Errors
    /// When `who` is no administrator, or the database fails.
    pub async fn export(
        &self,
        who: &Principal,
        filter: &AuditFilter,
        format: Format,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + 'static + use<>, Failure> {
        access::administrator(who)?;
        let (chosen, _) = Chosen::read(self.store.read(), filter).await?;
        let entry = Entry::by(who, Action::AuditExported).detail(format);
        let open = self.audit.open(new_id(&self.vault)?, entry).await?;
        let export = Export { store: self.store.clone(), chosen, format, place: None, written: 0, open };
        Ok(stream::try_unfold(Some(export), |export| async move {
            let Some(export) = export else { return Ok(None) };
            export.batch().await.map(Some).map_err(|error| {
                tracing::error!(event = "database_failed", %error, "an export of the audit log broke off");
                io::Error::other(error)
            })
        }))
    }
}

impl Export {
    /// The next part of the file; after the last one nothing is left of the export, and the log says that it has ended. One that
    /// breaks off, or whose reader has gone, is dropped and so closed as failed.
    async fn batch(mut self) -> Result<(Bytes, Option<Self>), DbErr> {
        let rows = self.chosen.after(self.store.read(), &Order::Asc, self.place, BATCH).await?;
        let is_last = rows.len() < BATCH;
        let mut text = if self.place.is_none() { self.format.begin() } else { String::new() };
        self.place = rows.last().map(Place::of).or(self.place);
        let until = self.open.sequence();
        for row in rows.into_iter().filter(|row: &audit_entry::Model| row.sequence <= until) {
            self.format.write(&mut text, &shown(row));
            self.written += 1;
        }
        if is_last {
            let written = self.written;
            self.open.say(|entry| entry.amount(written));
            self.open.close(Outcome::Succeeded).await?;
            return Ok((text.into(), None));
        }
        self.open.goes_on().await?;
        Ok((text.into(), Some(self)))
    }
}

/// One line of JSON: the same names as the columns of the CSV, everything as it is hashed.
#[derive(Serialize)]
struct Line<'a> {
    sequence: i64,
    at: i64,
    time: String,
    action: &'a str,
    outcome: &'a str,
    operation: Option<&'a str>,
    actor: &'a str,
    actor_name: Option<&'a str>,
    actor_email: Option<&'a str>,
    address: Option<&'a str>,
    object_kind: Option<&'a str>,
    object_id: Option<&'a str>,
    detail: Option<&'a str>,
    amount: Option<i64>,
    key_arn: Option<&'a str>,
    region: Option<&'a str>,
    request_id: Option<&'a str>,
    server: Option<&'a str>,
    hash: &'a str,
}

impl<'a> Line<'a> {
    fn of(entry: &'a AuditEntry) -> Self {
        let (actor, actor_name, actor_email) = match &entry.actor {
            Actor::Member { id, name, email } => (id.as_str(), Some(name.as_str()), Some(email.as_str())),
            Actor::System => ("system", None, None),
            Actor::Operator => ("operator", None, None),
            Actor::Nobody => ("nobody", None, None),
            Actor::Other(word) => (word.as_str(), None, None),
        };
        Self {
            sequence: entry.sequence,
            at: entry.at,
            time: time(entry.at),
            action: &entry.action_word,
            outcome: &entry.outcome_word,
            operation: entry.operation.as_deref(),
            actor,
            actor_name,
            actor_email,
            address: entry.address.as_deref(),
            object_kind: entry.object.as_ref().map(|(kind, _)| kind.as_str()),
            object_id: entry.object.as_ref().map(|(_, id)| id.as_str()),
            detail: entry.detail.as_deref(),
            amount: entry.amount,
            key_arn: entry.key_arn.as_deref(),
            region: entry.region.as_deref(),
            request_id: entry.request_id.as_deref(),
            server: entry.server.as_deref(),
            hash: &entry.hash,
        }
    }
}

fn csv(out: &mut String, entry: &AuditEntry) {
    let line = Line::of(entry);
    let texts = [
        Some(line.time.as_str()),
        Some(line.action),
        Some(line.outcome),
        line.operation,
        Some(line.actor),
        line.actor_name,
        line.actor_email,
        line.address,
        line.object_kind,
        line.object_id,
        line.detail,
    ];
    let _ = write!(out, "{}", line.sequence);
    for text in texts {
        out.push(',');
        cell(out, text.unwrap_or_default());
    }
    out.push(',');
    if let Some(amount) = line.amount {
        let _ = write!(out, "{amount}");
    }
    for text in [line.key_arn, line.region, line.request_id, line.server, Some(line.hash)] {
        out.push(',');
        cell(out, text.unwrap_or_default());
    }
    out.push_str("\r\n");
}

/// A cell as RFC 4180 has it. What a spreadsheet would take for a formula gets an apostrophe in front of it, also behind a
/// semicolon or a tab, at which some divide a line whatever is quoted.
fn cell(out: &mut String, text: &str) {
    const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    let guarded = guarded(text, &FORMULA);
    let text = guarded.as_str();
    let is_formula = text.trim_start().starts_with(FORMULA);
    let is_quoted = text.contains([',', ';', '"', '\t', '\r', '\n']) || text.trim() != text;
    if is_quoted {
        out.push('"');
    }
    if is_formula || text.starts_with(['\t', '\r', '\n']) {
        out.push('\'');
    }
    if is_quoted {
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
}

/// The text with an apostrophe before each formula that would begin behind a semicolon or a tab.
fn guarded(text: &str, formula: &[char]) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, part) in text.split_inclusive([';', '\t']).enumerate() {
        if at > 0 && part.trim_start().starts_with(formula) {
            out.push('\'');
        }
        out.push_str(part);
    }
    out
}

/// With milliseconds, which tell apart what happened within a second.
fn time(at: i64) -> String {
    let seconds = app::format::machine_time(at);
    format!("{}.{:03}Z", seconds.trim_end_matches('Z'), at.rem_euclid(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn celled(text: &str) -> String {
        let mut out = String::new();
        cell(&mut out, text);
        out
    }

    #[test]
    fn nothing_is_taken_for_a_formula() {
        assert_eq!(celled("Ada"), "Ada");
        assert_eq!(celled("=1+1"), "'=1+1");
        assert_eq!(celled("+49 170"), "'+49 170");
        assert_eq!(celled("-1"), "'-1");
        assert_eq!(celled("@SUM(A1)"), "'@SUM(A1)");
        assert_eq!(celled(" =1+1"), "\"' =1+1\"");
        assert_eq!(celled("\t=1"), "\"'\t'=1\"");
        assert_eq!(celled("\r=1"), "\"'\r=1\"");
        assert_eq!(celled("＝1"), "'＝1");
        assert_eq!(celled("=cmd|' /C calc'!A0,\"x\""), "\"'=cmd|' /C calc'!A0,\"\"x\"\"\"");
        assert_eq!(celled("a=1"), "a=1");
        assert_eq!(celled("x;=1+1; @b"), "\"x;'=1+1;' @b\"");
        assert_eq!(celled("x\t=1"), "\"x\t'=1\"");
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(celled("Lovelace, Ada"), "\"Lovelace, Ada\"");
        assert_eq!(celled("the \"Countess\""), "\"the \"\"Countess\"\"\"");
        assert_eq!(celled("two\nlines"), "\"two\nlines\"");
        assert_eq!(celled(""), "");
    }

    #[test]
    fn times_have_milliseconds() {
        assert_eq!(time(1_795_441_267_999), "2026-11-23T13:41:07.999Z");
        assert_eq!(time(1_795_441_267_009), "2026-11-23T13:41:07.009Z");
    }
}
