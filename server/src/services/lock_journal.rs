//! The journal of locks: each lock of this server, of everything or of one workspace, with its cause and its times, in the
//! log at once and in the database as soon as that answers.
//!
//! What must stay true: nothing waits for the journal, and it loses nothing while the database cannot be reached. It follows
//! the vault itself, so a lease that simply runs out is noted like any other lock.

use super::{
    audit::{Action, Audit, Entry, Object},
    ids::new_id,
    key_state::KeyState,
    outgoing::Outgoing,
    words,
    workspace_locks::WorkspaceLocks,
};
use crate::{
    metrics::Metrics,
    store::{
        Store,
        entities::{encryption::RootKind, lock_event},
    },
};
use app::model::lock::LockFace;
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait, IntoActiveModel, Iterable, sea_query::OnConflict};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use vault::{EntropyError, LockCause, Vault};

/// How often it is looked whether the last answer has ended, after a lock.
const END_LOOKS: Duration = Duration::from_millis(20);
/// Answers that have not ended by then are accounted for as they stand.
const END_PATIENCE: i64 = 30_000;
/// Without any news it looks all the same: a lease can end without anybody saying so.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const DATABASE_PATIENCE: Duration = Duration::from_secs(5);
const DATABASE_PAUSE: Duration = Duration::from_secs(2);

/// Writes the journal of one server.
#[derive(Clone)]
pub struct LockJournal {
    pub store: Store,
    pub state: Arc<KeyState>,
    pub workspaces: Arc<WorkspaceLocks>,
    pub outgoing: Arc<Outgoing>,
    /// The id of this server, and what operators call it.
    pub server: Uuid,
    pub server_name: String,
    pub metrics: Metrics,
    /// Bumped when a lock has changed.
    pub changed: watch::Sender<u64>,
}

/// The locks that are in force: of everything, and of single workspaces. Each is a row of the history that is not closed.
#[derive(Default)]
struct InForce {
    everything: Option<lock_event::Model>,
    workspaces: HashMap<Uuid, lock_event::Model>,
}

impl LockJournal {
    /// Follows vault and workspaces until `stop`, and ends when all it has noted is in the database.
    pub async fn run(self, stop: CancellationToken) {
        let (rows, written) = mpsc::unbounded_channel();
        let writer = write_all(self.store.clone(), written);
        tokio::join!(self.follow(rows, stop), writer);
    }

