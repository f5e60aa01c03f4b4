//! Stage 2: fresh data keys, then passes over records and objects until one finds nothing.
//!
//! No cursor is stored: the data itself says what is left, so a crash costs at most one batch and a repeat is harmless.

use super::{account::Amount, halt::Halt, orphans, queue::Claim, records::open_and_seal, worker::Worker};
use crate::{
    services::failure::Failure,
    store::{
        entities::job::JobStage,
        house,
        sealed_tables::{self, SEALED_TABLES},
    },
};
use app::model::job::PauseReason;
use std::{collections::HashSet, sync::Arc, time::Duration};
use uuid::Uuid;
use vault::{DataKey, KmsClass, Refusal, Scope};

/// The pause after a pass from under which data keys were taken away.
const AFTER_INTERRUPTION: Duration = Duration::from_millis(100);

/// A retiring data key and the current one of the same scope.
pub struct KeyPair {
    pub scope: Scope,
    pub old: Arc<DataKey>,
    pub new: Arc<DataKey>,
}

/// How a pass went.
#[derive(Default)]
pub struct Pass {
    /// Items that were found under a retiring key, whatever became of them.
    pub found: u64,
    /// Whether the data keys of a scope were taken away under it: its workspace was deleted, or locked alone. The next pass tells.
    pub interrupted: bool,
    /// What stands in the way of some scopes or objects; the rest is done meanwhile.
    pub waiting: Option<Halt>,
    /// Objects that could not be had in this attempt.
    pub skipped: HashSet<Uuid>,
    /// Items set aside by this job, each with the data key it was under: they are not found again.
    pub set_aside: HashSet<(Uuid, Uuid)>,
}

impl Worker {
    /// Runs stage 2: fresh keys, then passes over records and objects until one finds nothing.
    pub(super) async fn reencrypt(&self, claim: &Claim) -> Result<(), Halt> {
        let refused = self.make_fresh_keys(claim).await?;
        self.count_what_is_left(claim).await?;
        let mut pass = Pass { set_aside: self.set_aside_before(claim).await?, ..Pass::default() };
        let mut rewritten = 0;
        loop {
            (pass.found, pass.interrupted) = (0, false);
            for (key, scope) in self.retiring().await? {
                match self.key_pair(key, scope).await {
                    Ok(Some(pair)) => self.rewrite_scope(claim, &pair, &mut pass).await?,
                    // The workspace has been deleted.
                    Ok(None) => {}
                    Err(Failure::Superseded) => pass.interrupted = true,
                    Err(Failure::Locked) if self.vault().is_open() => pass.interrupted = true,
                    Err(failure) => pass.waiting = Some(self.alone(failure, scope)?),
                }
            }
            rewritten += pass.found;
            if pass.interrupted {
                tokio::time::sleep(AFTER_INTERRUPTION).await;
                // A batch may have been left while it was being committed. Whoever writes to the job waits for the end of that, and
                // only then is it certain which rows are to be read again.
                claim.hold(self.store.write()).await?;
            } else if pass.found == 0 {
                break;
            }
        }
        if let Some(halt) = refused.or(pass.waiting) {
            return Err(halt);
        }
        crate::crash::point("stage.before");
        if rewritten > 0 {
            // So that not even what a killed server has left is there when the job says that nothing old is.
            orphans::find(&self.store, &self.objects.storage).await?;
        }
        claim.stage(self.store.write(), JobStage::Finish).await
    }

    /// Rewrites what is under the old key of a pair.
    async fn rewrite_scope(&self, claim: &Claim, pair: &KeyPair, pass: &mut Pass) -> Result<(), Halt> {
        let rewritten = async {
            for table in &SEALED_TABLES {
                self.rewrite_records(claim, table, pair, pass, open_and_seal).await?;
            }
            self.rewrite_objects(claim, pair, pass).await
        };
        match rewritten.await {
            // Nothing here asks KMS. So while the root key works, it was the keys of this scope that were wiped.
            Err(Halt::Wait { reason: PauseReason::Locked, .. }) if self.vault().is_open() => {
                pass.interrupted = true;
                Ok(())
            }
            rewritten => rewritten,
        }
    }

    /// Whether a failure is about one workspace alone, whose data key KMS denies while the root key works: then it waits
    /// alone, for the reason given back.
    ///
    /// # Errors
    /// Whatever is not, stops the whole attempt.
    pub(super) fn alone(&self, failure: Failure, scope: Uuid) -> Result<Halt, Halt> {
        match failure {
            Failure::WorkspaceLocked(face) => {
                Ok(Halt::Wait { reason: PauseReason::ScopeRefused, code: face.code, scope: Some(scope) })
            }
            Failure::Kms(error)
                if error.class == KmsClass::Refused(Refusal::AccessDenied)
                    && self.vault().is_open()
                    && scope != Scope::Organization.as_uuid() =>
            {
                Ok(Halt::Wait { reason: PauseReason::ScopeRefused, code: error.code, scope: Some(scope) })
            }
            failure => Err(failure.into()),
        }
    }

    async fn count_what_is_left(&self, claim: &Claim) -> Result<(), Halt> {
        let keys: Vec<Uuid> = self.retiring().await?.into_iter().map(|(key, _)| key).collect();
        let mut left = Vec::with_capacity(SEALED_TABLES.len() + 1);
        for kind in sealed_tables::names() {
            let counted = sealed_tables::count(self.store.read(), kind, Some(&keys)).await?;
            left.push(Amount { kind, items: counted.items, bytes: counted.bytes });
        }
        let transaction = self.store.begin().await?;
        claim.left(&transaction, &left).await?;
        crate::crash::point("count.before_commit");
        transaction.commit().await?;
        crate::crash::point("count.after_commit");
        self.changed();
        Ok(())
    }

    async fn key_pair(&self, old: Uuid, scope: Uuid) -> Result<Option<KeyPair>, Failure> {
        let scope = Scope::from_uuid(scope);
        let Some(new) = house::current_key(self.store.read(), scope).await? else { return Ok(None) };
        Ok(Some(KeyPair { scope, old: self.keys.key(old).await?, new: self.keys.key(new).await? }))
    }
}
