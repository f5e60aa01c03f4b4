//! The table of key states: whether such a key can be activated, whether data can be read under it, and what to do.

use super::{Terms, guide::table, prose::said};
use crate::format;
use leptos::prelude::*;

/// State in AWS, can it be activated, can data be read, what to do. `None` in the third: it depends on the grace.
const STATES: [(&str, &str, Option<&str>, &str); 9] = [
    ("`Enabled`", "Yes", Some("Yes"), "Nothing."),
    ("`Disabled`", "No", Some("No"), "Enable the key in AWS."),
    (
        "`PendingDeletion`",
        "No",
        Some("No"),
        "Cancel the deletion in AWS, then enable the key: after cancelling it is disabled.",
    ),
    ("`PendingImport`", "No", Some("No"), "Import the same key material into the key again."),
    ("`Unavailable`", "No", Some("No"), "Connect the custom key store of the key again."),
    ("`Creating`, `Updating`", "No", Some("No"), "Wait until AWS is done with it."),
    (
        "Gone, or never there",
        "No",
        Some("No"),
        "Check the ARN. If AWS has deleted the key, what is under it cannot be read by anybody, ever.",
    ),
    (
        "There, but no permission",
        "No",
        Some("No"),
        "Put the statements that Data Encryption shows back into the key policy.",
    ),
    ("AWS cannot be reached", "Not now", None, "Wait. Access goes on or comes back by itself as soon as AWS answers."),
];

pub fn states(terms: &Terms) -> AnyView {
    let grace = format!("Yes, for {}; then no", format::seconds(terms.outage_grace.as_secs()));
    let rows = STATES.map(|(state, activated, read, remedy)| {
        [state, activated, read.unwrap_or(&grace), remedy].map(str::to_owned).to_vec()
    });
    let heads = ["In AWS", "Can it be activated?", "Can data be read?", "What to do"];
    view! {
        {said("What counts is the answer that AWS gives to a real decryption, not what a console shows.")}
        {table("States of a key", &heads, rows.to_vec())}
        {said(
            "AWS gives the same answer for a key without permission and for one of another account that does not exist. So both look \
             the same here.",
        )}
        {said(
            "A key policy can also deny a single workspace, by its id in the encryption context (`scope`). Then that workspace alone is \
             locked, and the others go on.",
        )}
    }
    .into_any()
}
