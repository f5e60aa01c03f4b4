//! What is read only when the monitoring asks: the state of the key on this server, and the job.
//!
//! What must stay true: a look is bounded in time, and one that the database does not answer still gives all that this
//! server knows by itself.

use super::{PREFIX, alarms};
use crate::{
    jobs::{account, queue},
    services::{key_state::KeyState, outgoing::Outgoing, workspace_locks::WorkspaceLocks},
    store::{
        Store,
        entities::{
            encryption::RootKind,
            job::{self, JobState},
            job_item, reset,
            server::{LOCKED, OPEN, SUSPECT},
        },
        sealed_tables::OBJECTS,
    },
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
        info::Info,
    },
    registry::Registry,
};
use sea_orm::{ActiveEnum, DbErr, EntityTrait, PaginatorTrait};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;
use vault::Standing;

/// How long the database may take. The monitoring itself usually waits for 10 s.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(2);

/// Where it is read.
#[derive(Clone)]
pub struct Sources {
    pub store: Store,
    pub state: Arc<KeyState>,
    pub workspaces: Arc<WorkspaceLocks>,
    pub outgoing: Arc<Outgoing>,
}

/// What was seen in one look.
pub struct Seen {
    standing: Standing,
    root: Option<RootKind>,
    since_success: Option<Duration>,
    workspaces_locked: usize,
    /// Since the start.
    responses_cut: u64,
    /// `None` if the database did not answer.
    stored: Option<Stored>,
}

/// What all servers share.
struct Stored {
    /// The unfinished job, or else the last one.
    job: Option<job::Model>,
    /// What that job does, by kind of data.
    items: Vec<job_item::Model>,
    /// How often locked data was destroyed.
    resets: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Job {
    kind: String,
    stage: String,
    state: String,
}

/// How much of the job: what is `done`, or the `total`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Part {
    part: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Alarm {
    alarm: &'static str,
}

impl Sources {
    /// Looks now.
    pub async fn look(&self) -> Seen {
        // Not over the connections of the key check: it must never wait for the monitoring.
        let stored = timeout(DATABASE_TIMEOUT, self.stored()).await;
        Seen {
            standing: self.state.vault().standing(),
            root: self.state.root().map(|(kind, _)| kind),
            since_success: self.state.verified_ms_ago().map(Duration::from_millis),
            workspaces_locked: self.workspaces.all().len(),
            responses_cut: self.outgoing.cuts(),
            stored: stored.ok().and_then(Result::ok),
        }
    }

    async fn stored(&self) -> Result<Stored, DbErr> {
        let on = self.store.read();
        let job = queue::latest(on).await?;
        let items = match &job {
            Some(job) => account::items_of(on, job).await?,
            None => Vec::new(),
        };
        Ok(Stored { job, items, resets: reset::Entity::find().count(on).await? })
    }
}

impl Seen {
    /// A registry of just what was seen. It is made for one answer, so two that are asked for at once do not mix.
    pub(super) fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix(PREFIX);
        let states = Family::<State, Gauge>::default();
        for (standing, state) in [(Standing::Open, OPEN), (Standing::Suspect, SUSPECT), (Standing::Locked, LOCKED)] {
            states.get_or_create(&State { state }).set(i64::from(standing == self.standing));
        }
        registry.register("key_state", "1 for the state of the root key on this server, 0 for the others", states);
        if let Some(root) = self.root {
            registry.register("root_key", "Whose key the root key is", Info::new([("kind", root.to_value())]));
        }
        if let Some(since) = self.since_success {
            let help = "Seconds since the last key check that succeeded was sent";
            registry.register("key_last_success_seconds", help, ConstGauge::new(since.as_secs_f64()));
        }
        let locked = i64::try_from(self.workspaces_locked).unwrap_or(i64::MAX);
        let help = "Workspaces that are locked alone on this server, because AWS refuses their data keys";
        registry.register("workspaces_locked", help, ConstGauge::new(locked));
        let cut = ConstCounter::new(self.responses_cut);
        registry.register("responses_cut", "Responses with opened data that a lock has broken off", cut);
        let alarms = Family::<Alarm, Counter>::default();
        for (alarm, count) in alarms::counts() {
            alarms.get_or_create(&Alarm { alarm }).inc_by(count);
        }
        registry.register("alarms", "Alarms in the log of this server, by the name of their event", alarms);
        let up = i64::from(self.stored.is_some());
        registry.register("database_up", "Whether the database has answered just now", ConstGauge::new(up));
        if let Some(stored) = &self.stored {
            let help = "How often an operator has destroyed data that was locked under a key that is gone";
            registry.register("resets", help, ConstGauge::new(i64::try_from(stored.resets).unwrap_or(i64::MAX)));
            if let Some(job) = &stored.job {
                register_job(&mut registry, job, &stored.items);
            }
        }
        registry
    }
}

fn register_job(registry: &mut Registry, job: &job::Model, items: &[job_item::Model]) {
    let running = Family::<Job, Gauge>::default();
    let labels = Job { kind: job.kind.to_value(), stage: job.stage.to_value(), state: job.state.to_value() };
    let unfinished = matches!(job.state, JobState::Running | JobState::Paused);
    running.get_or_create(&labels).set(i64::from(unfinished));
    registry.register("job_running", "1 while the newest change of key is unfinished, 0 when it has ended", running);
    let (files, records): (Vec<_>, Vec<_>) = items.iter().partition(|row| row.kind == OBJECTS);
    for (name, help, done, total) in [
        (
            "job_records",
            "Records that the newest change of key has rewritten, and has to",
            records.iter().map(|row| row.items_done).sum(),
            records.iter().map(|row| row.items_total).sum(),
        ),
        (
            "job_bytes",
            "Bytes of files that the newest change of key has rewritten, and has to",
            files.iter().map(|row| row.bytes_done).sum(),
            files.iter().map(|row| row.bytes_total).sum(),
        ),
    ] {
        let parts = Family::<Part, Gauge>::default();
        parts.get_or_create(&Part { part: "done" }).set(done);
        parts.get_or_create(&Part { part: "total" }).set(total);
        registry.register(name, help, parts);
    }
}
