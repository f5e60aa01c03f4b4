//! Points in time. The server knows no reader's clock, so both sides first write the date; the browser then says how long ago.

use crate::{format, live::Live};
use leptos::prelude::*;

/// The date and time, in UTC.
#[component]
pub fn Moment(at: i64, #[prop(optional)] seconds: bool) -> impl IntoView {
    view! { <time datetime=format::machine_time(at)>{format::people_time(at, seconds)}</time> }
}

/// How long ago, with the date on demand.
#[component]
pub fn Ago(at: i64) -> impl IntoView {
    let now = Live::here().now;
    let date = format::people_time(at, false);
    let title = date.clone();
    let text = move || now.get().and_then(|now| format::ago(now, at)).unwrap_or_else(|| date.clone());
    view! {
        <time datetime=format::machine_time(at) title=title>
            {text}
        </time>
    }
}
