//! A proxy in front of `PostgreSQL` that can be cut, black-holed and restored.
//!
//! What must stay true: a connection that fell into the black hole never carries a byte again, also after it is restored, and
//! neither side is told. Only new connections work then.

use std::net::SocketAddr;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// How the line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Line {
    Open,
    /// Connections are reset, new ones at once.
    Cut,
    /// Nothing flows and nothing is closed.
    Dark,
}

/// A running proxy. It ends when it is dropped.
pub struct TcpProxy {
    /// The address of the database behind it, as a server is told it.
    pub url: String,
    line: watch::Sender<Line>,
    accepting: JoinHandle<()>,
}

impl TcpProxy {
    /// Starts one in front of the database at `url`, on a port of its own.
    pub async fn start(url: &str) -> Self {
        let (before, rest) = url.split_once('@').unwrap();
        let (upstream, name) = rest.split_once('/').unwrap();
        let upstream: SocketAddr = upstream.parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{before}@{}/{name}", listener.local_addr().unwrap());
        let (line, follow) = watch::channel(Line::Open);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, upstream, follow.clone()));
            }
        });
        Self { url, line, accepting }
    }

    /// Resets every connection, and each new one.
    pub fn cut(&self) {
        self.line.send_replace(Line::Cut);
    }

    /// Lets nothing through any more, and tells nobody.
    pub fn black_hole(&self) {
        self.line.send_replace(Line::Dark);
    }

    /// Lets new connections through.
    pub fn restore(&self) {
        self.line.send_replace(Line::Open);
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(mut client: TcpStream, upstream: SocketAddr, mut line: watch::Receiver<Line>) {
    let now = *line.borrow_and_update();
    let server = match now {
        Line::Open => TcpStream::connect(upstream).await.ok(),
        Line::Cut | Line::Dark => None,
    };
    if let Some(mut server) = server {
        client.set_nodelay(true).ok();
        server.set_nodelay(true).ok();
        let closed = tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => true,
            changed = line.wait_for(|line| *line != Line::Open) => changed.is_err(),
        };
        if closed {
            return;
        }
        end(client, Some(server), line).await;
    } else if now == Line::Open {
        client.set_zero_linger().ok();
    } else {
        end(client, None, line).await;
    }
}

/// Holds the connection for as long as the line is not cut, and then resets it.
async fn end(client: TcpStream, server: Option<TcpStream>, mut line: watch::Receiver<Line>) {
    if line.wait_for(|line| *line == Line::Cut).await.is_ok() {
        client.set_zero_linger().ok();
        if let Some(server) = server {
            server.set_zero_linger().ok();
        }
    }
}
