//! The ARN of a KMS key, checked the same way in the browser and on the server.

use serde::{Deserialize, Serialize};

/// Which part of an ARN is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyArnError {
    Empty,
}
