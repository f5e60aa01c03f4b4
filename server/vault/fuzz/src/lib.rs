//! What comes from outside, fuzzed: sealed bytes, what people enter as a key, and the replies of the service.
//!
//! Each module has one function, `run`, that takes any bytes at all. What must stay true: it holds the product's code
//! against a second account of what is right, so that a wrong answer is found and not only a panic; and it does the same for
//! the same bytes, whatever ran before. `make fuzz` runs them; `corpus/` is where each begins.

pub mod envelope;
pub mod key_arn;
pub mod kms;
mod model;
