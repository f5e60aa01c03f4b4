//! Ties answers to their connection.

use super::{
    super::{HttpState, errors::Refusal},
    stream::{Carrying, ConnectionHandle},
};
use crate::services::opened::recording;
use app::model::error::ApiError;
use axum::{
    body::{Body, Bytes},
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body::{Body as HttpBody, Frame, SizeHint};
use percent_encoding::percent_decode_str;
use std::{
    pin::Pin,
    task::{Context, Poll},
};
use uuid::Uuid;
use vault::{Leash, Scope};

/// Runs a route that may open data, and ties its answer to the lease it was made under, and to the terms of the workspaces it
/// has opened something in: those whose data keys it has used on its own task, that of its address (a page is put together
/// on other tasks), and the [`Leash`] that a stream has put into the extensions of its answer.
pub async fn carry(State(state): State<HttpState>, request: Request, next: Next) -> Response {
    let vault = &state.services.vault;
    let (locks, was_open) = (vault.locks(), vault.is_open());
    let connection = request.extensions().get::<ConnectInfo<ConnectionHandle>>().map(|info| info.0.clone());
    let inside = workspace_in(request.uri().path());
    let leash_inside = || inside.and_then(|workspace| vault.leash_of(Scope::Workspace(workspace)));
    let before = leash_inside().filter(Leash::is_live);
    let (mut response, mut leashes) = recording(next.run(request)).await;
    let own = response.extensions_mut().remove::<Leash>();
    let leash = vault.leash();
    let all_ended = vault.locks() != locks || (was_open && leash.is_none());
    leashes.extend(before);
    if all_ended || leashes.iter().any(|leash| !leash.is_live()) {
        // What was opened before the lock must not go out after it. A page that only says why nothing is open may.
        let keys = state.services.files.keys();
        let face = inside.map_or_else(|| keys.face(), |workspace| keys.face_in(workspace));
        let refused = face.map_or(ApiError::Unavailable, |face| ApiError::Locked(Box::new(face)));
        let is_empty = response.status().is_redirection() || response.extensions().get::<Refusal>().is_some();
        return if is_empty { response } else { Refusal(refused).into_response() };
    }
    let (Some(leash), Some(connection)) = (leash, connection) else { return response };
    leashes.extend([Some(leash), own, leash_inside()].into_iter().flatten());
    let carrying = connection.carry(leashes);
    response.map(|body| Body::new(CarriedBody { body, _carrying: carrying }))
}

/// The workspace that a page or a file is in. The router decodes what is percent-encoded, so it is done here too.
fn workspace_in(path: &str) -> Option<Uuid> {
    let path = percent_decode_str(path).decode_utf8().ok()?;
    Uuid::try_parse(path.strip_prefix("/workspaces/")?.split('/').next()?).ok()
}

/// A body whose connection lives no longer than the lease of what is in it.
struct CarriedBody {
    body: Body,
    _carrying: Carrying,
}

impl HttpBody for CarriedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
