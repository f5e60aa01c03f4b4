//! A connection, as the HTTP library reads and writes it.

use crate::services::outgoing::Outgoing;
use rustix::net::sockopt::set_socket_linger;
use std::{
    future::Future,
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::watch,
    time::{Sleep, sleep},
};
use tokio_util::sync::ReusableBoxFuture;
use vault::Leash;

/// What the routes hold of their connection.
#[derive(Clone)]
pub struct ConnectionHandle(Arc<Connection>);

struct Connection {
    account: Arc<Outgoing>,
    peer: SocketAddr,
    carried: Mutex<Vec<Carried>>,
}

/// An answer with opened data on this connection.
struct Carried {
    leashes: Vec<Leash>,
    /// The library has taken all of it; it may still hold some.
    taken: bool,
}

/// How the answers on a connection stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Load {
    /// There is no opened data.
    None,
    Live,
    /// The lease of some of it has ended.
    Ended,
}

impl ConnectionHandle {
    pub(super) fn new(account: Arc<Outgoing>, peer: SocketAddr) -> Self {
        Self(Arc::new(Connection { account, peer, carried: Mutex::default() }))
    }

    /// Who is at the other end: a browser, or a proxy in front of us.
    pub fn peer(&self) -> SocketAddr {
        self.0.peer
    }

    pub(super) fn account(&self) -> &Arc<Outgoing> {
        &self.0.account
    }

    /// An answer begins that carries what was opened under these leashes. Until the guard is dropped, and what the library
    /// then still holds is with the kernel, the connection lives no longer than they do.
    pub(super) fn carry(&self, leashes: Vec<Leash>) -> Carrying {
        self.carried().push(Carried { leashes, taken: false });
        self.0.account.begin();
        Carrying(self.clone())
    }

    fn load(&self) -> Load {
        let carried = self.carried();
        match carried.is_empty() {
            true => Load::None,
            false if carried.iter().all(|one| one.leashes.iter().all(Leash::is_live)) => Load::Live,
            false => Load::Ended,
        }
    }

    /// All that the library had is with the kernel.
    fn flushed(&self) {
        self.let_go(|one| one.taken);
    }

    fn let_go(&self, which: impl Fn(&Carried) -> bool) {
        self.carried().retain(|one| {
            let goes = which(one);
            if goes {
                self.0.account.end();
            }
            !goes
        });
    }

    fn carried(&self) -> MutexGuard<'_, Vec<Carried>> {
        self.0.carried.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lives as long as the body of an answer with opened data.
pub struct Carrying(ConnectionHandle);

impl Drop for Carrying {
    fn drop(&mut self) {
        // One answer at a time is on its way on a connection (HTTP/1.1), so the first that has not been taken is this one.
        if let Some(one) = self.0.carried().iter_mut().find(|one| !one.taken) {
            one.taken = true;
        }
    }
}

/// The beginning of what a client of HTTP/2 says first. No method of HTTP/1.1 begins like it.
const HTTP2_PREFACE: &[u8] = b"PRI ";

fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the lease of what this connection carries has ended")
}

/// Waits for the next revocation of the vault, and gives the receiver back.
type Revocation = ReusableBoxFuture<'static, watch::Receiver<u64>>;

async fn revoked(mut revocations: watch::Receiver<u64>) -> watch::Receiver<u64> {
    if revocations.changed().await.is_err() {
        // The vault is gone, and with it every lease: nobody waits any more.
        std::future::pending::<()>().await;
    }
    revocations
}

/// A TCP connection that is reset when the lease of what it carries ends.
pub struct GuardedStream {
    inner: TcpStream,
    handle: ConnectionHandle,
    revocation: Revocation,
    /// How much of what a client of HTTP/2 says first has been read; `None` once something else was.
    preface: Option<usize>,
    /// How long a client may take nothing of what is sent to it, and how long this one has done so.
    taking: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    /// Once it has been cut, nothing more is read or written, whatever the library still tries.
    is_cut: bool,
}

