//! What people see, and the only door to the server: pages, components, server functions, and the types both sides share.
//!
//! Compiled twice: with `ssr` for the server, which renders pages, and with `hydrate` for the browser, which makes them
//! interactive. Both must render the same, so nothing that differs between them may be read while rendering.

pub mod api;
mod browser;
pub mod format;
mod live;
pub mod model;
#[cfg(feature = "ssr")]
pub mod ports;
pub mod return_path;
mod words;
