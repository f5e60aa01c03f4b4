//! What only a browser can do. These functions compile for the server too, where nothing ever calls them: event handlers and
//! effects do not run there.

pub mod ago;
pub mod live_parts;
pub mod of_itself;
pub mod page;
pub mod presses;
pub mod request;
pub mod watch;
