//! Takes connections in, and speaks HTTP/1.1 on them.
//!
//! What must stay true: no client holds a connection for ever. The head of a request has to come within its time, which also
//! ends a connection on which nothing comes; what takes answers too slowly is ended by the stream.

use super::stream::GuardedStream;
use crate::{http::patience::Patience, services::outgoing::Outgoing};
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    serve::Listener,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use rustix::net::sockopt::set_socket_send_buffer_size;
use std::{future::Future, pin::pin, sync::Arc};
use tokio::net::TcpListener;
use tower::ServiceExt;

/// What the kernel may hold for one connection; it doubles the number. Large enough for a gigabit at a distance of some
/// milliseconds, and little enough to be nothing when a lock drops it.
const SEND_BUFFER: usize = 128 * 1024;

/// A listener whose connections end with the lease of what they carry.
pub struct GuardedListener {
    pub listener: TcpListener,
    pub account: Arc<Outgoing>,
    pub patience: Patience,
}

impl GuardedListener {
    /// Answers requests with `router` until `asked`, and then lets those that are running come to their end.
    pub async fn serve(mut self, router: Router, asked: impl Future<Output = ()>) {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(self.patience.head);
        let running = GracefulShutdown::new();
        let mut asked = pin!(asked);
        loop {
            let stream = tokio::select! {
                () = &mut asked => break,
                stream = self.accept() => stream,
            };
            let (handle, router) = (stream.handle(), router.clone());
            let answer = service_fn(move |request: Request<Incoming>| {
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(ConnectInfo(handle.clone()));
                router.clone().oneshot(request)
            });
            let connection = running.watch(http.serve_connection(TokioIo::new(stream), answer));
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection was broken off");
                }
            });
        }
        // Whoever knocks now is turned away at once.
        drop(self);
        running.shutdown().await;
    }

    async fn accept(&mut self) -> GuardedStream {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Small answers go out at once instead of waiting for more to send.
        let prepared = stream.set_nodelay(true).and_then(|()| Ok(set_socket_send_buffer_size(&stream, SEND_BUFFER)?));
        if let Err(error) = prepared {
            tracing::debug!(%error, "a connection keeps the system's settings");
        }
        GuardedStream::new(stream, Arc::clone(&self.account), address, self.patience.taking)
    }
}
