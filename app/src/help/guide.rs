//! The guide to customer managed keys: its contents and its sections, in their order.

use super::{Reader, Terms, limits, prose::marked, questions, states, steps};
use crate::{format, promises::ENDS_WITHIN_SECONDS, sections::Section};
use leptos::prelude::*;

pub fn guide(reader: &Reader, terms: &Terms) -> AnyView {
    let lede = format!(
        "All data that is stored here is encrypted, always. Your organization can decide that this is done under an AWS KMS \
         key of its own, and take access away within {} at any time.",
        format::counted(ENDS_WITHIN_SECONDS, "second", "seconds"),
    );
    view! {
        <h1>"Customer managed keys for data encryption"</h1>
        <p class="lede">{lede}</p>
        <nav class="contents" aria-labelledby="contents">
            <h2 id="contents">"On this page"</h2>
            <ol>{Section::ALL.map(entry).collect_view()}</ol>
        </nav>
        {Section::ALL.map(|section| part(section, reader, terms)).collect_view()}
    }
    .into_any()
}

fn entry(section: Section) -> AnyView {
    let href = ["#", section.id()].concat();
    view! {
        <li>
            <a href=href>{section.title()}</a>
        </li>
    }
    .into_any()
}

fn part(section: Section, reader: &Reader, terms: &Terms) -> AnyView {
    let content = match section {
        Section::What => steps::what(),
        Section::Prerequisites => steps::prerequisites(),
        Section::Create => steps::create(),
        Section::Activate => steps::activate(),
        Section::After => steps::after(),
        Section::Disable => steps::disable(terms),
        Section::Delete => steps::delete(),
        Section::Replace => steps::replace(),
        Section::Rotate => steps::rotate(),
        Section::States => states::states(terms),
        Section::Limits => limits::limits(terms),
        Section::Backups => limits::backups(),
        Section::Costs => limits::costs(reader, terms),
        Section::Questions => questions::questions(terms),
    };
    view! {
        <section id=section.id()>
            <h2>{section.title()}</h2>
            {content}
        </section>
    }
    .into_any()
}

/// A table that scrolls by itself where it is wider than the page, also by keyboard. `rows` begin with their heading.
pub fn table(caption: &'static str, heads: &[&'static str], rows: Vec<Vec<String>>) -> AnyView {
    let row = |cells: Vec<String>| {
        let mut cells = cells.into_iter();
        let first = cells.next().unwrap_or_default();
        let others = cells.map(|cell| view! { <td>{marked(&cell)}</td> }).collect_view();
        view! {
            <tr>
                <th scope="row">{marked(&first)}</th>
                {others}
            </tr>
        }
    };
    view! {
        <div class="scroll" role="region" aria-label=caption tabindex="0">
            <table class="list">
                <caption class="visually-hidden">{caption}</caption>
                <thead>
                    <tr>{heads.iter().map(|head| view! { <th scope="col">{*head}</th> }).collect_view()}</tr>
                </thead>
                <tbody>{rows.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}
