//! New ids: UUIDs of version 7 (RFC 9562 §5.7), so that rows made together lie together in every index.
//!
//! What must stay true: within a process each id is greater than the one before, also within a millisecond, so that lists
//! that are ordered by time and then by id show things in the order in which they were made.

use std::sync::atomic::{AtomicU64, Ordering};
use uuid::{Builder, Uuid};
use vault::{EntropyError, Vault};

/// Bits of the counter, which stands where the RFC has `rand_a`.
const COUNTER_BITS: u32 = 12;
/// The last millisecond and counter that were given out.
static LAST: AtomicU64 = AtomicU64::new(0);

/// A new id, from the vault's clock and randomness.
///
/// # Errors
/// When the system gives no random bytes.
pub fn new_id(vault: &Vault) -> Result<Uuid, EntropyError> {
    let mut random = [0; 10];
    vault.entropy().fill(&mut random)?;
    let now = u64::try_from(vault.clock().wall_ms()).unwrap_or_default() << COUNTER_BITS;
    LAST.fetch_max(now, Ordering::Relaxed);
    let stamp = LAST.fetch_add(1, Ordering::Relaxed);
    let [.., high, low] = (stamp & ((1 << COUNTER_BITS) - 1)).to_be_bytes();
    (random[0], random[1]) = (high, low);
    Ok(Builder::from_unix_timestamp_millis(stamp >> COUNTER_BITS, &random).into_uuid())
}

#[cfg(test)]
mod tests {
    use super::new_id;
    use std::{sync::Arc, time::Duration};
    use vault::{DeploymentId, SystemClock, SystemEntropy, Vault};

    #[test]
    fn ids_grow_and_say_that_they_are_of_version_7() {
        let deployment = DeploymentId::new("test").unwrap();
        let vault =
            Vault::new(deployment, Arc::new(SystemClock), Arc::new(SystemEntropy::new()), Duration::from_mins(5));
        let ids: Vec<_> = (0..10_000).map(|_| new_id(&vault).unwrap()).collect();
        assert!(ids.is_sorted_by(|one, next| one < next));
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }
}
