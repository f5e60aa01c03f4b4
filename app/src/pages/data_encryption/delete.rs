//! Deleting the customer managed key from Keystead.

use super::{
    Board,
    arn_field::{ArnField, FIELD},
    hindrance,
};
use crate::{
    api::encryption::DeleteKey,
    browser::page::{self, Fields},
    components::form::{PostForm, last_error},
    format,
    model::{
        error::{ApiError, KeyRefused},
        key_arn::KeyArn,
    },
};
use leptos::{prelude::*, server_fn::ServerFn};

#[component]
pub fn DeleteCard(board: Board) -> impl IntoView {
    let action = ServerAction::<DeleteKey>::new();
    let error = last_error(|| action.value().get());
    let blocked = board.part(hindrance);
    Effect::new(move |_| match action.value().get() {
        Some(Ok(())) => {
            board.refresh();
            page::focus("job-heading");
        }
        Some(Err(latest)) => {
            error.set(Some(latest));
            page::focus(FIELD);
        }
        None => {}
    });
    let send = move |fields: Fields| {
        if action.pending().get_untracked() || board.state.with_untracked(hindrance).is_some() {
            return;
        }
        match check(board, &fields.text("arn")) {
            Ok(arn) => {
                error.set(None);
                action.dispatch(DeleteKey { arn });
            }
            Err(problem) => {
                error.set(Some(problem));
                page::focus(FIELD);
            }
        }
    };
    let amount = board.part(|state| {
        format!(
            "{} and {} will be rewritten.",
            format::counted(state.amount.records, "record", "records"),
            format::counted(state.amount.files, "file", "files"),
        )
    });
    let is_blocked = move || blocked.with(Option::is_some);
    view! {
        <section class="card danger">
            <header>
                <h2>"Delete key"</h2>
            </header>
            <div class="body">
                <p class="lede">
                    "Keystead stops using your key and re-encrypts all data with the provider's key. Your key in AWS is not touched. "
                    {move || amount.get()}
                </p>
                <PostForm url=DeleteKey::PATH on_send=send>
                    <ArnField
                        placeholder="Enter the ARN of the key to delete"
                        hint="Enter the ARN of the active key, to prevent accidental deletion."
                        error
                        hindrance=blocked
                    />
                    <div>
                        <button
                            class="button destroy"
                            type=move || if is_blocked() { "button" } else { "submit" }
                            aria-disabled=move || (is_blocked() || action.pending().get()).then_some("true")
                            aria-describedby="arn-hindrance"
                        >
                            "Delete Key"
                        </button>
                    </div>
                </PostForm>
            </div>
        </section>
    }
}

/// The ARN, if it is that of the active key.
fn check(board: Board, entered: &str) -> Result<String, ApiError> {
    let arn = KeyArn::parse(entered)?;
    if board.state.with_untracked(|state| state.root.arn == arn.as_str()) {
        Ok(arn.as_str().to_owned())
    } else {
        Err(KeyRefused::NotTheActiveKey.into())
    }
}
