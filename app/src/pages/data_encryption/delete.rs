//! Deleting the customer managed key from Keystead.

use super::arn_field::{ArnField, FIELD};
use crate::{
    api::encryption::{DeleteKey, delete_key},
    browser::page::{self, Fields},
    components::{
        form::PostForm,
        more::{More, Section},
    },
    model::{
        error::{ApiError, KeyRefused},
        key_arn::KeyArn,
    },
};
use leptos::{prelude::*, server_fn::ServerFn, task::spawn_local};

#[component]
pub fn DeleteCard(
    arn: String,
    entered: Option<String>,
    hindrance: Option<&'static str>,
    failed: Option<ApiError>,
    children: Children,
) -> impl IntoView {
    view! {
        <section class="card danger">
            <header>
                <h2>"Delete key"</h2>
            </header>
            <div class="body">
                <p class="lede">
                    "Keystead stops using your key and re-encrypts all data with the provider's key. Your key in AWS is not touched."
                </p>
                {children()}
                <More about=Section::Delete/>
                <DeleteForm arn entered hindrance=hindrance.map(str::to_owned) failed/>
            </div>
        </section>
    }
}

/// The form. `arn` is the active key's, `entered` what was typed before; `failed` is what went wrong when it was last sent without scripts.
#[island]
fn DeleteForm(
    arn: String,
    entered: Option<String>,
    hindrance: Option<String>,
    failed: Option<ApiError>,
) -> impl IntoView {
    let error = RwSignal::new(failed);
    let busy = RwSignal::new(false);
    let is_hindered = hindrance.is_some();
    let send = move |fields: Fields| {
        if busy.get_untracked() || is_hindered {
            return;
        }
        let entered = match check(&fields.text("arn"), &arn) {
            Ok(entered) => entered,
            Err(problem) => {
                error.set(Some(problem));
                return page::focus(FIELD);
            }
        };
        error.set(None);
        busy.set(true);
        spawn_local(async move {
            match delete_key(entered).await {
                Ok(()) => page::reload(),
                Err(refused) => {
                    error.set(Some(refused));
                    page::focus(FIELD);
                }
            }
            busy.set(false);
        });
    };
    view! {
        <PostForm url=DeleteKey::PATH on_send=send grave=true>
            <ArnField
                placeholder="Enter the ARN of the key to delete"
                hint="Enter the ARN of the active key, to prevent accidental deletion."
                entered
                error
                hindrance
            />
            <div>
                <button
                    class="button destroy"
                    type=if is_hindered { "button" } else { "submit" }
                    aria-disabled=move || (is_hindered || busy.get()).then_some("true")
                    aria-describedby="arn-hindrance"
                >
                    "Delete Key"
                </button>
            </div>
        </PostForm>
    }
}

/// The ARN, if it is that of the active key.
fn check(entered: &str, active: &str) -> Result<String, ApiError> {
    let arn = KeyArn::parse(entered)?;
    if arn.as_str() == active { Ok(arn.as_str().to_owned()) } else { Err(KeyRefused::NotTheActiveKey.into()) }
}
