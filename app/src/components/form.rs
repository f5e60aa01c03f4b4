//! Forms. Each is a plain form first, so that it works without scripts; with scripts the page sends it itself.

use crate::{
    browser::page::{self, Fields},
    components::icon::{COPY, Icon, TICK},
    model::error::ApiError,
};
use leptos::{ev::SubmitEvent, prelude::*};
use std::time::Duration;

/// A form that posts to `url`, or calls `on_send` with its fields when there are scripts.
#[component]
pub fn PostForm(
    url: &'static str,
    #[prop(into)] on_send: Callback<Fields>,
    #[prop(default = "stack")] class: &'static str,
    children: Children,
) -> impl IntoView {
    let send = move |event: SubmitEvent| on_send.run(Fields::take(&event));
    view! {
        <form class=class method="post" action=url on:submit=send>
            {children()}
        </form>
    }
}

/// What was wrong with a field, or nothing.
#[component]
pub fn FieldError(#[prop(into)] id: String, #[prop(into)] error: Signal<Option<ApiError>>) -> impl IntoView {
    view! {
        <p class="error" id=id role="alert" hidden=move || error.with(Option::is_none)>
            {move || error.with(|error| error.as_ref().map(ApiError::message))}
        </p>
    }
}

/// A button that sends its form. While `busy`, it says so and sends nothing.
#[component]
pub fn SendButton(
    label: &'static str,
    #[prop(into)] busy: Signal<bool>,
    #[prop(default = "button primary")] class: &'static str,
) -> impl IntoView {
    view! {
        <button class=class type="submit" aria-disabled=move || busy.get().then_some("true") aria-busy=move || busy.get().then_some("true")>
            {label}
        </button>
    }
}

/// Copies `text`. Only shown once there are scripts.
#[component]
pub fn CopyButton(label: &'static str, #[prop(into)] text: Signal<String>) -> impl IntoView {
    let copied = RwSignal::new(false);
    let copy = move |_| {
        page::copy(&text.get_untracked());
        copied.set(true);
        set_timeout(move || copied.set(false), Duration::from_secs(2));
    };
    view! {
        <button class="icon-button copy scripted" type="button" aria-label=label title=label on:click=copy>
            <Icon paths=Signal::derive(move || if copied.get() { TICK } else { COPY })/>
        </button>
        <span class="visually-hidden" role="status">
            {move || if copied.get() { "Copied" } else { "" }}
        </span>
    }
}

/// What an action last went wrong with. Starts with what a plain form brought back in the address.
pub fn last_error<T: Send + Sync + 'static>(
    value: impl Fn() -> Option<Result<T, ApiError>>,
) -> RwSignal<Option<ApiError>> {
    RwSignal::new(untrack(value).and_then(Result::err))
}
