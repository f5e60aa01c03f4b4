//! Whose key protects the data: the view of it, and the change of it.
//!
//! A change is only begun here: the preflight is run, and the job is written under the lock of the house. What the job does
//! is in `jobs`.

use super::{
    access,
    audit::{Audit, OpenEntry},
    coverage::Counter,
    data_keys::DataKeys,
    failure::Failure,
    ids::new_id,
    job_view,
    key_state::KeyState,
    key_tests::{KeyTests, refuses},
    lock_history, people,
    principal_arn::AwsPrincipal,
    proof,
    speed::speed,
    workspace_locks::WorkspaceLocks,
};
use crate::{
    jobs::queue,
    store::{
        Store, database_now,
        entities::{
            encryption::{self, RootKind},
            job::{self, JobKind, JobStage, JobState},
        },
        house,
    },
};
use app::{
    model::{
        encryption as model,
        error::{ApiError, KeyRefused},
        identity::Role,
        job::JobFailure,
        key_arn::KeyArn,
        key_test::{Activation, KeyTest, TestPurpose},
        lock::LockFace,
    },
    ports::{EncryptionPort, Principal},
};
use async_trait::async_trait;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

/// How many jobs that have ended are listed.
const PAST_JOBS: u64 = 20;
/// After a proof a form may hold what had been typed before it, for so long; milliseconds.
const A_MOMENT: i64 = 60 * 1000;
/// How long the answers of all servers are waited for before a key is activated.
const BEFORE_ACTIVATION: Duration = Duration::from_secs(5);

/// The Data Encryption page's other half.
pub struct Encryption {
    pub store: Store,
    pub keys: Arc<DataKeys>,
    pub state: Arc<KeyState>,
    pub workspace_locks: Arc<WorkspaceLocks>,
    pub key_tests: KeyTests,
    pub provider_key: KeyArn,
    pub outage_grace: Duration,
    pub principal: Option<AwsPrincipal>,
    pub counter: Counter,
    pub audit: Audit,
    /// Rung when a job has been made.
    pub wake: Arc<Notify>,
    /// Bumped when the job has changed.
    pub changed: watch::Sender<u64>,
}

impl Encryption {
    pub(super) fn tell(&self, failure: Failure) -> ApiError {
        failure.tell(self.state.face())
    }

    async fn look(&self, who: &Principal, test: Option<&str>) -> Result<model::DataEncryption, Failure> {
        access::user_id(who)?;
        let on = self.store.read();
        let (root, counted) = self.counted().await?;
        let job = queue::latest(on).await?;
        let past = queue::ended(on, PAST_JOBS + 1).await?;
        let past: Vec<_> = past.into_iter().filter(|ended| job.as_ref().is_none_or(|job| job.id != ended.id)).collect();
        let mut involved = vec![root.set_by];
        for job in job.iter().chain(&past) {
            involved.extend([job.requested_by, job.paused_by]);
        }
        let names = people::names(on, involved.into_iter().flatten()).await?;
        let coverage = counted.lines();
        let account = KeyArn::parse(&root.root_key_arn).map(|arn| arn.account().to_owned());
        Ok(model::DataEncryption {
            root: model::RootKey {
                kind: kind(root.root_kind),
                account: account.map_err(|_| Failure::Inconsistent("the root key's ARN is none"))?,
                arn: root.root_key_arn,
                since: root.since,
                by: root.set_by.map(|id| people::name(&names, Some(id))),
                generation: root.generation,
            },
            lock: self.state.face(),
            notice: access::administrator(who).ok().and_then(|_| self.state.notice()),
            servers: lock_history::servers(on, database_now(on).await?).await?,
            locked_workspaces: self.locked_workspaces(who).await?,
            history: lock_history::newest(on, who).await?,
            verified_ms_ago: self.state.verified_ms_ago(),
            checks: self.state.checks(),
            provider_arn: self.provider_key.as_str().to_owned(),
            data_keys: counted.rows("data_keys"),
            workspaces: coverage.first().map_or(0, |line| line.items),
            amount: counted.amount(),
            coverage,
            not_sealed: counted.plain_lines(),
            counted_at: counted.at(),
            speed: speed(on).await?,
            job: match job {
                Some(job) => Some(job_view::view(on, job, &names, who.role).await?),
                None => None,
            },
            past_jobs: job_view::summaries(on, past, PAST_JOBS, &names).await?,
            test: match test {
                Some(id) => self.key_tests.find(who, id).await?,
                None => None,
            },
            outage_grace_seconds: self.outage_grace.as_secs(),
            principal_arn: self.principal.as_ref().map(|principal| principal.arn.clone()),
            principal_is_of_session: self.principal.as_ref().is_some_and(|principal| principal.is_of_session),
            may_change: who.role == Role::Administrator,
            has_just_proven: proof::age(who, self.keys.vault().clock().wall_ms()) < A_MOMENT,
        })
    }

