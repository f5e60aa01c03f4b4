//! Hydrates.
