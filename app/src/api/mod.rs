//! The server functions: the only door from the pages to the server. Each authenticates, calls one port and returns a shared
//! type. All are POST, so that no link can call one.

pub mod account;
pub mod audit;
pub mod encryption;
pub mod files;
pub mod members;
pub mod notes;
pub mod organization;
pub mod session;
pub mod workspace_members;
pub mod workspaces;

#[cfg(feature = "ssr")]
mod answer {
    //! How an answer of a server function looks over HTTP.

    use crate::model::error::ApiError;
    use http::{
        HeaderValue, StatusCode,
        header::{ACCEPT, RETRY_AFTER},
        request::Parts,
    };
    use leptos::prelude::use_context;
    use leptos_axum::ResponseOptions;

    /// Whether a server function is being called by a form, without scripts. Such a call is answered with a redirect.
    pub fn is_plain_form() -> bool {
        use_context::<Parts>().is_some_and(|request| accepts_html(&request))
    }

    fn accepts_html(request: &Parts) -> bool {
        request
            .headers
            .get(ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.contains("text/html"))
    }

    /// Sends a plain form to where proof is given, if that is what it lacks, and from there to `then`.
    pub fn ask_for_proof<T>(outcome: Result<T, ApiError>, then: &str) -> Result<T, ApiError> {
        if matches!(outcome, Err(ApiError::ProofNeeded)) && is_plain_form() {
            leptos_axum::redirect(&crate::api::account::confirm_path(then));
        }
        outcome
    }

    /// Gives an error its HTTP status, when a script asked. A plain form's redirect, and a page that is being rendered and
    /// calls the function directly, are left alone.
    pub async fn answer<T>(work: impl Future<Output = Result<T, ApiError>>) -> Result<T, ApiError> {
        let request = use_context::<Parts>();
        let response = use_context::<ResponseOptions>();
        let result = work.await;
        if let (Err(error), Some(request), Some(response)) = (&result, request, response) {
            let is_call = request.uri.path().starts_with("/api/") && !accepts_html(&request);
            if let (true, Ok(status)) = (is_call, StatusCode::from_u16(error.status())) {
                response.set_status(status);
            }
            if let ApiError::TooManyAttempts { seconds } = error {
                response.insert_header(RETRY_AFTER, HeaderValue::from(*seconds));
            }
        }
        result
    }
}

#[cfg(feature = "ssr")]
use answer::answer;
