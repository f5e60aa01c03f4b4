//! Forms. Each is a plain form first, so that it works without scripts; in an island the page sends it itself, keeps what was
//! typed, and says what was wrong beside it.

use crate::{
    browser::page::Fields,
    components::icon::{COPY, Icon},
    model::error::ApiError,
};
use leptos::{ev::SubmitEvent, prelude::*, server_fn::ServerFn};

/// A form that posts to `url`, or calls `on_send` with its fields when there are scripts.
#[component]
pub fn PostForm(
    url: &'static str,
    #[prop(into)] on_send: Callback<Fields>,
    #[prop(default = "stack")] class: &'static str,
    /// Whether fresh proof is asked for (`components/proof.rs`).
    #[prop(optional)]
    grave: bool,
    children: Children,
) -> impl IntoView {
    let send = move |event: SubmitEvent| on_send.run(Fields::take(&event));
    view! {
        <form class=class method="post" action=url data-grave=grave.then_some("always") on:submit=send>
            {children()}
        </form>
    }
}

/// What was wrong with a field, or nothing.
#[component]
pub fn FieldError(#[prop(into)] id: String, #[prop(into)] error: Signal<Option<ApiError>>) -> impl IntoView {
    view! {
        <p class="error" id=id role="alert" hidden=move || error.with(Option::is_none)>
            {move || error.with(|error| error.as_ref().map_or("", ApiError::message))}
        </p>
    }
}

/// What was wrong with a field of a plain form, or nothing.
#[component]
pub fn FieldNote(#[prop(into)] id: String, error: Option<ApiError>) -> impl IntoView {
    error.map(|error| {
        view! {
            <p class="error" id=id role="alert">
                {error.message()}
            </p>
        }
    })
}

/// A button that sends its form. While `busy`, it says so and sends nothing.
#[component]
pub fn SendButton(label: &'static str, busy: RwSignal<bool>) -> impl IntoView {
    view! {
        <button class="button primary" type="submit" aria-disabled=move || busy.get().then_some("true")>
            {label}
        </button>
    }
}

/// A button that copies `text`, once there are scripts.
#[component]
pub fn CopyButton(label: &'static str, text: String) -> impl IntoView {
    view! {
        <button class="icon-button copy scripted" type="button" aria-label=label title=label data-copy=text>
            <Icon paths=COPY/>
        </button>
    }
}

/// What a plain form of the server function `S` brought back in the address, if anything went wrong.
pub fn returned_error<S>() -> Option<ApiError>
where
    S: ServerFn<Error = ApiError> + Clone + Send + Sync + 'static,
    S::Output: Send + Sync + 'static,
{
    let value = ServerAction::<S>::new().value();
    untrack(|| value.with(|value| value.as_ref().and_then(|result| result.as_ref().err().cloned())))
}

/// The same, as a notice of its own, for forms that are closed when the page comes back.
#[component]
pub fn ReturnedError(error: Option<ApiError>) -> impl IntoView {
    error.map(|error| {
        view! {
            <p class="notice bad" role="alert">
                {error.message()}
            </p>
        }
    })
}
