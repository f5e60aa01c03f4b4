//! The files of `SQLite` after a change of key, or a reset: what the database no longer holds is no longer in its files either.
//!
//! When the old data keys are destroyed, pages with old ciphertext and old wrapped keys may still be in the write-ahead log, in the
//! database file as far as the log has not been brought over, and in the [unused space](unused_space) of its pages. This goes
//! twice through the file, which takes as long as reading it, and then empties the log. The first time it overwrites what it finds
//! bit by bit, and people may move some of it meanwhile to where it has been. The second time it looks at the file as it is in one moment, and
//! overwrites what is still there, which is little, in one transaction.
//!
//! What must stay true: a complete job or a reset says when the files were cleaned only after they were; until then every start of the
//! server, and every look of this task, begins anew. While a job runs nothing is cleaned: it leaves things behind itself.

use super::cores::Cores;
use crate::store::{
    Store,
    entities::{
        job::{self, JobState},
        reset,
    },
    unused_space,
};
use sea_orm::{
    ActiveEnum, ColumnTrait, DbBackend, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, TransactionTrait,
    sea_query::Expr,
};
use std::{fmt::Display, ops::RangeInclusive, sync::Arc, time::Duration};
use tokio::time::sleep;
use uuid::Uuid;
use vault::Clock;

/// How often it is looked: two short queries.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The longest pause after an attempt that failed.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);
/// The longest pause between two attempts to empty the log.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// How many pages are looked at in one go, and how many are written: few, as writers wait meanwhile.
const LOOKED_AT: u32 = 256;
const WRITTEN: usize = 32;

/// Cleans the files of the database after each change of key.
#[derive(Clone)]
pub struct DatabaseFile {
    pub store: Store,
    pub cores: Cores,
    pub clock: Arc<dyn Clock>,
}

impl DatabaseFile {
    /// Cleans until it is dropped. Files of `PostgreSQL` are not the program's.
    pub async fn run(self) {
        if self.store.backend() != DbBackend::Sqlite {
            return std::future::pending().await;
        }
        let mut pause = LOOK_EVERY;
        loop {
            pause = match self.clean_if_due().await {
                Ok(_) => LOOK_EVERY,
                Err(error) => {
                    tell(&error);
                    (pause * 2).min(LONGEST_PAUSE)
                }
            };
            sleep(pause).await;
        }
    }

    /// Cleans the files, if something was destroyed since they were. `false` if that has to wait for a job that runs.
    ///
    /// # Errors
    /// When the database fails, or when its file is one whose pages cannot be told apart.
    pub async fn clean_if_due(&self) -> Result<bool, DbErr> {
        let on = self.store.read();
        let jobs = job::Entity::find().select_only().column(job::Column::Id);
        let jobs = jobs.filter(job::Column::State.eq(JobState::Complete.to_value()));
        let jobs: Vec<Uuid> = jobs.filter(job::Column::FilesCleanedAt.is_null()).into_tuple().all(on).await?;
        let resets = reset::Entity::find().select_only().column(reset::Column::Id);
        let resets: Vec<Uuid> = resets.filter(reset::Column::FilesCleanedAt.is_null()).into_tuple().all(on).await?;
        if jobs.is_empty() && resets.is_empty() {
            return Ok(true);
        }
        if a_job_runs(&self.store).await? || !clean(&self.store, &self.cores).await? {
            return Ok(false);
        }
        let (write, now) = (self.store.write(), self.clock.wall_ms());
        let cleaned = job::Entity::update_many().col_expr(job::Column::FilesCleanedAt, Expr::value(now));
        cleaned.filter(job::Column::Id.is_in(jobs)).exec(write).await?;
        let cleaned = reset::Entity::update_many().col_expr(reset::Column::FilesCleanedAt, Expr::value(now));
        cleaned.filter(reset::Column::Id.is_in(resets)).exec(write).await?;
        tracing::info!(event = "database_file_cleaned", "the database file holds nothing that the database does not");
        Ok(true)
    }
}

/// Leaves nothing in the files of the database that it has deleted. `false` if a job runs, and it has to be done after that.
///
/// # Errors
/// When the database fails, or when its file is one whose pages cannot be told apart. The log is emptied all the same.
async fn clean(store: &Store, cores: &Cores) -> Result<bool, DbErr> {
    let overwritten = overwrite_unused_space(store, cores).await;
    if matches!(overwritten, Ok(false)) {
        return Ok(false);
    }
    crate::crash::point("cleaning.overwritten");
    truncate_log(store).await?;
    crate::crash::point("cleaning.log_truncated");
    overwritten
}

async fn overwrite_unused_space(store: &Store, cores: &Cores) -> Result<bool, DbErr> {
    let Some(log) = unused_space::log_of(store.read()).await? else { return Ok(true) };
    for numbers in ranges(unused_space::pages(store.read()).await?) {
        if a_job_runs(store).await? {
            return Ok(false);
        }
        let found = cores.in_turn(unused_space::not_zero(store.read(), numbers)).await?;
        overwrite(store, cores, &found).await?;
    }
    // What is in the log from here on is to be little.
    store.checkpoint().await?;
    let moment = store.read().begin().await?;
    let mut found = Vec::new();
    for numbers in ranges(unused_space::pages(&moment).await?) {
        // The log grows as long as this goes on.
        if a_job_runs(store).await? {
            return Ok(false);
        }
        found.extend(cores.in_turn(unused_space::not_zero(&moment, numbers)).await?);
    }
    // So that there is little left to write in the one transaction that makes sure.
    overwrite(store, cores, &found).await?;
    unused_space::overwrite_all_since(store, moment, found, log).await?;
    Ok(true)
}

async fn overwrite(store: &Store, cores: &Cores, found: &[u32]) -> Result<(), DbErr> {
    for some in found.chunks(WRITTEN) {
        cores.in_turn(unused_space::overwrite(store, some)).await?;
        crate::crash::point("cleaning.some_overwritten");
    }
    Ok(())
}

fn ranges(pages: u32) -> impl Iterator<Item = RangeInclusive<u32>> {
    let last = move |first: u32| Ord::min(pages, first + LOOKED_AT - 1);
    (1..=pages).step_by(LOOKED_AT as usize).map(move |first| first..=last(first))
}

async fn a_job_runs(store: &Store) -> Result<bool, DbErr> {
    let running = job::Entity::find().filter(job::Column::State.eq(JobState::Running.to_value()));
    Ok(running.count(store.read()).await? > 0)
}

/// Whoever reads for long keeps it from ending, and each attempt keeps writers waiting for a moment: they become rarer.
async fn truncate_log(store: &Store) -> Result<(), DbErr> {
    let mut pause = LOOK_EVERY;
    while !store.truncate_log().await? {
        if pause == LONGEST_WAIT {
            tell(&"somebody reads from the write-ahead log all the time");
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_WAIT);
    }
    Ok(())
}

fn tell(why: &impl Display) {
    tracing::warn!(event = "database_file_not_cleaned", %why, "old ciphertext may be in the files of the database");
}