impl GuardedStream {
    pub(super) fn new(inner: TcpStream, account: Arc<Outgoing>, peer: SocketAddr, taking: Duration) -> Self {
        let revocation = ReusableBoxFuture::new(revoked(account.vault().revocations()));
        let handle = ConnectionHandle::new(account, peer);
        Self { inner, handle, revocation, preface: Some(0), taking, waiting: None, is_cut: false }
    }

    pub(super) fn handle(&self) -> ConnectionHandle {
        self.handle.clone()
    }

    /// Whether opened data is on its way here.
    ///
    /// # Errors
    /// When its lease has ended: the connection must not be used any more, and closing it will reset it.
    fn check(&mut self) -> io::Result<bool> {
        if self.is_cut {
            return Err(ended());
        }
        match self.handle.load() {
            Load::None => Ok(false),
            Load::Live => Ok(true),
            Load::Ended => Err(self.cut()),
        }
    }

    /// Looks at the first bytes. Only HTTP/1.1 is spoken here: in HTTP/2 the library would hold answers of its own accord,
    /// several at once and after it has taken their bodies, where no leash reaches them.
    ///
    /// # Errors
    /// For a client of HTTP/2 (RFC 9113 §3.4).
    fn look_at_first(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(known) = self.preface else { return Ok(()) };
        let left = &HTTP2_PREFACE[known..];
        let compared = left.len().min(bytes.len());
        if left[..compared] != bytes[..compared] {
            self.preface = None;
        } else if compared == left.len() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "HTTP/2 is not spoken here"));
        } else {
            self.preface = Some(known + compared);
        }
        Ok(())
    }

    fn cut(&mut self) -> io::Error {
        self.handle.account().cut();
        self.reset();
        ended()
    }

    /// Ends the connection without what has not been sent.
    fn reset(&mut self) {
        self.is_cut = true;
        self.handle.let_go(|_| true);
        // Closing it now sends a reset, and drops what the kernel has not sent yet.
        if let Err(error) = set_socket_linger(&self.inner, Some(Duration::ZERO)) {
            tracing::debug!(%error, "a connection is closed without a reset");
        }
    }

    /// The kernel takes no more, because the client takes nothing. Has the task woken when that has lasted too long.
    ///
    /// # Errors
    /// When it has.
    fn wait_for_the_client(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(self.taking)));
        if waiting.as_mut().poll(cx).is_pending() {
            return Ok(());
        }
        self.reset();
        Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing of what is sent to it"))
    }

    /// Has the task of this connection woken when something is revoked.
    ///
    /// # Errors
    /// As [`Self::check`], if that has just happened.
    fn wait_for_the_end(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while let Poll::Ready(revocations) = self.revocation.poll(cx) {
            self.revocation.set(revoked(revocations));
            self.check()?;
        }
        Ok(())
    }

    /// Wraps a write: nothing goes out after the end, and what goes out is accounted for.
    fn write_with(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let carries = this.check()?;
        let written = write(Pin::new(&mut this.inner), cx);
        if written.is_pending() {
            this.wait_for_the_client(cx)?;
        } else {
            this.waiting = None;
        }
        if carries {
            match &written {
                Poll::Ready(Ok(_)) => this.handle.account().gave(),
                Poll::Ready(Err(_)) => {}
                Poll::Pending => this.wait_for_the_end(cx)?,
            }
        }
        written
    }
}

impl Drop for GuardedStream {
    fn drop(&mut self) {
        if self.handle.load() == Load::Ended {
            self.cut();
        }
        self.handle.let_go(|_| true);
    }
}

impl AsyncRead for GuardedStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let carries = this.check()?;
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.inner).poll_read(cx, buffer);
        if this.preface.is_some() && read.is_ready() {
            this.look_at_first(&buffer.filled()[before..])?;
        }
        if carries && read.is_pending() {
            this.wait_for_the_end(cx)?;
        }
        read
    }
}

impl AsyncWrite for GuardedStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.write_with(cx, |inner, cx| inner.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write_with(cx, |inner, cx| inner.poll_write_vectored(cx, parts))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.check()?;
        ready!(Pin::new(&mut this.inner).poll_flush(cx))?;
        this.handle.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.check()?;
        Pin::new(&mut this.inner).poll_shutdown(cx)
    }
}
