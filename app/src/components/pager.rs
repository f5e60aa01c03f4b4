//! Links from one page of a list to the next.

use leptos::prelude::*;

/// Links to the first page and to the next one. `next` is the server's own word for where the next page begins.
#[component]
pub fn Pager(query: &'static str, next: Option<String>, first: Option<String>, older: &'static str) -> impl IntoView {
    if next.is_none() && first.is_none() {
        return ().into_any();
    }
    view! {
        <div class="row pager">
            {first
                .map(|href| {
                    view! {
                        <a class="button" href=href>
                            "Newest"
                        </a>
                    }
                })}
            {next
                .map(|next| {
                    view! {
                        <a class="button" href=format!("?{query}={}", leptos_router::location::Url::escape(&next))>
                            {older}
                        </a>
                    }
                })}
        </div>
    }
    .into_any()
}
