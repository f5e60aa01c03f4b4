//! Sending a reader elsewhere, before anything of the page has been shown. Only the server renders these.

use leptos::prelude::*;

/// Goes to another page of this site.
#[component]
pub fn GoTo(#[prop(into)] path: String) -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let (Some(response), Ok(place)) =
        (use_context::<leptos_axum::ResponseOptions>(), http::HeaderValue::from_str(&path))
    {
        response.insert_header(http::header::LOCATION, place);
        response.set_status(http::StatusCode::FOUND);
    }
    let shown = path.clone();
    view! {
        <p class="soft">
            "Going to " <a href=path>{shown}</a>
        </p>
    }
}

/// Goes to the sign-in page, and afterwards back to where the reader wanted to be.
#[component]
pub fn GoToSignIn() -> impl IntoView {
    let place = leptos_router::hooks::use_location();
    let mut path = place.pathname.get_untracked();
    let search = place.search.get_untracked();
    // An error of an earlier form is of no use after signing in.
    if !search.is_empty() && !search.contains("__err") {
        path.push('?');
        path.push_str(&search);
    }
    view! { <GoTo path=crate::return_path::sign_in_for(&path)/> }
}

/// Has the browser load the page that is being rendered anew after so many seconds, also without scripts.
pub fn load_again(seconds: u32) {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.insert_header(http::header::REFRESH, http::HeaderValue::from(seconds));
    }
    #[cfg(not(feature = "ssr"))]
    let _ = seconds;
}

/// Sets the status of the page that the server is rendering.
pub fn page_status(status: u16) {
    #[cfg(feature = "ssr")]
    if let (Some(response), Ok(status)) =
        (use_context::<leptos_axum::ResponseOptions>(), http::StatusCode::from_u16(status))
    {
        response.set_status(status);
    }
    #[cfg(not(feature = "ssr"))]
    let _ = status;
}

/// Has browsers tell nobody the address of the page that is being rendered, because it is a secret.
pub fn tell_nobody() {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.insert_header(http::header::REFERRER_POLICY, http::HeaderValue::from_static("strict-origin"));
    }
}
