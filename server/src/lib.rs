//! The program `keystead`: configuration, HTTP, services, jobs and store.
//!
//! `http` and `jobs` call `services`; `services` call `store` and `vault`. Nothing below `http` knows about requests.

// The views of whole pages are deeply nested types, and are put together here.
#![recursion_limit = "512"]

pub mod application;
pub mod cli;
pub mod config;
pub mod crash;
pub mod http;
pub mod jobs;
pub mod metrics;
pub mod services;
pub mod store;
pub mod telemetry;
