//! What it costs to zero memory as it is freed, in pages a second of the real server.
//!
//! One process serves the list of 50 workspaces while its allocator zeroes or does not, in rounds that take turns, so that a
//! slow moment of the machine meets both. The allocator is the program's own behind a switch; the client allocates nothing.
//! Beside the time on the wall stands the time of the processors, which other programs disturb less.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a benchmark may panic, prints rounded figures, and measures real time"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use app::ports::WorkspacesPort;
use rustix::time::{ClockId, clock_gettime};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};
use support::{Database, TestApp};
use vault::ZeroAlloc;

const WORKSPACES: usize = 50;
/// Connections that ask at once: more than there are processors.
const CLIENTS: usize = 4;
/// Pages for each connection in a round.
const PAGES: usize = 40;
/// Pairs of rounds, one with and one without.
const PAIRS: usize = 101;

/// The program's allocator, or the system's alone.
struct Switched;

static IS_ZEROING: AtomicBool = AtomicBool::new(false);
static ZEROING: ZeroAlloc<System> = ZeroAlloc(System);

#[allow(unsafe_code, reason = "an allocator cannot be switched without being one")]
// SAFETY: every call goes on as it came, and both allocators have their blocks from the same one.
unsafe impl GlobalAlloc for Switched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if IS_ZEROING.load(Ordering::Relaxed) {
            // SAFETY: the caller keeps to the contract of `dealloc`.
            unsafe { ZEROING.dealloc(block, layout) }
        } else {
            // SAFETY: likewise.
            unsafe { System.dealloc(block, layout) }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if IS_ZEROING.load(Ordering::Relaxed) {
            // SAFETY: the caller keeps to the contract of `realloc`.
            unsafe { ZEROING.realloc(block, layout, new_size) }
        } else {
            // SAFETY: likewise.
            unsafe { System.realloc(block, layout, new_size) }
        }
    }
}

#[global_allocator]
static ALLOCATOR: Switched = Switched;

/// A connection that asks for the page again and again.
struct Client {
    connection: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Client {
    fn new(address: SocketAddr, cookie: &str) -> Self {
        let connection = TcpStream::connect(address).unwrap();
        connection.set_nodelay(true).unwrap();
        let request =
            format!("GET /workspaces HTTP/1.1\r\nHost: {address}\r\nAccept: text/html\r\nCookie: {cookie}\r\n\r\n");
        Self { connection, request: request.into_bytes(), answer: vec![0; 1 << 20] }
    }

    /// Gives the whole answer.
    fn get(&mut self) -> &[u8] {
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

/// Seconds on the wall and of the processors, for one page.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    processors: f64,
}

fn processors() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn round(clients: &mut [Client], zeroing: bool) -> Cost {
    IS_ZEROING.store(zeroing, Ordering::Relaxed);
    let (wall, used) = (Instant::now(), processors());
    std::thread::scope(|scope| {
        for client in &mut *clients {
            scope.spawn(|| (0..PAGES).for_each(|_| assert!(!client.get().is_empty())));
        }
    });
    let pages = (clients.len() * PAGES) as f64;
    Cost { wall: wall.elapsed().as_secs_f64() / pages, processors: (processors() - used) / pages }
}

/// The quarter, the half and the three quarters of some figures.
fn quartiles(mut figures: Vec<f64>) -> [f64; 3] {
    figures.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| figures[figures.len() * quarter / 4])
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (app, cookie) = runtime.block_on(async {
        let app = TestApp::start(Database::Sqlite).await;
        let who = app.administrator().await;
        for n in 0..WORKSPACES {
            let (name, about) = (format!("Workspace {n:03}"), format!("What workspace {n} is for, in a sentence."));
            app.services.workspaces.create(&who, &name, &about).await.unwrap();
        }
        let cookie = app.signed_in().await.cookie.unwrap();
        (app, cookie)
    });
    let mut clients: Vec<Client> = (0..CLIENTS).map(|_| Client::new(app.address, &cookie)).collect();
    let page = String::from_utf8(clients[0].get().to_vec()).unwrap();
    assert_eq!((0..WORKSPACES).filter(|n| page.contains(&format!("Workspace {n:03}"))).count(), WORKSPACES);
    for zeroing in [true, false] {
        round(&mut clients, zeroing);
    }

    let (mut with, mut without) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        // Each of the two goes first in half of the pairs.
        for zeroing in if pair % 2 == 0 { [true, false] } else { [false, true] } {
            let cost = round(&mut clients, zeroing);
            if zeroing { with.push(cost) } else { without.push(cost) }
        }
    }
    println!(
        "The list of {WORKSPACES} workspaces, {} bytes, over {CLIENTS} connections, in {PAIRS} pairs of rounds",
        page.len()
    );
    println!("{:<34} {:>13} {:>13} {:>8}   {:<14} target", "", "zeroing", "not zeroing", "ratio", "middle half");
    report("pages a second", |cost| 1.0 / cost.wall, &with, &without);
    report("pages a second of one processor", |cost| 1.0 / cost.processors, &with, &without);
    drop(clients);
    runtime.block_on(app.stop());
}

/// Medians of the rounds, and the median of the ratios within the pairs.
fn report(name: &str, figure: impl Fn(&Cost) -> f64, with: &[Cost], without: &[Cost]) {
    let [with, without] = [with, without].map(|costs| costs.iter().map(&figure).collect::<Vec<_>>());
    let [low, ratio, high] = quartiles(with.iter().zip(&without).map(|(with, without)| with / without).collect());
    let ([_, with, _], [_, without, _]) = (quartiles(with), quartiles(without));
    let spread = format!("{low:.3} to {high:.3}");
    println!("{name:<34} {with:>13.0} {without:>13.0} {ratio:>8.3}   {spread:<14} at least 0.97");
}
