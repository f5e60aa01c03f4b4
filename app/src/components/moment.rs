//! Points in time. The server knows no reader's clock, so it writes the date; the browser then says how long ago.

use crate::format;
use leptos::prelude::*;

/// The date and time, in UTC.
#[component]
pub fn Moment(at: i64, #[prop(optional)] seconds: bool) -> impl IntoView {
    view! { <time datetime=format::machine_time(at)>{format::people_time(at, seconds)}</time> }
}

/// The same beside another time: of the same day, the clock alone.
#[component]
pub fn MomentBeside(at: i64, other: i64) -> impl IntoView {
    view! { <time datetime=format::machine_time(at)>{format::people_time_beside(at, other)}</time> }
}

/// The same, which the browser changes into how long ago it was.
#[component]
pub fn Ago(at: i64) -> impl IntoView {
    let date = format::people_time(at, false);
    let title = date.clone();
    view! {
        <time datetime=format::machine_time(at) data-ago=at.to_string() title=title>
            {date}
        </time>
    }
}
