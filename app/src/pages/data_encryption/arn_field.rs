//! The field *KMS Key ARN*, with what is wrong with it.

use super::Board;
use crate::{
    components::form::FieldError,
    model::{
        error::{ApiError, KeyRefused},
        key_arn::KeyArn,
    },
};
use leptos::prelude::*;

/// The id of the field. There is at most one on the page.
pub const FIELD: &str = "kms-key-arn";

/// What can be said about an ARN without asking anybody.
pub fn check(board: Board, entered: &str) -> Result<KeyArn, ApiError> {
    let arn = KeyArn::parse(entered)?;
    board
        .deployment
        .with_value(|home| arn.check_home(&home.partition, &home.region))
        .map_err(|problem| KeyRefused::Problem(problem).into())
        .map(|()| arn)
}

#[component]
pub fn ArnField(
    placeholder: &'static str,
    hint: &'static str,
    error: RwSignal<Option<ApiError>>,
    #[prop(into)] hindrance: Signal<Option<&'static str>>,
) -> impl IntoView {
    let is_hindered = move || hindrance.with(Option::is_some);
    view! {
        <div class="field">
            <label for=FIELD>"KMS Key ARN"</label>
            <input
                class="input mono"
                id=FIELD
                name="arn"
                type="text"
                autocomplete="off"
                autocapitalize="off"
                spellcheck="false"
                placeholder=placeholder
                readonly=is_hindered
                aria-disabled=move || is_hindered().then_some("true")
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                aria-describedby="arn-error arn-hindrance arn-hint"
            />
            <FieldError id="arn-error" error=error/>
            <p class="hindrance" id="arn-hindrance" hidden=move || !is_hindered()>
                {move || hindrance.get()}
            </p>
            <p class="hint" id="arn-hint">
                {hint}
            </p>
        </div>
    }
}
