//! The two modules of `app` that read a key ARN, as they are. The crate itself would bring all that makes pages.

#![allow(dead_code, reason = "only the ARN is read here")]

#[path = "../../../../app/src/model/key_arn.rs"]
pub mod key_arn;
#[path = "../../../../app/src/model/preflight.rs"]
pub mod preflight;
