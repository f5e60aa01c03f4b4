//! The field *KMS Key ARN*, with what is wrong with it.

use crate::{components::form::FieldError, model::error::ApiError};
use leptos::prelude::*;

/// The id of the field. There is at most one on the page.
pub const FIELD: &str = "kms-key-arn";

#[component]
pub fn ArnField(
    placeholder: &'static str,
    hint: &'static str,
    #[prop(optional_no_strip)] entered: Option<String>,
    error: RwSignal<Option<ApiError>>,
    hindrance: Option<String>,
) -> impl IntoView {
    let is_hindered = hindrance.is_some();
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
                value=entered
                readonly=is_hindered
                aria-disabled=is_hindered.then_some("true")
                aria-invalid=move || error.with(Option::is_some).then_some("true")
                aria-describedby="arn-error arn-hindrance arn-hint"
            />
            <FieldError id="arn-error" error=error/>
            <p class="hindrance" id="arn-hindrance" hidden=!is_hindered>
                {hindrance}
            </p>
            <p class="hint" id="arn-hint">
                {hint}
            </p>
        </div>
    }
}
