//! Dialogs by the browser's own popovers: they open, close with Escape and return the focus without a line of script.

use crate::{
    browser::page::{self, Fields},
    components::form::{FieldError, PostForm, SendButton},
    model::error::ApiError,
};
use leptos::prelude::*;

/// A form in a dialog. A button with `popovertarget` of the same id opens it.
#[component]
pub fn FormDialog(
    id: &'static str,
    title: &'static str,
    url: &'static str,
    send: &'static str,
    /// Whether sending destroys something.
    #[prop(optional)]
    destroys: bool,
    #[prop(into)] on_send: Callback<Fields>,
    #[prop(into)] error: Signal<Option<ApiError>>,
    #[prop(into)] busy: Signal<bool>,
    children: Children,
) -> impl IntoView {
    let title_id = format!("{id}-title");
    let labelled_by = title_id.clone();
    let error_id = format!("{id}-error");
    view! {
        <div class="dialog card" id=id popover="auto" role="dialog" aria-labelledby=labelled_by>
            <header>
                <h2 id=title_id>{title}</h2>
            </header>
            <div class="body">
                <PostForm url=url on_send=on_send>
                    {children()} <FieldError id=error_id error=error/>
                    <div class="row">
                        <SendButton label=send busy=busy class=if destroys { "button destroy" } else { "button primary" }/>
                        <button class="button" type="button" popovertarget=id popovertargetaction="hide">
                            "Cancel"
                        </button>
                    </div>
                </PostForm>
            </div>
        </div>
    }
}

/// A question before something small is destroyed: one per list, for whichever item was asked about last.
#[component]
pub fn ConfirmDialog(
    id: &'static str,
    title: &'static str,
    #[prop(into)] question: Signal<String>,
    #[prop(into)] on_yes: Callback<()>,
) -> impl IntoView {
    let title_id = format!("{id}-title");
    let labelled_by = title_id.clone();
    let yes = move |_| {
        page::close_dialog(id);
        on_yes.run(());
    };
    view! {
        <div class="dialog card" id=id popover="auto" role="dialog" aria-labelledby=labelled_by>
            <header>
                <h2 id=title_id>{title}</h2>
            </header>
            <div class="body">
                <p class="wrap">{move || question.get()}</p>
                <div class="row">
                    <button class="button destroy" type="button" on:click=yes>
                        "Delete"
                    </button>
                    <button class="button" type="button" popovertarget=id popovertargetaction="hide">
                        "Cancel"
                    </button>
                </div>
            </div>
        </div>
    }
}
