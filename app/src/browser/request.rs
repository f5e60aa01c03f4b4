//! Requests that are not server functions: the small state route, and uploads, whose progress only `XMLHttpRequest` tells.

use super::page;
use crate::model::{
    error::{ApiError, Invalid},
    lock::LockFace,
};
use leptos::serde_json;
use serde::Deserialize;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{File, ProgressEvent, XmlHttpRequest};

const STATE: &str = "/state";

/// Says that the page asks, and not somebody who looks at it: that must not keep a session alive.
const BY_ITSELF: &str = "X-By-Itself";

/// What the state route answers.
#[derive(Deserialize)]
struct State {
    lock: Option<LockFace>,
}

/// Asks for a page or a route of this site, of the page's own accord. `answered` is given status and text; without an answer nothing is called.
pub fn get(path: &str, answered: impl FnOnce(u16, String) + 'static) {
    let Ok(request) = XmlHttpRequest::new() else { return };
    if request.open("GET", path).is_err() {
        return;
    }
    let _ = request.set_request_header(BY_ITSELF, "yes");
    let reply = request.clone();
    on_load(&request, move || {
        if let (Ok(status), Some(text)) = (reply.status(), body(&reply)) {
            answered(status, text);
        }
    });
    let _ = request.send();
}

/// Asks whether data is locked: all of it, or that of the workspace whose page is open. Without an answer nothing is called:
/// the next question comes soon.
pub fn ask_state(answered: impl FnOnce(Result<Option<LockFace>, ApiError>) + 'static) {
    let path = match page::workspace().filter(|_| !page::is_refused()) {
        Some(id) => format!("{STATE}?workspace={id}"),
        None => STATE.to_owned(),
    };
    get(&path, |status, text| match status {
        200 => {
            if let Ok(state) = serde_json::from_str::<State>(&text) {
                answered(Ok(state.lock));
            }
        }
        401 => answered(Err(ApiError::SignedOut)),
        404 => answered(Err(ApiError::NotFound)),
        _ => {}
    });
}

/// Sends a file. `progress` is told how many bytes have been sent, `ended` how it ended.
///
/// # Errors
/// What the browser says if it will not even begin.
pub fn upload(
    path: &str,
    file: &File,
    progress: impl FnMut(u64) + 'static,
    ended: impl FnOnce(Result<(), ApiError>) + Clone + 'static,
) -> Result<XmlHttpRequest, JsValue> {
    let request = XmlHttpRequest::new()?;
    request.open("POST", path)?;
    let media_type = file.type_();
    let media_type = if media_type.is_empty() { "application/octet-stream" } else { media_type.as_str() };
    request.set_request_header("Content-Type", media_type)?;
    request.set_request_header("X-File-Name", &String::from(js_sys::encode_uri_component(&file.name())))?;
    on_progress(&request, progress)?;
    let (reply, loaded) = (request.clone(), ended.clone());
    on_load(&request, move || loaded(outcome(&reply)));
    // The server refuses some uploads before it has read them all; the browser then only sees a broken connection.
    let failed = Closure::once_into_js(move || ended(Err(ApiError::Connection)));
    request.set_onerror(Some(failed.unchecked_ref()));
    request.send_with_opt_blob(Some(file))?;
    Ok(request)
}

fn outcome(reply: &XmlHttpRequest) -> Result<(), ApiError> {
    match reply.status() {
        Ok(201) => Ok(()),
        Ok(413) => Err(Invalid::FileTooLarge.into()),
        _ => Err(body(reply).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(ApiError::Connection)),
    }
}

fn body(reply: &XmlHttpRequest) -> Option<String> {
    reply.response_text().ok().flatten()
}

fn on_load(request: &XmlHttpRequest, loaded: impl FnOnce() + 'static) {
    let loaded: js_sys::Function = Closure::once_into_js(loaded).into();
    request.set_onload(Some(&loaded));
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn on_progress(request: &XmlHttpRequest, mut progress: impl FnMut(u64) + 'static) -> Result<(), JsValue> {
    let progress =
        Closure::<dyn FnMut(ProgressEvent)>::new(move |event: ProgressEvent| progress(event.loaded() as u64));
    let progress: js_sys::Function = progress.into_js_value().into();
    request.upload()?.set_onprogress(Some(&progress));
    Ok(())
}
