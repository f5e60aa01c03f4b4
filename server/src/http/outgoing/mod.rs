//! Connections that end with the lease.
//!
//! An answer with opened data may lie for long between us and a client that does not read: in the buffers of the HTTP
//! library, and in those of the kernel. So each such answer carries the leash of what was opened for it, and its connection
//! waits for the end of that leash beside the socket. When it ends, the connection is reset, not drained: what the library
//! holds is dropped, and what the kernel holds is not sent.
//!
//! What must stay true: no byte of an answer is given to the kernel once its leash has ended, also when the process slept
//! meanwhile; and an answer that was put together before a lock is not begun after it.

mod carry;
mod listener;
mod stream;

pub use carry::carry;
pub use listener::GuardedListener;
pub use stream::ConnectionHandle;
