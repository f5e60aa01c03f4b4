//! Ties answers to their connection.

use super::{
    super::{HttpState, errors::Refusal},
    stream::{Carrying, ConnectionHandle},
};
use app::{model::error::ApiError, ports::OrganizationPort};
use axum::{
    body::{Body, Bytes},
    extract::{ConnectInfo, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::{
    pin::Pin,
    task::{Context, Poll},
};
use uuid::Uuid;
use vault::{Leash, Scope, Vault};

/// Runs a route that may open data, and ties its answer to the lease it was made under. A route that has opened something
/// under a lease of its own puts that [`Leash`] into the extensions of its answer.
pub async fn carry(State(state): State<HttpState>, request: Request, next: Next) -> Response {
    let vault = &state.services.vault;
    let (locks, was_open) = (vault.locks(), vault.is_open());
    let connection = request.extensions().get::<ConnectInfo<ConnectionHandle>>().map(|info| info.0.clone());
    let workspace = workspace_in(request.uri().path());
    let mut response = next.run(request).await;
    let own = response.extensions_mut().remove::<Leash>();
    let leash = vault.leash();
    if vault.locks() != locks || (was_open && leash.is_none()) {
        // What was opened before the lock must not go out after it.
        let face = state.services.organization.lock();
        let refused = face.map_or(ApiError::Unavailable, |face| ApiError::Locked(Box::new(face)));
        let is_empty = response.status().is_redirection() || response.extensions().get::<Refusal>().is_some();
        return if is_empty { response } else { Refusal(refused).into_response() };
    }
    let (Some(leash), Some(connection)) = (leash, connection) else { return response };
    let leashes = [Some(leash), own, inside(vault, workspace)].into_iter().flatten().collect();
    let carrying = connection.carry(leashes);
    response.map(|body| Body::new(CarriedBody { body, _carrying: carrying }))
}

/// The leash of what is opened in a workspace.
fn inside(vault: &Vault, workspace: Option<Uuid>) -> Option<Leash> {
    vault.leash_of(Scope::Workspace(workspace?))
}

/// The workspace that a page or a file is in.
fn workspace_in(path: &str) -> Option<Uuid> {
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
