//! Which entries are shown: a plain form whose fields stand in the address.

use crate::{
    api::audit::PAGE,
    model::audit::{Action, AuditFilter, Outcome},
};
use leptos::prelude::*;
use leptos_router::location::Url;

/// The address of a page with this filter, and one thing more.
pub fn address(path: &str, filter: &AuditFilter, more: Option<(&str, &str)>) -> String {
    let fields = [
        ("from", filter.from.as_str()),
        ("to", filter.to.as_str()),
        ("actor", filter.actor.as_str()),
        ("action", filter.action.as_str()),
        ("outcome", filter.outcome.as_str()),
    ];
    let mut text = path.to_owned();
    let mut mark = '?';
    for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()).chain(more) {
        text.push(mark);
        text.push_str(name);
        text.push('=');
        text.push_str(&Url::escape(value));
        mark = '&';
    }
    text
}

#[component]
pub fn FilterForm(filter: AuditFilter, from_is_wrong: bool, to_is_wrong: bool) -> impl IntoView {
    let is_filtered = filter != AuditFilter::default();
    let moment = |name: &'static str, label: &'static str, value: String, wrong: bool| {
        let error = format!("{name}-error");
        // What is no time has no place in such a field, and browsers say so in their console.
        let value = if wrong { String::new() } else { value };
        view! {
            <div class="field">
                <label for=name>{label}</label>
                <input class="input" id=name name=name type="datetime-local" value=value aria-invalid=wrong.then_some("true")
                    aria-describedby=wrong.then(|| error.clone())/>
                {wrong.then(|| view! { <p class="error" id=error>"This is no time, so it was left out."</p> })}
            </div>
        }
    };
    let actions = Action::ALL.map(|action| (action.word(), action.label())).to_vec();
    let outcomes = Outcome::ALL.map(|outcome| (outcome.word(), outcome.label())).to_vec();
    let (from, to) = (with_minutes(&filter.from, "T00:00"), with_minutes(&filter.to, "T23:59"));
    view! {
        <section class="card" aria-label="Filter">
            <form class="body filter" method="get" action=PAGE>
                {moment("from", "From (UTC)", from, from_is_wrong)} {moment("to", "To (UTC)", to, to_is_wrong)}
                <div class="field">
                    <label for="actor">"Who"</label>
                    <input class="input" id="actor" name="actor" type="text" value=filter.actor autocomplete="off"
                        spellcheck="false" aria-describedby="actor-hint"/>
                    <p class="hint" id="actor-hint">"Email, user id, system, operator or nobody"</p>
                </div>
                <Choice name="action" label="Action" any="Any action" chosen=filter.action options=actions/>
                <Choice name="outcome" label="Outcome" any="Any outcome" chosen=filter.outcome options=outcomes/>
                <div class="row">
                    <button class="button primary" type="submit">
                        "Filter"
                    </button>
                    {is_filtered
                        .then(|| {
                            view! {
                                <a class="button" href=PAGE>
                                    "Clear"
                                </a>
                            }
                        })}
                </div>
            </form>
        </section>
    }
}

#[component]
fn Choice(
    name: &'static str,
    label: &'static str,
    any: &'static str,
    chosen: String,
    options: Vec<(&'static str, &'static str)>,
) -> impl IntoView {
    let options = options
        .into_iter()
        .map(|(word, label)| view! { <option value=word selected=word == chosen>{label}</option> })
        .collect_view();
    view! {
        <div class="field">
            <label for=name>{label}</label>
            <select class="input" id=name name=name>
                <option value="">{any}</option>
                {options}
            </select>
        </div>
    }
}

/// A day as the field for a minute shows it.
fn with_minutes(text: &str, minutes: &str) -> String {
    let text = text.trim();
    if text.is_empty() || text.contains('T') { text.to_owned() } else { format!("{text}{minutes}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_what_is_filled_in() {
        let mut filter = AuditFilter::default();
        assert_eq!(address("/a", &filter, None), "/a");
        filter.actor = "ada+1@example.com".to_owned();
        filter.action = "sign_in".to_owned();
        let text = address("/a", &filter, Some(("older", "7.3")));
        assert_eq!(text, "/a?actor=ada%2B1%40example%2Ecom&action=sign%5Fin&older=7%2E3");
    }
}