    async fn locked_workspaces(&self, who: &Principal) -> Result<Vec<model::LockedWorkspace>, Failure> {
        let locked = self.workspace_locks.all();
        let ids: Vec<Uuid> = locked.iter().map(|(id, _)| *id).collect();
        let mine = access::among(self.store.read(), who, &ids).await?;
        let told = |(id, lock): (Uuid, LockFace)| {
            let is_member = mine.contains(&id);
            let is_told = is_member || who.role == Role::Administrator;
            is_told.then(|| model::LockedWorkspace { id: id.to_string(), is_member, lock })
        };
        Ok(locked.into_iter().filter_map(told).collect())
    }

    pub(super) async fn activate_opened(
        &self,
        who: &Principal,
        user: Uuid,
        arn: &KeyArn,
        open: &mut Option<OpenEntry>,
    ) -> Result<Activation, Failure> {
        // Cheap answers first; they are given again under the lock.
        let root = house::root(self.store.read()).await?;
        may_activate(&root, queue::unfinished(self.store.read()).await?.as_ref())?;
        if !self.keys.vault().is_open() {
            return Err(KeyRefused::RootUnusable.refuse());
        }
        let test = self.key_tests.ask(user, arn, TestPurpose::Activation, BEFORE_ACTIVATION).await?;
        if refuses(&test) {
            if let Some(open) = open.take() {
                self.tested(open, &test).await?;
            }
            return Ok(Activation::Refused(test.id));
        }
        let transaction = self.store.begin().await?;
        let root = house::lock(&transaction).await?;
        may_activate(&root, queue::unfinished(&transaction).await?.as_ref())?;
        let job = self.write_job(&transaction, JobKind::Activate, &root.root_key_arn, arn.as_str(), user).await?;
        Self::job_begins(&transaction, who, job, arn.as_str(), open.take()).await?;
        transaction.commit().await?;
        tracing::info!(event = "activation_requested", user = %user, "an administrator activates a key");
        self.ring();
        Ok(Activation::Begun)
    }

    pub(super) async fn delete_opened(
        &self,
        who: &Principal,
        user: Uuid,
        arn: &KeyArn,
        open: &mut Option<OpenEntry>,
    ) -> Result<(), Failure> {
        let transaction = self.store.begin().await?;
        let root = house::lock(&transaction).await?;
        match queue::unfinished(&transaction).await? {
            None => {
                self.may_delete(&root, arn)?;
                let provider = self.provider_key.as_str();
                let job = self.write_job(&transaction, JobKind::Delete, &root.root_key_arn, provider, user).await?;
                Self::job_begins(&transaction, who, job, provider, open.take()).await?;
            }
            Some(job) if job.kind == JobKind::Delete => return Err(KeyRefused::JobUnfinished.refuse()),
            Some(job) if job.stage == JobStage::Control => {
                if job.to_arn != arn.as_str() {
                    return Err(KeyRefused::NotTheActiveKey.refuse());
                }
                // It has not taken control yet, so it simply ends: nothing has changed.
                queue::abandon(&transaction, &super::words::write(JobFailure::Cancelled)).await?;
                if let Some(open) = open.take() {
                    Self::job_is_cancelled(&transaction, job.id, open).await?;
                }
            }
            Some(job) => {
                self.may_delete(&root, arn)?;
                self.turn_round(&transaction, &job, &root, user).await?;
                if let Some(open) = open.take() {
                    open.leave_to(&transaction, job.id).await?;
                }
            }
        }
        transaction.commit().await?;
        tracing::info!(event = "deletion_requested", user = %user, "an administrator deletes the key");
        self.ring();
        Ok(())
    }

    fn may_delete(&self, root: &encryption::Model, arn: &KeyArn) -> Result<(), Failure> {
        if root.root_kind != RootKind::Customer {
            Err(KeyRefused::NoActiveKey.refuse())
        } else if root.root_key_arn != arn.as_str() {
            Err(KeyRefused::NotTheActiveKey.refuse())
        } else if !self.keys.vault().is_open() {
            Err(KeyRefused::RootUnusable.refuse())
        } else {
            Ok(())
        }
    }

