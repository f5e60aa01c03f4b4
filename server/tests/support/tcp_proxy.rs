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

/// How the line is, and how often it was cut: a cut counts for whoever was there, however short it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct State {
    line: Line,
    cuts: u64,
}

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
    state: watch::Sender<State>,
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
        let (state, follow) = watch::channel(State { line: Line::Open, cuts: 0 });
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, upstream, follow.clone()));
            }
        });
        Self { url, state, accepting }
    }

    /// Resets every connection, also those in the black hole, and each new one.
    pub fn cut(&self) {
        self.state.send_modify(|state| *state = State { line: Line::Cut, cuts: state.cuts + 1 });
    }

    /// Lets nothing through any more, and tells nobody.
    pub fn black_hole(&self) {
        self.state.send_modify(|state| state.line = Line::Dark);
    }

    /// Lets new connections through.
    pub fn restore(&self) {
        self.state.send_modify(|state| state.line = Line::Open);
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(mut client: TcpStream, upstream: SocketAddr, mut follow: watch::Receiver<State>) {
    let began = *follow.borrow_and_update();
    let mut server = None;
    if began.line == Line::Open {
        let Ok(connected) = TcpStream::connect(upstream).await else {
            client.set_zero_linger().ok();
            return;
        };
        let server = server.insert(connected);
        client.set_nodelay(true).ok();
        server.set_nodelay(true).ok();
        tokio::select! {
            _ = copy_bidirectional(&mut client, server) => return,
            changed = follow.wait_for(|now| now.line != Line::Open || now.cuts != began.cuts) => {
                if changed.is_err() {
                    return;
                }
            }
        }
    }
    // Held for as long as the line is not cut, and then reset.
    if began.line == Line::Cut || follow.wait_for(|now| now.cuts != began.cuts).await.is_ok() {
        client.set_zero_linger().ok();
        if let Some(server) = server {
            server.set_zero_linger().ok();
        }
    }
}
