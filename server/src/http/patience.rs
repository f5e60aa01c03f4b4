//! For how long clients are waited for. Whoever sends or takes nothing holds a connection, and memory with it, so each wait has
//! an end: for the head of a request, for the whole of it, for the next bytes of an upload, and for a client to take what is
//! sent to it.

use std::time::Duration;

/// The ends of all waits for clients. Operators need not know them, so there is no option: only tests have others.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the whole head of a request, and for the next request on a connection: longer than a proxy keeps an idle one
    /// (nginx: 60 s), so that it is the proxy that closes it, and no request meets a connection that is being closed.
    pub head: Duration,
    /// For a request and its answer, except for uploads, downloads and events.
    pub request: Duration,
    /// For the next bytes of an upload.
    pub upload: Duration,
    /// For a client that takes nothing of what is sent to it.
    pub taking: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(75),
            request: Duration::from_secs(30),
            upload: Duration::from_mins(1),
            taking: Duration::from_mins(5),
        }
    }
}
