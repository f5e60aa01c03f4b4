//! The words people read. Types cross the wire as closed sets; what they mean to a person is said here, and only here.
//!
//! Each text says what is the case, then what is expected or what to do. No text is built from anything a request carried.

pub mod audit;
mod errors;
mod history;
mod impact;
mod job;
mod key;
mod lock;
mod notice;
pub mod remedy;
mod servers;

pub use history::Outcome;
