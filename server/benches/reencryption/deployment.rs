//! What is measured on: a database in order, and jobs that are waited for.

use crate::support::{Browser, PASSWORD};
use sea_orm::ConnectionTrait;
use server::{
    jobs::queue,
    store::{
        Store,
        entities::job::{self, JobStage, JobState},
    },
};
use std::time::Duration;
use tokio::time::sleep;

/// Lets the database put in order what was written, so that each run begins in the same state.
pub async fn settle(store: &Store) {
    let settle = match store.backend() {
        sea_orm::DbBackend::Postgres => &["VACUUM ANALYZE notes", "CHECKPOINT"][..],
        _ => &["PRAGMA wal_checkpoint(TRUNCATE)"],
    };
    for statement in settle {
        store.write().execute_unprepared(statement).await.unwrap();
    }
}

/// The newest job.
pub async fn job(store: &Store) -> job::Model {
    queue::latest(store.read()).await.unwrap().expect("there is a job")
}

/// Waits until the newest job re-encrypts, or is through with that.
pub async fn until_control(store: &Store) {
    while job(store).await.stage == JobStage::Control {
        sleep(Duration::from_millis(5)).await;
    }
}

/// Waits for the end of the newest job, which must be a good one.
pub async fn until_complete(store: &Store) -> job::Model {
    loop {
        let job = job(store).await;
        if job.finished_at.is_some() {
            assert_eq!(job.state, JobState::Complete, "{job:?}");
            return job;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

/// An administrator who puts the customer's key in force and the provider's back again, in turns.
pub struct Administrator {
    pub browser: Browser,
    pub arn: String,
    pub is_active: bool,
}

impl Administrator {
    /// Begins the next change of key.
    pub async fn change_key(&mut self) {
        // The sign-in was long ago.
        self.browser.call("give_proof", &[("secret", PASSWORD), ("then", "")]).await;
        let function = if self.is_active { "delete_key" } else { "activate_key" };
        let answer = self.browser.call(function, &[("arn", &self.arn)]).await;
        assert!(answer.status.is_success(), "{}", answer.text());
        self.is_active = !self.is_active;
    }
}
