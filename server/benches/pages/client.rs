//! Connections that ask for one path again and again, and allocate nothing meanwhile.

use rustix::time::{ClockId, clock_gettime};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

/// A connection.
pub struct Client {
    connection: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

/// Seconds on the wall and of the processors, for one answer.
#[derive(Clone, Copy)]
pub struct Cost {
    pub wall: f64,
    /// Of the whole process.
    pub processors: f64,
    /// The part of it that is the server's: without that of the clients.
    pub server: f64,
}

impl Client {
    pub fn new(address: SocketAddr, path: &str, cookie: &str) -> Self {
        let connection = TcpStream::connect(address).unwrap();
        connection.set_nodelay(true).unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: text/html\r\nCookie: {cookie}\r\n\r\n");
        Self { connection, request: request.into_bytes(), answer: vec![0; 1 << 20] }
    }

    /// So many of them.
    pub fn many(count: usize, address: SocketAddr, path: &str, cookie: &str) -> Vec<Self> {
        (0..count).map(|_| Self::new(address, path, cookie)).collect()
    }

    /// Gives the whole answer.
    pub fn get(&mut self) -> &[u8] {
        self.connection.write_all(&self.request).unwrap();
        let mut length = 0;
        while !is_whole(&self.answer[..length]) {
            let read = self.connection.read(&mut self.answer[length..]).unwrap();
            assert!(read > 0, "the connection ended");
            length += read;
        }
        &self.answer[..length]
    }
}

/// Whether an answer of HTTP/1.1 is complete.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let (head, body) = (std::str::from_utf8(&answer[..end]).unwrap(), &answer[end + 4..]);
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    match head.lines().find_map(|line| line.strip_prefix("content-length: ")) {
        Some(length) => body.len() == length.parse::<usize>().unwrap(),
        None => body.ends_with(b"\r\n0\r\n\r\n"),
    }
}

fn seconds(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Lets each client ask so often, as fast as it is answered.
pub fn round(clients: &mut [Client], each: usize) -> Cost {
    let (wall, used) = (Instant::now(), seconds(ClockId::ProcessCPUTime));
    let by_clients: f64 = thread::scope(|scope| {
        let ask = |client: &mut Client| {
            let used = seconds(ClockId::ThreadCPUTime);
            (0..each).for_each(|_| assert!(!client.get().is_empty()));
            seconds(ClockId::ThreadCPUTime) - used
        };
        let asking: Vec<_> = clients.iter_mut().map(|client| scope.spawn(move || ask(client))).collect();
        asking.into_iter().map(|asking| asking.join().unwrap()).sum()
    });
    let answers = (clients.len() * each) as f64;
    let processors = seconds(ClockId::ProcessCPUTime) - used;
    Cost {
        wall: wall.elapsed().as_secs_f64() / answers,
        processors: processors / answers,
        server: (processors - by_clients) / answers,
    }
}

/// Asks so often a second in all, for so long, whatever becomes of the answers. Gives the milliseconds from the moment at which
/// each request was to be sent to the end of its answer.
pub fn at_rate(clients: &mut [Client], rate: f64, time: Duration) -> Vec<f64> {
    let (began, count, turns) = (Instant::now(), (rate * time.as_secs_f64()) as usize, clients.len());
    thread::scope(|scope| {
        let ask = |client: &mut Client, first: usize| {
            let mut took = Vec::with_capacity(count / turns + 1);
            for n in (first..count).step_by(turns) {
                let intended = began + Duration::from_secs_f64(n as f64 / rate);
                thread::sleep(intended.saturating_duration_since(Instant::now()));
                assert!(!client.get().is_empty());
                took.push(intended.elapsed().as_secs_f64() * 1e3);
            }
            took
        };
        let asking: Vec<_> =
            clients.iter_mut().enumerate().map(|(first, client)| scope.spawn(move || ask(client, first))).collect();
        asking.into_iter().flat_map(|asking| asking.join().unwrap()).collect()
    })
}
