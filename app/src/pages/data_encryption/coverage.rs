//! What is encrypted and how much of it already under the key in control; and what is not encrypted, with the reason.
//!
//! All numbers are of one moment, which is shown.

use crate::{
    components::moment::Moment,
    format,
    model::{
        encryption::{CoverageLine, DataEncryption, RootKind},
        impact::PlainLine,
    },
};
use leptos::prelude::*;

#[component]
pub fn Coverage(data: DataEncryption) -> impl IntoView {
    let (under, whose) = match data.root.kind {
        RootKind::Customer => ("Under your key", "your key"),
        RootKind::Provider => ("Under the provider key", "the provider key"),
    };
    let is_all = data.coverage.iter().all(|line| line.current == line.items);
    let lines = data.coverage.iter().map(row).collect_view();
    let plain = data.not_sealed.iter().map(plain_row).collect_view();
    view! {
        <section class="card">
            <header>
                <h2>"What is encrypted"</h2>
            </header>
            <table class="list census">
                <caption class="visually-hidden">"What is encrypted"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Data"</th>
                        <th scope="col" class="num">
                            "Items"
                        </th>
                        <th scope="col" class="num">
                            {under}
                        </th>
                    </tr>
                </thead>
                <tbody>{lines}</tbody>
            </table>
            <div class="body">
                <p class="small soft">
                    {if is_all {
                        format!("Every item is encrypted under a data key that only {whose} has ever protected.")
                    } else {
                        format!(
                            "Everything opens only with {whose}. The last column counts what is under a data key that no other key has ever protected. The rest is still to be rewritten, or was set aside.",
                        )
                    }} " Counted in one moment, at " <Moment at=data.counted_at seconds=true/> "."
                </p>
                <p>
                    "Accounts, sessions, settings, history and the audit log are not encrypted with a KMS key. So you can sign in while data is locked, and see why it is."
                </p>
                <details id="not-encrypted">
                    <summary id="not-encrypted-summary">
                        {format::count(data.not_sealed.len() as u64)} " kinds of data that are not encrypted, and why"
                    </summary>
                    <table class="list census">
                        <caption class="visually-hidden">"What is not encrypted, and why"</caption>
                        <thead>
                            <tr>
                                <th scope="col">"Data"</th>
                                <th scope="col" class="num">
                                    "Rows"
                                </th>
                            </tr>
                        </thead>
                        <tbody>{plain}</tbody>
                    </table>
                </details>
            </div>
        </section>
    }
}

fn row(line: &CoverageLine) -> impl IntoView + use<> {
    let part = (line.current < line.items).then(|| format!(" · {} %", format::percent(line.current, line.items)));
    view! {
        <tr>
            <th scope="row">
                {line.data.clone()} <span class="beneath">{line.stored_in.clone()}</span>
            </th>
            <td class="num">{format::count(line.items)}</td>
            <td class="num">{format::count(line.current)} {part}</td>
        </tr>
    }
}

fn plain_row(line: &PlainLine) -> impl IntoView + use<> {
    let rows = line.rows.map_or_else(|| "in each item".to_owned(), format::count);
    view! {
        <tr>
            <th scope="row">
                {line.data.clone()} <span class="beneath">{line.reason.clone()}</span>
            </th>
            <td class="num">{rows}</td>
        </tr>
    }
}
