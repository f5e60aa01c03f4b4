//! Dialogs by the browser's own popovers: they open, close with Escape and return the focus without a line of script.

use leptos::prelude::*;

/// A dialog. A button with `popovertarget` of the same id opens it.
#[component]
pub fn Dialog(#[prop(into)] id: String, title: &'static str, children: Children) -> impl IntoView {
    let title_id = format!("{id}-title");
    let labelled_by = title_id.clone();
    view! {
        <div class="dialog card" id=id popover="auto" role="dialog" aria-labelledby=labelled_by>
            <header>
                <h2 id=title_id>{title}</h2>
            </header>
            <div class="body">{children()}</div>
        </div>
    }
}

/// Closes the dialog it is in.
#[component]
pub fn CancelButton(#[prop(into)] dialog: String) -> impl IntoView {
    view! {
        <button class="button" type="button" popovertarget=dialog popovertargetaction="hide">
            "Cancel"
        </button>
    }
}

/// A question before something is destroyed. The answer is a plain form, so it works without scripts.
#[component]
pub fn ConfirmDialog(
    #[prop(into)] id: String,
    title: &'static str,
    #[prop(into)] question: String,
    url: &'static str,
    /// What the button says that does it.
    #[prop(default = "Delete")]
    answer: &'static str,
    /// The names and values that the form sends.
    fields: Vec<(&'static str, String)>,
    /// Whether fresh proof is asked for (`components/proof.rs`).
    #[prop(optional)]
    grave: bool,
) -> impl IntoView {
    let fields =
        fields.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view();
    view! {
        <Dialog id=id.clone() title>
            <p class="wrap">{question}</p>
            <form class="row" method="post" action=url data-grave=grave.then_some("always")>
                {fields}
                <button class="button destroy" type="submit">
                    {answer}
                </button>
                <CancelButton dialog=id/>
            </form>
        </Dialog>
    }
}
