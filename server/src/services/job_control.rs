//! What an administrator can do with a job beside beginning it: pause it, let it go on, and have tried again what it has set
//! aside.

use super::{
    access,
    audit::{Action, Audit, Entry, Object},
    encryption::{Encryption, Refuse},
    failure::Failure,
    job_set_aside,
};
use crate::{
    jobs::queue,
    store::{entities::job::JobKind, house},
};
use app::{model::error::KeyRefused, ports::Principal};
use sea_orm::DatabaseTransaction;

impl Encryption {
    pub(super) async fn pause(&self, who: &Principal) -> Result<(), Failure> {
        let user = access::administrator(who)?;
        let transaction = self.store.begin().await?;
        if !queue::pause_by(&transaction, user).await? {
            return Err(KeyRefused::NothingToPause.refuse());
        }
        self.noted(transaction, who, Action::JobPaused).await?;
        tracing::info!(event = "job_paused", user = %user, "an administrator pauses the job");
        self.ring();
        Ok(())
    }

    pub(super) async fn resume(&self, who: &Principal) -> Result<(), Failure> {
        let user = access::administrator(who)?;
        let transaction = self.store.begin().await?;
        if !queue::resume(&transaction).await? {
            return Err(KeyRefused::NothingPaused.refuse());
        }
        self.noted(transaction, who, Action::JobResumed).await?;
        tracing::info!(event = "job_resumed", user = %user, "an administrator lets the job go on");
        self.ring();
        Ok(())
    }

    /// Commits what was done to the unfinished job, together with its entry in the audit log.
    async fn noted(&self, transaction: DatabaseTransaction, who: &Principal, action: Action) -> Result<(), Failure> {
        let job = queue::unfinished(&transaction).await?.ok_or(Failure::Inconsistent("a paused job is gone"))?;
        Ok(Audit::commit(transaction, Entry::by(who, action).on(&Object::Job(job.id))).await?)
    }

    /// The root key and the data keys stay as they are: what still names a retiring key is swept again.
    pub(super) async fn begin_retry(&self, who: &Principal) -> Result<(), Failure> {
        let user = access::administrator(who)?;
        let transaction = self.store.begin().await?;
        let root = house::lock(&transaction).await?;
        if queue::unfinished(&transaction).await?.is_some() {
            return Err(KeyRefused::JobUnfinished.refuse());
        }
        if !job_set_aside::is_kept(&transaction).await? {
            return Err(KeyRefused::NothingSetAside.refuse());
        }
        if !self.keys.vault().is_open() {
            return Err(KeyRefused::RootUnusable.refuse());
        }
        let arn = root.root_key_arn;
        let job = self.write_job(&transaction, JobKind::Retry, &arn, &arn, user).await?;
        Self::job_begins(&transaction, who, job, &arn, None).await?;
        transaction.commit().await?;
        tracing::info!(event = "retry_requested", user = %user, "an administrator has tried again what was set aside");
        self.ring();
        Ok(())
    }
}
