//! A client on a bare connection, which reads when it is told to and not before, and sees how the connection ends.

use super::Browser;
use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

/// What the kernel on this side may hold for us, as far as it lets us say so.
const RECEIVE_BUFFER: u32 = 64 * 1024;
/// Longer than anything that a healthy server does by itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much is kept of what was read, at its beginning and at its end.
const HEAD: usize = 1024;
const TAIL: usize = 1024 * 1024;

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// In order, as after the last byte.
    Closed,
    /// Broken off.
    Reset,
}

pub struct RawClient {
    connection: TcpStream,
    /// How many bytes have been read so far.
    pub received: usize,
    /// The first of them, and the last.
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl RawClient {
    /// Sends a GET as this browser would, and does not read.
    pub async fn get(browser: &Browser, address: SocketAddr, path: &str) -> Self {
        Self::try_get(browser, address, path).await.unwrap()
    }

    /// The same with a server that may not be there.
    pub async fn try_get(browser: &Browser, address: SocketAddr, path: &str) -> io::Result<Self> {
        let cookie = browser.cookie.clone().unwrap();
        let head =
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: text/html,*/*\r\nCookie: {cookie}\r\n\r\n");
        Self::try_send(address, head.as_bytes()).await
    }

    /// Calls a server function as this browser would, with one argument that needs no encoding, and does not read.
    pub async fn call(browser: &Browser, address: SocketAddr, function: &str, argument: (&str, &str)) -> Self {
        let (cookie, body) = (browser.cookie.clone().unwrap(), format!("{}={}", argument.0, argument.1));
        let length = body.len();
        let request = format!(
            "POST /api/{function} HTTP/1.1\r\nHost: {address}\r\nAccept: application/json\r\nCookie: {cookie}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        Self::send(address, request.as_bytes()).await
    }

    /// Sends some bytes, and does not read.
    pub async fn send(address: SocketAddr, bytes: &[u8]) -> Self {
        Self::try_send(address, bytes).await.unwrap()
    }

    async fn try_send(address: SocketAddr, bytes: &[u8]) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
        let mut connection = socket.connect(address).await?;
        connection.write_all(bytes).await?;
        Ok(Self { connection, received: 0, head: Vec::new(), tail: Vec::new() })
    }

    /// Reads so many bytes at least.
    pub async fn read(&mut self, bytes: usize) {
        let goal = self.received + bytes;
        while self.received < goal {
            let ended = timeout(PATIENCE, self.piece()).await.expect("the server must go on");
            assert_eq!(ended, None, "the connection ended after {} bytes", self.received);
        }
    }

    /// Reads what is there and what still comes, until nothing has come for `quiet`. Gives the end, if that came.
    pub async fn drain(&mut self, quiet: Duration) -> Option<End> {
        loop {
            match timeout(quiet, self.piece()).await {
                Err(_) => return None,
                Ok(Some(end)) => return Some(end),
                Ok(None) => {}
            }
        }
    }

    /// Reads to the end.
    pub async fn end(&mut self) -> End {
        loop {
            if let Some(end) = timeout(PATIENCE, self.piece()).await.expect("the connection must not hang") {
                return end;
            }
        }
    }

    /// Sends more.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.connection.write_all(bytes).await
    }

    /// Whether the answer begins with this status.
    pub fn seen_status(&self, status: u16) -> bool {
        self.head.starts_with(format!("HTTP/1.1 {status} ").as_bytes())
    }

    /// Whether this text was among what was read. Of a long answer only its last part is kept.
    pub fn seen(&self, text: &str) -> bool {
        self.tail.windows(text.len()).any(|part| part == text.as_bytes())
    }

    /// Reads what comes next. Gives the end, if that is it.
    pub async fn piece(&mut self) -> Option<End> {
        let mut piece = vec![0; 64 * 1024];
        match self.connection.read(&mut piece).await {
            Ok(0) => Some(End::Closed),
            Ok(read) => {
                self.received += read;
                let missing = HEAD.saturating_sub(self.head.len()).min(read);
                self.head.extend_from_slice(&piece[..missing]);
                self.tail.extend_from_slice(&piece[..read]);
                let surplus = self.tail.len().saturating_sub(TAIL);
                self.tail.drain(..surplus);
                None
            }
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
                Some(End::Reset)
            }
            Err(error) => panic!("{error}"),
        }
    }
}