    async fn follow(self, rows: mpsc::UnboundedSender<lock_event::Model>, stop: CancellationToken) {
        let mut standing = self.vault().watch();
        let mut workspaces = self.workspaces.watch();
        let mut news = self.state.watch();
        let mut in_force = InForce::default();
        // What had been cut when it was last seen open: connections are reset before the lock is noticed here.
        let mut cuts_before = 0;
        loop {
            let mut changes = Vec::new();
            if let Err(error) = self.look(&mut in_force, &mut changes) {
                tracing::error!(event = "lock_not_noted", %error, "the lock history is incomplete");
            }
            let ends = self.note_the_end(&mut in_force, cuts_before, &mut changes);
            if in_force.everything.is_none() {
                cuts_before = self.outgoing.cuts();
            }
            if !changes.is_empty() {
                for row in changes {
                    // The writer lives as long as this does.
                    let _ = rows.send(row);
                }
                self.changed.send_modify(|version| *version += 1);
            }
            if stop.is_cancelled() {
                return;
            }
            let pause = if ends { LOOK_EVERY } else { END_LOOKS };
            tokio::select! {
                _ = standing.changed() => {}
                _ = workspaces.changed() => {}
                _ = news.changed() => {}
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn vault(&self) -> &Arc<Vault> {
        self.state.vault()
    }

    /// Compares what is in force with what was, and says which rows have changed by it.
    fn look(&self, in_force: &mut InForce, changes: &mut Vec<lock_event::Model>) -> Result<(), EntropyError> {
        // A server that has not asked yet is no lock.
        let face = self.state.face().filter(|_| self.state.answered());
        self.compare(None, &mut in_force.everything, face, changes)?;
        let mut locked: HashMap<Uuid, LockFace> = self.workspaces.all().into_iter().collect();
        let ids: HashSet<Uuid> = in_force.workspaces.keys().copied().chain(locked.keys().copied()).collect();
        for id in ids {
            let mut row = in_force.workspaces.remove(&id);
            self.compare(Some(id), &mut row, locked.remove(&id), changes)?;
            if let Some(row) = row {
                in_force.workspaces.insert(id, row);
            }
        }
        Ok(())
    }

    fn compare(
        &self,
        scope: Option<Uuid>,
        row: &mut Option<lock_event::Model>,
        face: Option<LockFace>,
        changes: &mut Vec<lock_event::Model>,
    ) -> Result<(), EntropyError> {
        // Another beginning is another lock: it was open in between.
        if let Some(mut old) = row.take_if(|old| face.as_ref().is_none_or(|face| face.since != old.locked_at)) {
            self.log_unlocked(scope);
            if old.ended_at.is_none() {
                self.end(&mut old);
            }
            let restored_at = face.as_ref().map_or_else(|| self.vault().clock().wall_ms(), |face| face.since);
            changes.push(lock_event::Model { restored_at: Some(restored_at), ..old });
        }
        let Some(face) = face else { return Ok(()) };
        match row {
            None => {
                log_locked(scope, &face);
                let new = self.row(scope, &face)?;
                self.count_lock(scope, &face);
                changes.push(new.clone());
                *row = Some(new);
            }
            // The same lock, of which more is known now.
            Some(known) => {
                let told = told(known.clone(), &face);
                if told != *known {
                    log_locked(scope, &face);
                    changes.push(told.clone());
                    *known = told;
                }
            }
        }
        Ok(())
    }

    fn count_lock(&self, scope: Option<Uuid>, face: &LockFace) {
        if scope.is_some() {
            return;
        }
        self.metrics.locked(face.cause);
        if self.vault().lock_state().is_some_and(|lock| lock.cause == LockCause::ClockJumped) {
            tracing::warn!(event = "clock_jumped", "the wall clock ran ahead of the machine's own");
        }
    }

    fn log_unlocked(&self, scope: Option<Uuid>) {
        match scope {
            None => {
                self.metrics.unlocked();
                tracing::info!(event = "unlocked", "the data can be read");
            }
            Some(scope) => tracing::info!(event = "workspace_unlocked", %scope, "the workspace can be read"),
        }
    }

    fn row(&self, scope: Option<Uuid>, face: &LockFace) -> Result<lock_event::Model, EntropyError> {
        let (root_kind, root_key_arn) = self.state.root().unwrap_or((RootKind::Provider, String::new()));
        let row = lock_event::Model {
            id: new_id(self.vault())?,
            server_id: self.server,
            server_name: self.server_name.clone(),
            scope,
            root_key_arn,
            root_kind,
            cause: String::new(),
            code: None,
            request_id: None,
            deletion_at: None,
            refused_at: None,
            locked_at: face.since,
            ended_at: None,
            last_byte_at: self.outgoing.last_byte(),
            cut: 0,
            restored_at: None,
            gone_at: None,
        };
        Ok(told(row, face))
    }

    /// Notes when the last byte of opened data had gone; `false` while that is still to come.
    fn note_the_end(&self, in_force: &mut InForce, cuts_before: u64, changes: &mut Vec<lock_event::Model>) -> bool {
        let now = self.vault().clock().wall_ms();
        for row in in_force.workspaces.values_mut().filter(|row| row.ended_at.is_none()) {
            self.end(row);
            changes.push(row.clone());
        }
        let Some(row) = in_force.everything.as_mut().filter(|row| row.ended_at.is_none()) else { return true };
        if self.outgoing.carried() > 0 && now.saturating_sub(row.locked_at) < END_PATIENCE {
            return false;
        }
        self.end(row);
        row.cut = i64::try_from(self.outgoing.cuts().saturating_sub(cuts_before)).unwrap_or(i64::MAX);
        tracing::info!(
            event = "access_ended",
            ended_at = row.ended_at,
            last_byte_at = row.last_byte_at,
            cut = row.cut,
            "the last byte of opened data has been given to the kernel"
        );
        changes.push(row.clone());
        true
    }

    /// The end of access is when the last byte of opened data had gone, and not before the lock.
    fn end(&self, row: &mut lock_event::Model) {
        if row.scope.is_some() {
            // A workspace that was locked alone has no account of its own. It is seen in the list only after its keys were
            // wiped and its streams revoked, so nothing of it was opened later than now.
            row.ended_at = Some(self.vault().clock().wall_ms().max(row.locked_at));
            return;
        }
        row.last_byte_at = self.outgoing.last_byte();
        let ended_at = row.last_byte_at.unwrap_or(0).max(row.locked_at);
        row.ended_at = Some(ended_at);
        if let Some(refused_at) = row.refused_at {
            self.metrics.cutoff(Duration::from_millis(u64::try_from(ended_at - refused_at).unwrap_or(0)));
        }
    }
}

/// The row with what the face says.
fn told(row: lock_event::Model, face: &LockFace) -> lock_event::Model {
    lock_event::Model {
        cause: words::write(face.cause),
        code: face.code.clone(),
        request_id: face.request_id.clone(),
        deletion_at: face.deletion_at,
        refused_at: face.refused_at,
        ..row
    }
}

fn log_locked(scope: Option<Uuid>, face: &LockFace) {
    let cause = words::write(face.cause);
    let (code, request_id) = (face.code.as_deref(), face.request_id.as_deref());
    match scope {
        None => tracing::error!(event = "locked", cause, code, request_id, "the data is locked"),
        Some(scope) => {
            tracing::error!(event = "workspace_locked", %scope, cause, code, request_id, "a workspace is locked alone");
        }
    }
}

/// Writes rows in their order, each until the database has taken it.
async fn write_all(store: Store, mut rows: mpsc::UnboundedReceiver<lock_event::Model>) {
    while let Some(row) = rows.recv().await {
        let mut is_told = false;
        loop {
            match timeout(DATABASE_PATIENCE, write(&store, row.clone())).await {
                Ok(Ok(())) => break,
                failed if !is_told => {
                    let error = failed.map_or_else(|late| late.to_string(), |done| format!("{done:?}"));
                    tracing::error!(event = "lock_not_noted", error, "the lock history waits for the database");
                    is_told = true;
                }
                _ => {}
            }
            tokio::time::sleep(DATABASE_PAUSE).await;
        }
    }
}

/// Together with what the audit log says of it: that the lock began, when its row is new, and that it ended, when that is.
async fn write(store: &Store, row: lock_event::Model) -> Result<(), DbErr> {
    let transaction = store.begin().await?;
    let before = lock_event::Entity::find_by_id(row.id).one(&transaction).await?;
    let begins = before.is_none();
    let ends = row.restored_at.is_some() && before.is_none_or(|before| before.restored_at.is_none());
    let told = row.clone();
    let mut row = row.into_active_model();
    // Every column, also those that are empty: the row replaces what an earlier state of it has written.
    row.gone_at = Set(None);
    let all = lock_event::Column::iter().filter(|column| !matches!(column, lock_event::Column::Id));
    let replace = OnConflict::column(lock_event::Column::Id).update_columns(all).to_owned();
    lock_event::Entity::insert(row).on_conflict(replace).exec_without_returning(&transaction).await?;
    for (action, is_so) in [(Action::Locked, begins), (Action::Unlocked, ends)] {
        if is_so {
            Audit::append(&transaction, entry(action, &told)).await?;
        }
    }
    transaction.commit().await
}

fn entry(action: Action, row: &lock_event::Model) -> Entry {
    let entry =
        Entry::by_system(action).key(&row.root_key_arn, row.request_id.as_deref()).by_server(Some(row.server_id));
    let entry = entry.detail(row.cause.as_str());
    match row.scope {
        Some(workspace) => entry.on(&Object::Workspace(workspace)),
        None => entry,
    }
}
