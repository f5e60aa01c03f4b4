//! What the audit log says of testing, activating and deleting a key.
//!
//! Each is opened before anything is asked or done, and closed when it is known how it ended: a test when its answers are in,
//! an activation or deletion when the new root key is in control. Until then the job goes on with it.

use super::{
    access,
    audit::{Action, Audit, Entry, Object, OpenEntry, Outcome},
    encryption::Encryption,
    failure::Failure,
    ids::new_id,
    proof,
};
use app::{
    model::{
        error::ApiError,
        job::JobFailure,
        key_arn::KeyArn,
        key_test::{Activation, KeyTest, TestOutcome, TestPurpose},
        preflight::StepResult,
    },
    ports::Principal,
};
use sea_orm::DatabaseTransaction;
use std::time::Duration;
use uuid::Uuid;

/// How long the answers of all servers are waited for before a test is first shown. What comes later is shown later.
const FIRST_SHOWN: Duration = Duration::from_millis(1200);

impl Encryption {
    /// Tests a key.
    pub(super) async fn begin_test(&self, who: &Principal, arn: &str) -> Result<KeyTest, Failure> {
        let user = access::administrator(who)?;
        let arn = KeyArn::parse(arn).map_err(ApiError::from)?;
        let open = self.opened(who, Action::KeyTested, &arn).await?;
        match self.key_tests.ask(user, &arn, TestPurpose::Test, FIRST_SHOWN).await {
            Ok(test) => self.tested(open, &test).await.map(|()| test),
            Err(failure) => Err(Self::came_to_nothing(Some(open), failure).await),
        }
    }

    /// Activates a key.
    pub(super) async fn begin_activation(&self, who: &Principal, arn: &str) -> Result<Activation, Failure> {
        let user = access::administrator(who)?;
        let arn = KeyArn::parse(arn).map_err(ApiError::from)?;
        proof::fresh(who, self.keys.vault().clock().wall_ms())?;
        let mut open = Some(self.opened(who, Action::KeyActivation, &arn).await?);
        match self.activate_opened(who, user, &arn, &mut open).await {
            Ok(activation) => Ok(activation),
            Err(failure) => Err(Self::came_to_nothing(open, failure).await),
        }
    }

    /// Deletes a key.
    pub(super) async fn begin_deletion(&self, who: &Principal, arn: &str) -> Result<(), Failure> {
        let user = access::administrator(who)?;
        let arn = KeyArn::parse(arn).map_err(ApiError::from)?;
        proof::fresh(who, self.keys.vault().clock().wall_ms())?;
        let mut open = Some(self.opened(who, Action::KeyDeletion, &arn).await?);
        match self.delete_opened(who, user, &arn, &mut open).await {
            Ok(()) => Ok(()),
            Err(failure) => Err(Self::came_to_nothing(open, failure).await),
        }
    }

    /// Notes that somebody begins something with a key. Without this entry it does not begin.
    async fn opened(&self, who: &Principal, action: Action, arn: &KeyArn) -> Result<OpenEntry, Failure> {
        let entry = Entry::by(who, action).key(arn.as_str(), None);
        Ok(self.audit.open(new_id(self.keys.vault())?, entry).await?)
    }

    /// Closes a test of a key, or an attempt to activate one that its test has ended.
    pub(super) async fn tested(&self, mut open: OpenEntry, test: &KeyTest) -> Result<(), Failure> {
        let steps: Vec<_> = test.answers().flat_map(|answer| &answer.preflight.steps).collect();
        let failed = steps.iter().find(|step| matches!(step.result, StepResult::Failed(_)));
        let told = failed.or_else(|| steps.iter().rfind(|step| step.request_id.is_some()));
        let request_id = told.and_then(|step| step.request_id.clone());
        open.say(|mut entry| {
            if let Some(step) = failed
                && let StepResult::Failed(problem) = step.result
            {
                entry = entry.detail(problem);
            }
            if let Ok(id) = Uuid::try_parse(&test.id) {
                entry = entry.on(&Object::KeyTest(id));
            }
            entry.key(&test.arn, request_id.as_deref())
        });
        let outcome = match test.outcome() {
            TestOutcome::Failed | TestOutcome::TryingAgain => Outcome::Refused,
            TestOutcome::Passed | TestOutcome::Waiting => Outcome::Succeeded,
        };
        Ok(open.close(outcome).await?)
    }

    /// Closes what did not come about, and gives back why.
    async fn came_to_nothing(open: Option<OpenEntry>, failure: Failure) -> Failure {
        let Some(mut open) = open else { return failure };
        let outcome = match &failure {
            Failure::Refused(ApiError::KeyRefused(refused)) => {
                open.say(|entry| entry.detail(refused));
                Outcome::Refused
            }
            Failure::Refused(_) => Outcome::Refused,
            _ => Outcome::Failed,
        };
        match open.close(outcome).await {
            Ok(()) => failure,
            Err(error) => Failure::from(error),
        }
    }

    /// Notes that a job begins, as the last thing in the transaction that makes it; what was opened goes on with it.
    pub(super) async fn job_begins(
        transaction: &DatabaseTransaction,
        who: &Principal,
        job: Uuid,
        to: &str,
        open: Option<OpenEntry>,
    ) -> Result<(), Failure> {
        let entry = Entry::by(who, Action::JobStarted).on(&Object::Job(job)).key(to, None);
        Audit::append(transaction, entry).await?;
        if let Some(open) = open {
            open.leave_to(transaction, job).await?;
        }
        Ok(())
    }

    /// Notes that a job ends because its activation was taken back before it had changed anything, and that this is all that
    /// the deletion had to do. The last thing in its transaction.
    pub(super) async fn job_is_cancelled(
        transaction: &DatabaseTransaction,
        job: Uuid,
        open: OpenEntry,
    ) -> Result<(), Failure> {
        let say = |entry: Entry| entry.detail(JobFailure::Cancelled);
        Audit::close_for_job(transaction, job, Outcome::Failed, say).await?;
        let ended = Entry::by_system(Action::JobEnded).on(&Object::Job(job)).detail(JobFailure::Cancelled);
        Audit::append(transaction, ended.outcome(Outcome::Failed)).await?;
        Ok(open.close_within(transaction, Outcome::Succeeded).await?)
    }
}
