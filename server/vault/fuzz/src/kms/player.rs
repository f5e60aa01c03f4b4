//! A server that plays one reply to whatever it is asked.

use serde_json::Value;
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What these say is not for the input to choose: they frame the reply.
const FRAMING: [&[u8]; 5] = [b"content-length", b"transfer-encoding", b"connection", b"upgrade", b"trailer"];

/// A reply, as the input spells it.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub status: u16,
    /// Whole lines, not all of which need be headers.
    pub headers: Vec<Vec<u8>>,
    pub body: Vec<u8>,
}

impl Reply {
    /// Reads the call and the reply to it; none if there is no status.
    pub fn read(data: &[u8]) -> Option<(&str, Self)> {
        let end = data.windows(2).position(|pair| pair == b"\n\n").unwrap_or(data.len());
        let (head, body) = (&data[..end], data.get(end + 2..).unwrap_or_default());
        let mut lines = head.split(|byte| *byte == b'\n');
        let (call, status) = str::from_utf8(lines.next()?).ok()?.split_once(' ')?;
        let status = status.parse().ok().filter(|status| (100..1000).contains(status))?;
        let headers = lines.filter(|line| !is_framing(line)).map(<[u8]>::to_vec).collect();
        Some((call, Self { status, headers, body: body.to_vec() }))
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body, if it is JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether it has no end of its own: then only the end of the connection is one.
    fn ends_connection(&self) -> bool {
        self.status < 200 || self.status == 204 || self.status == 304
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes =
            format!("HTTP/1.1 {} Played\r\nContent-Length: {}\r\n", self.status, self.body.len()).into_bytes();
        for line in &self.headers {
            bytes.extend_from_slice(line);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// A line that would end the headers early or frame the reply in another way.
fn is_framing(line: &[u8]) -> bool {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
    line.trim_ascii().is_empty() || line.contains(&b'\r') || FRAMING.contains(&name.as_slice())
}

/// The server. It lives in the runtime it was started in.
pub struct Player {
    endpoint: String,
    playing: Arc<Mutex<Reply>>,
}

impl Player {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let playing = Arc::new(Mutex::new(Reply::default()));
        let shared = Arc::clone(&playing);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&shared)));
            }
        });
        Self { endpoint, playing }
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Plays this reply from now on.
    pub fn play(&self, reply: Reply) {
        *self.playing.lock().unwrap() = reply;
    }
}

/// Answers every request of a connection.
async fn answer(mut stream: TcpStream, playing: Arc<Mutex<Reply>>) {
    let _ = stream.set_nodelay(true);
    let mut asked = Vec::new();
    while let Some(length) = request(&mut stream, &mut asked).await {
        asked.drain(..length);
        let reply = playing.lock().unwrap().clone();
        if stream.write_all(&reply.bytes()).await.is_err() || reply.ends_connection() {
            return;
        }
    }
}

/// Waits for a whole request, and gives its length.
async fn request(stream: &mut TcpStream, asked: &mut Vec<u8>) -> Option<usize> {
    loop {
        if let Some(end) = asked.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&asked[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
            let whole = end + 4 + length.unwrap_or(0);
            if asked.len() >= whole {
                return Some(whole);
            }
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece).await {
            Ok(read) if read > 0 => asked.extend_from_slice(&piece[..read]),
            _ => return None,
        }
    }
}
