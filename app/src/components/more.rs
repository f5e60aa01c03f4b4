//! Links from where a question arises to the part of the guide that answers it.

pub use crate::sections::{HELP, Section};

use leptos::prelude::*;

/// A link to a section of the guide, called what it answers. It needs an `id` where it stands in what is exchanged while the
/// page is open, so that it keeps the focus.
#[component]
pub fn More(about: Section, #[prop(optional)] id: Option<&'static str>) -> impl IntoView {
    view! {
        <a class="more small" id=id href=about.href()>
            {about.invitation()}
        </a>
    }
}
