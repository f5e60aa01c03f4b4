//! What an administrator can do with a job beside beginning it: pause it, let it go on, and have tried again what it has set
//! aside.

use super::{
    access,
    encryption::{Encryption, Refuse},
    failure::Failure,
};
use crate::{
    jobs::queue,
    store::{
        entities::{
            job::{JobKind, JobState},
            set_aside,
        },
        house,
    },
};
use app::{model::error::KeyRefused, ports::Principal};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

impl Encryption {
    pub(super) async fn pause(&self, who: &Principal) -> Result<(), Failure> {
        let user = access::administrator(who)?;
        if !queue::pause_by(self.store.write(), user).await? {
            return Err(KeyRefused::NothingToPause.refuse());
        }
        tracing::info!(event = "job_paused", user = %user, "an administrator pauses the job");
        self.ring();
        Ok(())
    }

    pub(super) async fn resume(&self, who: &Principal) -> Result<(), Failure> {
        let user = access::administrator(who)?;
        if !queue::resume(self.store.write()).await? {
            return Err(KeyRefused::NothingPaused.refuse());
        }
        tracing::info!(event = "job_resumed", user = %user, "an administrator lets the job go on");
        self.ring();
        Ok(())
    }

    /// The root key and the data keys stay as they are: what still names a retiring key is swept again.
    pub(super) async fn begin_retry(&self, who: &Principal) -> Result<(), Failure> {
        let user = access::administrator(who)?;
        let transaction = self.store.begin().await?;
        let root = house::lock(&transaction).await?;
        if queue::unfinished(&transaction).await?.is_some() {
            return Err(KeyRefused::JobUnfinished.refuse());
        }
        let last = queue::latest(&transaction).await?.filter(|job| job.state == JobState::Complete);
        let items = match last {
            Some(job) => {
                set_aside::Entity::find().filter(set_aside::Column::JobId.eq(job.id)).count(&transaction).await?
            }
            None => 0,
        };
        if items == 0 {
            return Err(KeyRefused::NothingSetAside.refuse());
        }
        if !self.keys.vault().is_open() {
            return Err(KeyRefused::RootUnusable.refuse());
        }
        let arn = root.root_key_arn;
        self.write_job(&transaction, JobKind::Retry, &arn, &arn, user).await?;
        transaction.commit().await?;
        tracing::info!(event = "retry_requested", user = %user, "an administrator has tried again what was set aside");
        self.ring();
        Ok(())
    }
}
