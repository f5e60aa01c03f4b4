//! Letting the connections to KMS go: their buffers hold what was last read from it, data keys among it.

use std::{sync::Arc, time::Duration};
use vault::{Kms, Vault};

/// How soon they are let go after a single data key was wiped. After a lock it is at once.
const GO_WITHIN: Duration = Duration::from_secs(1);

/// After each lock, and whenever a single data key was wiped or refused: the buffers of the connections to KMS hold what was
/// last read from it.
pub async fn let_connections_go(vault: Arc<Vault>, kms: Kms) {
    let (mut standing, mut seen) = (vault.watch(), vault.epoch());
    loop {
        tokio::select! {
            changed = standing.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(GO_WITHIN) => {}
        }
        let epoch = vault.epoch();
        if epoch != seen {
            seen = epoch;
            kms.let_connections_go();
        }
    }
}
