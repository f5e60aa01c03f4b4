//! The files of `SQLite` after a change of key: what the database no longer holds is no longer in its files either.
//!
//! When the old data keys are destroyed, pages with old ciphertext and old wrapped keys may still be in the write-ahead log, in the
//! database file as far as the log has not been brought over, and in the [unused space](unused_space) of its pages. This goes
//! once through the file, which takes as long as reading it, and then empties the log.
//!
//! What must stay true: a complete job says when its files were cleaned only after they were; until then every start of the
//! server, and every look of this task, begins anew.

use super::cores::Cores;
use crate::store::{
    Store,
    entities::job::{self, JobState},
    unused_space,
};
use sea_orm::{
    ActiveEnum, ColumnTrait, DbBackend, DbErr, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::sleep};
use uuid::Uuid;
use vault::Clock;

/// How often it is looked, when nothing says that a job has changed.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// How many pages are looked at in one go, and how many are written: few, as writers wait meanwhile.
const LOOKED_AT: u32 = 256;
const WRITTEN: usize = 32;

/// Cleans the files of the database after each change of key.
#[derive(Clone)]
pub struct DatabaseFile {
    pub store: Store,
    pub cores: Cores,
    pub clock: Arc<dyn Clock>,
    /// Bumped when a job has changed.
    pub changed: watch::Sender<u64>,
}

impl DatabaseFile {
    /// Cleans until it is dropped. Files of `PostgreSQL` are not the program's.
    pub async fn run(self) {
        if self.store.backend() != DbBackend::Sqlite {
            return std::future::pending().await;
        }
        let (mut changed, mut pause) = (self.changed.subscribe(), LOOK_EVERY);
        loop {
            match self.clean().await {
                Ok(()) => pause = LOOK_EVERY,
                Err(error) => {
                    tracing::warn!(event = "database_file_not_cleaned", %error, "old ciphertext may be in the database file");
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    sleep(pause).await;
                }
            }
            tokio::select! {
                _ = changed.changed() => {}
                () = sleep(pause) => {}
            }
        }
    }

    /// Cleans the files, if a job is complete whose files were not.
    async fn clean(&self) -> Result<(), DbErr> {
        let jobs = self.due().await?;
        if jobs.is_empty() {
            return Ok(());
        }
        self.overwrite_unused_space().await?;
        crate::crash::point("cleaning.overwritten");
        self.truncate_log().await?;
        crate::crash::point("cleaning.log_truncated");
        let cleaned = job::Entity::update_many()
            .col_expr(job::Column::FilesCleanedAt, Expr::value(self.clock.wall_ms()))
            .filter(job::Column::Id.is_in(jobs));
        cleaned.exec(self.store.write()).await?;
        tracing::info!(event = "database_file_cleaned", "the database file holds nothing of before the change of key");
        Ok(())
    }

    async fn due(&self) -> Result<Vec<Uuid>, DbErr> {
        let due = job::Entity::find().select_only().column(job::Column::Id);
        let due = due.filter(job::Column::State.eq(JobState::Complete.to_value()));
        due.filter(job::Column::FilesCleanedAt.is_null()).into_tuple().all(self.store.read()).await
    }

    /// Pages that are added meanwhile hold nothing old: there is nothing left that could be moved there.
    async fn overwrite_unused_space(&self) -> Result<(), DbErr> {
        let pages = unused_space::pages(&self.store).await?;
        for first in (1..=pages).step_by(LOOKED_AT as usize) {
            let numbers = first..=Ord::min(pages, first + LOOKED_AT - 1);
            let found = self.cores.in_turn(unused_space::not_zero(&self.store, numbers)).await?;
            for some in found.chunks(WRITTEN) {
                self.cores.in_turn(unused_space::overwrite(&self.store, some)).await?;
                crate::crash::point("cleaning.some_overwritten");
            }
        }
        Ok(())
    }

    /// Whoever reads for long keeps it from ending, and each attempt keeps writers waiting for a moment: they become rarer.
    async fn truncate_log(&self) -> Result<(), DbErr> {
        let mut pause = LOOK_EVERY;
        while !self.store.truncate_log().await? {
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(())
    }
}
