//! News from other servers: looks at the job, the root key and tests of keys once a second while anybody follows them.

use crate::{
    jobs::{account::sum_of, queue},
    store::{Store, entities::key_test_answer, house},
};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QuerySelect};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};
use tokio::sync::watch;

const EVERY: Duration = Duration::from_secs(1);

/// Bumps `changed` when the database says something new. Runs until it is dropped.
pub async fn follow(store: Store, changed: watch::Sender<u64>) {
    let mut last = None;
    loop {
        tokio::time::sleep(EVERY).await;
        if changed.receiver_count() == 0 {
            continue;
        }
        // An outage is the business of those who need the database; the next look will tell.
        let Ok(seen) = look(&store).await else { continue };
        if last.replace(seen).is_some_and(|last| last != seen) {
            changed.send_modify(|version| *version += 1);
        }
    }
}

async fn look(store: &Store) -> Result<u64, DbErr> {
    let mut seen = DefaultHasher::new();
    house::root(store.read()).await?.generation.hash(&mut seen);
    if let Some(job) = queue::latest(store.read()).await? {
        (job.id, job.finished_at, job.waiting, job.fence).hash(&mut seen);
        let done = sum_of(store.read(), job.id).await?;
        (job.keys_done, done.items, done.bytes).hash(&mut seen);
    }
    let answered = key_test_answer::Entity::find()
        .select_only()
        .column_as(key_test_answer::Column::AnsweredAt.max(), "newest")
        .into_tuple::<Option<i64>>();
    answered.one(store.read()).await?.flatten().hash(&mut seen);
    Ok(seen.finish())
}