    pub(super) async fn write_job(
        &self,
        transaction: &DatabaseTransaction,
        kind: JobKind,
        from: &str,
        to: &str,
        user: Uuid,
    ) -> Result<Uuid, Failure> {
        let now = database_now(transaction).await?;
        let id = new_id(self.keys.vault())?;
        // A retry has nothing to take control of.
        let (stage, control_at) = match kind {
            JobKind::Activate | JobKind::Delete => (JobStage::Control, None),
            JobKind::Retry => (JobStage::Reencrypt, Some(now)),
        };
        let row = job::ActiveModel {
            id: Set(id),
            kind: Set(kind),
            state: Set(JobState::Running),
            stage: Set(stage),
            from_arn: Set(from.to_owned()),
            to_arn: Set(to.to_owned()),
            requested_by: Set(Some(user)),
            created_at: Set(now),
            control_at: Set(control_at),
            ..Default::default()
        };
        job::Entity::insert(row).exec_without_returning(transaction).await?;
        Ok(id)
    }

    /// An activation that is re-encrypting becomes a deletion: control goes back first, then one sweep rewrites all. Its account
    /// stays until then, as it becomes the activation again if the deletion cannot take control.
    async fn turn_round(
        &self,
        transaction: &DatabaseTransaction,
        job: &job::Model,
        root: &encryption::Model,
        user: Uuid,
    ) -> Result<(), Failure> {
        let now = database_now(transaction).await?;
        let mut turned = job::Entity::update_many()
            .set(job::ActiveModel {
                kind: Set(JobKind::Delete),
                state: Set(JobState::Running),
                stage: Set(JobStage::Control),
                from_arn: Set(root.root_key_arn.clone()),
                to_arn: Set(self.provider_key.as_str().to_owned()),
                requested_by: Set(Some(user)),
                created_at: Set(now),
                control_at: Set(None),
                turned_by: Set(job.requested_by),
                turned_at: Set(Some(job.created_at)),
                turned_control_at: Set(job.control_at),
                failure: Set(None),
                owner: Set(None),
                lease_until: Set(0),
                waiting: Set(None),
                code: Set(None),
                problem_scope: Set(None),
                paused_by: Set(None),
                paused_at: Set(None),
                ..Default::default()
            })
            .col_expr(job::Column::Fence, Expr::col(job::Column::Fence).add(1))
            .filter(job::Column::Id.eq(job.id));
        for counter in [job::Column::KeysTotal, job::Column::KeysDone] {
            turned = turned.col_expr(counter, Expr::value(0_i64));
        }
        turned.exec(transaction).await?;
        crate::crash::point("turn_round.before_commit");
        Ok(())
    }

    pub(super) fn ring(&self) {
        self.wake.notify_one();
        self.changed.send_modify(|version| *version += 1);
    }
}

fn may_activate(root: &encryption::Model, job: Option<&job::Model>) -> Result<(), Failure> {
    match (root.root_kind, job) {
        (_, Some(_)) => Err(KeyRefused::JobUnfinished.refuse()),
        (RootKind::Customer, None) => Err(KeyRefused::AlreadyActive.refuse()),
        (RootKind::Provider, None) => Ok(()),
    }
}

fn kind(kind: RootKind) -> model::RootKind {
    match kind {
        RootKind::Provider => model::RootKind::Provider,
        RootKind::Customer => model::RootKind::Customer,
    }
}

/// A refusal as a failure of the service.
pub(super) trait Refuse {
    fn refuse(self) -> Failure;
}

impl Refuse for KeyRefused {
    fn refuse(self) -> Failure {
        Failure::Refused(self.into())
    }
}

#[async_trait]
impl EncryptionPort for Encryption {
    async fn view(&self, who: &Principal, test: Option<&str>) -> Result<model::DataEncryption, ApiError> {
        self.look(who, test).await.map_err(|failure| self.tell(failure))
    }

    async fn test_key(&self, who: &Principal, arn: &str) -> Result<KeyTest, ApiError> {
        self.begin_test(who, arn).await.map_err(|failure| self.tell(failure))
    }

    async fn activate(&self, who: &Principal, arn: &str) -> Result<Activation, ApiError> {
        self.begin_activation(who, arn).await.map_err(|failure| self.tell(failure))
    }

    async fn delete_key(&self, who: &Principal, arn: &str) -> Result<(), ApiError> {
        self.begin_deletion(who, arn).await.map_err(|failure| self.tell(failure))
    }

    async fn pause_job(&self, who: &Principal) -> Result<(), ApiError> {
        self.pause(who).await.map_err(|failure| self.tell(failure))
    }

    async fn resume_job(&self, who: &Principal) -> Result<(), ApiError> {
        self.resume(who).await.map_err(|failure| self.tell(failure))
    }

    async fn retry_set_aside(&self, who: &Principal) -> Result<(), ApiError> {
        self.begin_retry(who).await.map_err(|failure| self.tell(failure))
    }
}
