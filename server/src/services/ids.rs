//! New ids: UUIDs of version 7 (RFC 9562 §5.7), so that rows made together lie together in every index.

use uuid::{Builder, Uuid};
use vault::{EntropyError, Vault};

/// A new id, from the vault's clock and randomness.
///
/// # Errors
/// When the system gives no random bytes.
pub fn new_id(vault: &Vault) -> Result<Uuid, EntropyError> {
    let mut random = [0; 10];
    vault.entropy().fill(&mut random)?;
    let now = u64::try_from(vault.clock().wall_ms()).unwrap_or_default();
    Ok(Builder::from_unix_timestamp_millis(now, &random).into_uuid())
}
