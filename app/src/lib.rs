//! What people see, and the only door to the server.
pub mod model;
#[cfg(feature = "ssr")]
pub mod ports;
