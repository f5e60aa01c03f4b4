//! Takes connections in.

use super::stream::{ConnectionHandle, GuardedStream};
use crate::services::outgoing::Outgoing;
use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use rustix::net::sockopt::set_socket_send_buffer_size;
use std::{io, net::SocketAddr, sync::Arc};
use tokio::net::TcpListener;

/// What the kernel may hold for one connection; it doubles the number. Large enough for a gigabit at a distance of some
/// milliseconds, and little enough to be nothing when a lock drops it.
const SEND_BUFFER: usize = 128 * 1024;

/// A listener whose connections end with the lease of what they carry.
pub struct GuardedListener {
    pub listener: TcpListener,
    pub account: Arc<Outgoing>,
}

impl Listener for GuardedListener {
    type Io = GuardedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (GuardedStream, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Small answers go out at once instead of waiting for more to send.
        let prepared = stream.set_nodelay(true).and_then(|()| Ok(set_socket_send_buffer_size(&stream, SEND_BUFFER)?));
        if let Err(error) = prepared {
            tracing::debug!(%error, "a connection keeps the system's settings");
        }
        (GuardedStream::new(stream, Arc::clone(&self.account), address), address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, GuardedListener>> for ConnectionHandle {
    fn connect_info(stream: IncomingStream<'_, GuardedListener>) -> Self {
        stream.io().handle()
    }
}
