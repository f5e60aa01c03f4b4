//! Help: public pages that explain customer managed keys.
//!
//! What must stay true: they say nothing about the deployment that a stranger may not know (no id, no account, no principal,
//! no region). They need no script, and neither the key nor the database to be there: they can be read while all else is
//! locked. Each number comes from the configuration, by [`Terms`], or from [`crate::promises`].
//!
//! They are whole documents of their own and not routes of [`crate::App`], so that they bring no script at all.

mod costs;
mod frame;
mod guide;
mod limits;
mod prose;
mod questions;
mod states;
mod steps;

pub use crate::sections::{GUIDE, HELP};

use crate::sections::Section;
use frame::Document;
use leptos::prelude::*;
use prose::said;
use std::time::Duration;

/// By what the deployment is bound: its configuration, and the times that are fixed in the program.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Between two key checks of one server.
    pub key_check: Duration,
    /// The same, once AWS has refused the key.
    pub urgent_check: Duration,
    /// Two refusals within this time end access.
    pub refusal_window: Duration,
    /// How long access lasts when AWS gives no answer.
    pub outage_grace: Duration,
    /// Between two unwraps of the data key of a workspace in use, on one server.
    pub workspace_renewal: Duration,
    /// How long a workspace stays open when AWS gives no answer about its data key.
    pub workspace_term: Duration,
}

/// Who reads a page of the guide, and with what.
#[derive(Clone, Debug)]
pub struct Reader {
    /// The address of the style sheet.
    pub style: String,
    pub is_signed_in: bool,
    /// How many servers run now. Only for those who are signed in.
    pub servers: Option<u64>,
}

#[cfg(test)]
impl Terms {
    const EXAMPLE: Self = Self {
        key_check: Duration::from_secs(5),
        urgent_check: Duration::from_secs(1),
        refusal_window: Duration::from_secs(10),
        outage_grace: Duration::from_mins(5),
        workspace_renewal: Duration::from_mins(4),
        workspace_term: Duration::from_mins(10),
    };
}

/// The page [`HELP`]: what there is to read.
pub fn index(reader: &Reader) -> String {
    let page = || {
        let common = [
            Section::Activate,
            Section::Disable,
            Section::Delete,
            Section::States,
            Section::Limits,
            Section::Costs,
            Section::Questions,
        ];
        let common = common.map(|section| {
            view! {
                <li>
                    <a href=section.href()>{section.title()}</a>
                </li>
            }
        });
        view! {
            <h1>"Help"</h1>
            <section>
                <h2>
                    <a href=GUIDE>"Customer managed keys for data encryption"</a>
                </h2>
                <p class="lede">
                    "How your organization uses its own AWS KMS key, and what it can rely on. It can be read without signing in."
                </p>
                <ul>{common.collect_view()}</ul>
            </section>
            <section>
                <h2>"Anything else"</h2>
                {said("Ask an administrator of your organization, or the operator of this deployment.")}
            </section>
        }
        .into_any()
    };
    written(|| view! { <Document title="Help" reader=reader.clone()>{page()}</Document> }.into_any())
}

/// The page [`GUIDE`].
pub fn customer_managed_keys(reader: &Reader, terms: &Terms) -> String {
    written(|| {
        let (guide, reader) = (guide::guide(reader, terms), reader.clone());
        view! { <Document title="Customer managed keys" reader>{guide}</Document> }.into_any()
    })
}

/// A document as it is sent.
fn written(document: impl FnOnce() -> AnyView) -> String {
    Owner::new().with(|| document().to_html())
}

#[cfg(test)]
mod tests;
