//! `keystead audit verify`: whether the audit log is as it was written.
//!
//! The exit code says it too: 0 intact and vouched for, 1 it could not be looked at, 2 the command line is wrong, 3 altered,
//! 4 nothing is wrong with it, but nothing outside of the database vouches for it.

use crate::{
    application::aws,
    config::{Config, Options},
    services::audit::verify::{Outside, Report, Unsigned, Verifier},
    store::{Store, house},
    telemetry,
};
use clap::{Args, Subcommand};
use serde::Deserialize;
use std::{
    error::Error,
    fs,
    io::{self, Write},
    process::ExitCode,
};
use vault::{DeploymentId, Kms};

/// The event of the lines of a server's log that hold a head.
const EVENT: &str = "audit_head_signed";
const ALTERED: u8 = 3;
const NOT_VOUCHED_FOR: u8 = 4;

#[derive(Subcommand)]
pub enum AuditCommand {
    /// Reads the whole audit log and says whether it is as it was written. Changes nothing.
    ///
    /// Finds every entry that was edited, removed, moved or inserted. The newest signed head is confirmed by KMS; that vouches
    /// for all entries up to it. A head from outside (--head) also shows that no end was cut off.
    ///
    /// Exit codes: 0 intact and vouched for; 1 could not be looked at; 2 wrong options; 3 altered; 4 nothing wrong was found, but
    /// neither a signed head nor one from outside vouches for it.
    Verify(Box<VerifyOptions>),
}

#[derive(Args)]
pub struct VerifyOptions {
    /// A head that was kept outside of the database: `<sequence>:<hash in hexadecimal>`, or a file with such lines, or with
    /// lines of a server's log, of which those with the event `audit_head_signed` count. May be given several times.
    #[arg(long = "head", value_name = "SEQUENCE:HASH|FILE")]
    heads: Vec<String>,
    /// The ARN of a key that was the provider key before: heads that were signed by it count too.
    #[arg(long = "key", value_name = "ARN")]
    keys: Vec<String>,
    #[command(flatten)]
    pub options: Options,
}

pub async fn verify(
    heads: Vec<String>,
    keys: Vec<String>,
    config: Config,
) -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    telemetry::init(config.log_format);
    let mut outside = Vec::new();
    for head in &heads {
        outside.extend(read(head)?);
    }
    let store = Store::connect(&config.database_url).await?;
    let stored = house::root(store.read()).await?.deployment_id;
    let provider = config.provider_key_arn.as_str().to_owned();
    let verifier = Verifier {
        store: store.clone(),
        kms: Kms::new(&aws(&config.provider_key_arn).await.kms),
        deployment: DeploymentId::new(&stored).map_err(|_| "the database holds a deployment id that is none")?,
        keys: [vec![provider], keys].concat(),
    };
    let report = verifier.verify(&outside).await?;
    store.close().await?;
    say(&report)?;
    Ok(match (report.is_intact(), report.is_vouched_for()) {
        (false, _) => ExitCode::from(ALTERED),
        (true, false) => ExitCode::from(NOT_VOUCHED_FOR),
        (true, true) => ExitCode::SUCCESS,
    })
}

impl VerifyOptions {
    pub fn into_parts(self) -> (Vec<String>, Vec<String>, Options) {
        (self.heads, self.keys, self.options)
    }
}

/// The heads in one argument: the head itself, or those in the file of that name.
fn read(argument: &str) -> Result<Vec<Outside>, Box<dyn Error + Send + Sync>> {
    if let Some(head) = pair(argument) {
        return Ok(vec![head]);
    }
    let text = fs::read_to_string(argument).map_err(|error| {
        format!("--head {argument}: neither a head, as 7:1f…, nor a file that can be read ({error})")
    })?;
    let heads: Vec<Outside> = text.lines().filter_map(line).collect();
    if heads.is_empty() {
        return Err(format!("--head {argument}: there is no head in this file").into());
    }
    Ok(heads)
}

/// `<sequence>:<hash>`.
fn pair(text: &str) -> Option<Outside> {
    let (sequence, hash) = text.trim().split_once(':')?;
    head(sequence, hash)
}

