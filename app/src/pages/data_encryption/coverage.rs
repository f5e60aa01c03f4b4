//! What is encrypted, and how much of it already under the key in control.

use crate::{
    format,
    model::encryption::{CoverageLine, DataEncryption, RootKind},
};
use leptos::prelude::*;

#[component]
pub fn Coverage(data: DataEncryption) -> impl IntoView {
    let under = match data.root.kind {
        RootKind::Customer => "Under your key",
        RootKind::Provider => "Under the provider key",
    };
    let lines = data.coverage.into_iter().map(row).collect_view();
    view! {
        <section class="card">
            <header>
                <h2>"What is encrypted"</h2>
            </header>
            <div class="scroll" tabindex="0" role="group" aria-label="What is encrypted">
                <table class="list">
                    <thead>
                        <tr>
                            <th scope="col">"Data"</th>
                            <th scope="col">"Stored in"</th>
                            <th scope="col" class="num">
                                "Items"
                            </th>
                            <th scope="col" class="num">
                                {under}
                            </th>
                        </tr>
                    </thead>
                    <tbody>
                        {lines} <tr>
                            <td>"Accounts, roles, sessions, history"</td>
                            <td>"Database"</td>
                            <td class="num">"—"</td>
                            <td class="num soft">
                                "Not encrypted with your key, so that you can still sign in and see why data is locked"
                            </td>
                        </tr>
                    </tbody>
                </table>
            </div>
        </section>
    }
}

fn row(line: CoverageLine) -> impl IntoView {
    view! {
        <tr>
            <td>{line.data}</td>
            <td>{line.stored_in}</td>
            <td class="num">{format::count(line.items)}</td>
            <td class="num">{format::percent(line.current, line.items)} " %"</td>
        </tr>
    }
}