/// The same, or a line of a server's log, as JSON or as text.
fn line(line: &str) -> Option<Outside> {
    if let Some(head) = pair(line) {
        return Some(head);
    }
    if line.trim_start().starts_with('{') {
        let logged: Logged = serde_json::from_str(line).ok().filter(|logged: &Logged| logged.event == EVENT)?;
        return head(&logged.sequence?.to_string(), &logged.hash?);
    }
    // Others choose words in some lines of a log, as the method of a request; none of these holds `=` or a quotation mark.
    if !line.contains(&format!("event=\"{EVENT}\"")) {
        return None;
    }
    let after = |name: &str| line.split_once(name).and_then(|(_, value)| value.split([' ', '"']).next());
    head(after(" sequence=")?, after(" hash=\"")?)
}

/// What is read of a line of a log in JSON (`telemetry.rs` writes it flat).
#[derive(Deserialize)]
struct Logged {
    #[serde(default)]
    event: String,
    sequence: Option<i64>,
    hash: Option<String>,
}

fn head(sequence: &str, hash: &str) -> Option<Outside> {
    let hash = hex::decode(hash.trim()).ok()?.try_into().ok()?;
    Some(Outside { sequence: sequence.trim().parse().ok().filter(|sequence| *sequence > 0)?, hash })
}

fn say(report: &Report) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if report.last == 0 && report.is_intact() {
        return writeln!(out, "The audit log is empty.");
    }
    if !report.is_intact() {
        writeln!(out, "ALTERED: the audit log is not as it was written.")?;
        for finding in &report.findings {
            writeln!(out, "  {finding}")?;
        }
        if report.unlisted > 0 {
            writeln!(out, "  and {} findings more", report.unlisted)?;
        }
        writeln!(out, "{} entries were read, the last one is {}.", report.entries, report.last)?;
        if let Some(sequence) = report.vouched.by_kms {
            writeln!(out, "The newest signed head that KMS confirms is {sequence}.")?;
        }
        return Ok(());
    }
    writeln!(out, "{} entries, from 1 to {}: each fits its hash and the one before.", report.entries, report.last)?;
    let vouched = report.vouched.by_kms.max(report.vouched.by_outside);
    if let Some(sequence) = report.vouched.by_kms {
        writeln!(out, "KMS confirms the signed head {sequence}: up to there nothing was changed.")?;
    }
    if let Some(sequence) = report.vouched.by_outside {
        writeln!(out, "The head {sequence} from outside fits: up to there nothing was changed or cut off.")?;
    }
    if let Some(Unsigned { from, to, waited }) = report.longest_unsigned {
        writeln!(
            out,
            "Entries {from} to {to} were signed only {} minutes after the first of them. If the servers' logs do not say why \
             (audit_head_waits), or CloudTrail has signed heads among them, they may have been written anew.",
            waited / 60_000
        )?;
    }
    if let Some(why) = &report.unconfirmed {
        writeln!(out, "No signed head was confirmed: {why}.")?;
    }
    match vouched {
        None => writeln!(out, "NOT VOUCHED FOR: whoever can write the database could have written all of it anew."),
        Some(sequence) => {
            if sequence < report.last {
                writeln!(out, "What is not vouched for yet: entries {} to {}.", sequence + 1, report.last)?;
            }
            if report.vouched.by_outside.is_none() {
                writeln!(
                    out,
                    "Whether an end was cut off that came after the newest signed head, only a head from outside can tell: see --head."
                )?;
            }
            writeln!(out, "INTACT.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_from_arguments_and_from_logs() {
        let hash = "ab".repeat(32);
        let expected = Some(Outside { sequence: 7, hash: [0xab; 32] });
        assert_eq!(pair(&format!("7:{hash}")), expected);
        assert_eq!(line(&format!(" 7:{hash} ")), expected);
        let json =
            format!(r#"{{"level":"INFO","event":"audit_head_signed","sequence":7,"hash":"{hash}","target":"server"}}"#);
        assert_eq!(line(&json), expected);
        let text = format!(r#"INFO event="audit_head_signed" sequence=7 hash="{hash}" signature="00""#);
        assert_eq!(line(&text), expected);
        for wrong in ["", "7", "7:", &format!("0:{hash}"), &format!("x:{hash}"), &format!("7:{hash}00")] {
            assert_eq!(pair(wrong), None, "{wrong}");
        }
        assert_eq!(line(&json.replace("audit_head_signed", "something_else")), None);
        // What anybody can bring into the log of a server.
        let method = format!("audit_head_signed-sequence5-hash{hash}");
        assert_eq!(line(&format!("INFO request: method={method} route=\"/\" status=405")), None);
        assert_eq!(line(&format!(r#"{{"level":"INFO","method":"{method}","route":"/"}}"#)), None);
    }
}
