//! The database and the object store, looked at directly: which data keys there are, what names them, and what lies about.
//!
//! What must stay true: the database is opened only while the server runs, so that after a crash it is the server that recovers it.

use super::{Checked, Tally, objects::Objects};
use crate::support::Ground;
use sea_orm::{
    ConnectionTrait, Database as Connection, DatabaseConnection, DbBackend, DbErr, EntityTrait, PaginatorTrait,
    Statement,
};
use server::store::{
    entities::{
        data_key::{self, DataKeyState},
        file, job,
        job::JobState,
        note, object, object_note, set_aside, workspace,
    },
    sealed_tables::SEALED_TABLES,
};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::PathBuf,
    time::Duration,
};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// How long the collector may take: a note that a killed server left is good for a minute.
const COLLECTOR: Duration = Duration::from_secs(100);
/// How long the server may take to clean the files of its database, after a change of key or after a crash at its end.
const CLEANING: Duration = Duration::from_secs(20);
/// The bytes at the end of a secret by which it is recognized.
const TAIL: usize = 16;
/// What a note and a lease are good for at most; milliseconds.
const NOTE: i64 = 60_000;
const LEASE: i64 = 10_000;

/// What was sealed or wrapped at some moment, and must be gone after the next change of key.
pub struct Old {
    keys: HashSet<Uuid>,
    tails: HashSet<[u8; TAIL]>,
    latest_job: Option<Uuid>,
}

/// A look at the database.
pub struct Look<'a> {
    ground: &'a Ground,
    objects: &'a Objects,
    on: DatabaseConnection,
}

impl<'a> Look<'a> {
    pub async fn begin(ground: &'a Ground, objects: &'a Objects) -> Checked<Self> {
        let on = Connection::connect(&ground.url).await.map_err(failed)?;
        Ok(Self { ground, objects, on })
    }

    pub async fn end(self) -> Checked {
        self.on.close().await.map_err(failed)
    }

    /// Remembers all that is there now and that a change of key must leave nothing of.
    pub async fn old(&self) -> Checked<Old> {
        let keys = data_key::Entity::find().all(&self.on).await.map_err(failed)?;
        let mut tails: HashSet<_> = keys.iter().filter_map(|key| tail(&key.wrapped)).collect();
        for (_, sealed) in self.sealed_columns().await? {
            tails.extend(tail(&sealed.1));
        }
        let keys = keys.into_iter().map(|key| key.id).collect();
        Ok(Old { keys, tails, latest_job: self.latest_job().await?.map(|job| job.id) })
    }

    /// Makes a minute pass for what killed servers have left: whatever was written before `before` is older by that.
    pub async fn age(&self, before: i64) -> Checked {
        let notes = format!(
            "UPDATE object_notes SET expires_at = expires_at - {NOTE} WHERE state = 'writing' AND created_at < {before} \
             AND expires_at < {before} + {NOTE}"
        );
        let lease = format!(
            "UPDATE jobs SET lease_until = lease_until - {LEASE} WHERE state IN ('running', 'paused') \
             AND lease_until > 0 AND lease_until < {before} + {LEASE}"
        );
        for sql in [notes, lease] {
            self.on.execute_unprepared(&sql).await.map_err(failed)?;
        }
        Ok(())
    }

    pub async fn latest_job(&self) -> Checked<Option<job::Model>> {
        let jobs = job::Entity::find().all(&self.on).await.map_err(failed)?;
        Ok(jobs.into_iter().max_by_key(|job| (job.created_at, job.id)))
    }

    /// Checks all that is stored, with clients and job at rest.
    pub async fn check(&self, old: &Old, tally: &mut Tally) -> Checked {
        self.check_integrity().await?;
        let keys = data_key::Entity::find().all(&self.on).await.map_err(failed)?;
        let set_aside = set_aside::Entity::find().all(&self.on).await.map_err(failed)?;
        if let Some(item) = set_aside.first() {
            return Err(format!("an item was set aside: {item:?}"));
        }
        if let Some(key) = keys.iter().find(|key| key.state == DataKeyState::Retiring) {
            return Err(format!("data key {} is still retiring, and nothing was set aside", key.id));
        }
        self.check_headers(&keys, tally).await?;
        self.check_objects(&keys, tally).await?;
        let last = self.latest_job().await?.filter(|job| Some(job.id) != old.latest_job);
        if last.is_some_and(|job| job.state == JobState::Complete) {
            if let Some(kept) = keys.iter().find(|key| old.keys.contains(&key.id)) {
                return Err(format!("data key {} outlived a change of key", kept.id));
            }
            tally.add("data keys destroyed", old.keys.len());
            self.check_raw(old, tally).await?;
        }
        Ok(())
    }

    /// Every sealed value with its table's name, and whose row names which key in which scope.
    async fn sealed_columns(&self) -> Checked<Vec<((Uuid, Uuid, &'static str), (&'static str, Vec<u8>))>> {
        assert_eq!(SEALED_TABLES.len(), 3, "a new table with sealed data must be looked at here");
        let mut all = Vec::new();
        for row in workspace::Entity::find().all(&self.on).await.map_err(failed)? {
            all.push(((row.scope, row.data_key_id, "workspaces"), ("name", row.name_sealed)));
            all.push(((row.scope, row.data_key_id, "workspaces"), ("description", row.description_sealed)));
        }
        for row in note::Entity::find().all(&self.on).await.map_err(failed)? {
            all.push(((row.scope, row.data_key_id, "notes"), ("text", row.text_sealed)));
        }
        for row in file::Entity::find().all(&self.on).await.map_err(failed)? {
            all.push(((row.scope, row.data_key_id, "files"), ("name", row.name_sealed)));
            all.push(((row.scope, row.data_key_id, "files"), ("media type", row.media_type_sealed)));
        }
        Ok(all)
    }

    /// What is sealed names in its header the key that its row names, and that is its scope's current one.
    async fn check_headers(&self, keys: &[data_key::Model], tally: &mut Tally) -> Checked {
        let current = current(keys);
        for ((scope, key, table), (column, sealed)) in self.sealed_columns().await? {
            agrees(&current, scope, key, &sealed).map_err(|why| format!("{table}, {column}: {why}"))?;
            tally.add("headers of stored values compared", 1);
        }
        Ok(())
    }

    /// The store holds what rows name, whole, and nothing else.
    async fn check_objects(&self, keys: &[data_key::Model], tally: &mut Tally) -> Checked {
        self.until_collected().await?;
        let current = current(keys);
        let mut stored = self.objects.list().await?;
        for row in object::Entity::find().all(&self.on).await.map_err(failed)? {
            let length = stored.remove(&row.place).ok_or_else(|| format!("the object {} is missing", row.place))?;
            if length != vault::sealed_len(row.size.unsigned_abs()) {
                return Err(format!("the object {} has {length} bytes, of {} before sealing", row.place, row.size));
            }
            let head = self.objects.head(&row.place, 256).await?;
            agrees(&current, row.scope, row.data_key_id, &head)
                .map_err(|why| format!("object {}: {why}", row.place))?;
            tally.add("objects compared", 1);
        }
        if let Some(place) = stored.keys().next() {
            return Err(format!("{} objects are nobody's, among them {place}", stored.len()));
        }
        let unfinished = self.objects.unfinished().await?;
        if let Some(place) = unfinished.with_parts.first() {
            return Err(format!("{} uploads were left half-sent, among them {place}", unfinished.with_parts.len()));
        }
        tally.set("uploads left begun, with nothing sent", unfinished.empty);
        Ok(())
    }

    async fn until_collected(&self) -> Checked {
        let patience = Instant::now() + COLLECTOR;
        while object_note::Entity::find().count(&self.on).await.map_err(failed)? > 0 {
            if Instant::now() > patience {
                let left = object_note::Entity::find().all(&self.on).await.map_err(failed)?;
                return Err(format!("the collector leaves {left:?}"));
            }
            sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    async fn check_integrity(&self) -> Checked {
        if self.on.get_database_backend() != DbBackend::Sqlite {
            return Ok(());
        }
        let said = self.ask("PRAGMA integrity_check").await?;
        let said: Vec<String> = said.iter().filter_map(|row| row.try_get_by_index(0).ok()).collect();
        if said != ["ok"] {
            return Err(format!("the database is damaged: {said:?}"));
        }
        match self.ask("PRAGMA foreign_key_check").await?.len() {
            0 => Ok(()),
            rows => Err(format!("{rows} rows refer to what is not there")),
        }
    }

    /// The bytes of the database's files: nothing of what was wrapped or sealed under a destroyed key is in them. Only where
    /// the files are the program's own to clean.
    async fn check_raw(&self, old: &Old, tally: &mut Tally) -> Checked {
        if self.on.get_database_backend() != DbBackend::Sqlite {
            return Ok(());
        }
        for name in ["test.db", "test.db-wal"] {
            let (path, patience) = (self.ground.folder.path().join(name), Instant::now() + CLEANING);
            while let Some(at) = tokio::task::block_in_place(|| search(&path, &old.tails)) {
                if Instant::now() > patience {
                    return Err(format!("{name} still holds, at byte {at}, what was sealed under a destroyed key"));
                }
                sleep(Duration::from_millis(500)).await;
            }
        }
        tally.add("old ciphertexts looked for in the files of the database", old.tails.len());
        Ok(())
    }

    async fn ask(&self, sql: &str) -> Checked<Vec<sea_orm::QueryResult>> {
        let statement = Statement::from_string(self.on.get_database_backend(), sql);
        self.on.query_all_raw(statement).await.map_err(failed)
    }
}

fn current(keys: &[data_key::Model]) -> HashMap<Uuid, Uuid> {
    keys.iter().filter(|key| key.state == DataKeyState::Current).map(|key| (key.scope, key.id)).collect()
}

fn agrees(current: &HashMap<Uuid, Uuid>, scope: Uuid, named: Uuid, sealed: &[u8]) -> Checked {
    let header = vault::key_id_of(sealed).map_err(|error| error.to_string())?.0;
    if header != named {
        return Err(format!("its header names the data key {header}, its row {named}"));
    }
    match current.get(&scope) {
        Some(current) if *current == named => Ok(()),
        current => Err(format!("it is under the data key {named}, and its scope's current one is {current:?}")),
    }
}

fn tail(bytes: &[u8]) -> Option<[u8; TAIL]> {
    bytes.last_chunk().copied()
}

/// Where one of these is in a file.
fn search(path: &PathBuf, tails: &HashSet<[u8; TAIL]>) -> Option<usize> {
    let bytes = std::fs::read(path).unwrap_or_default();
    // By their first bytes first, which are quickly looked up.
    let mut starts: BTreeMap<[u8; 4], Vec<&[u8; TAIL]>> = BTreeMap::new();
    let mut marks = vec![false; 1 << 16];
    for tail in tails {
        starts.entry([tail[0], tail[1], tail[2], tail[3]]).or_default().push(tail);
        marks[usize::from(tail[0]) << 8 | usize::from(tail[1])] = true;
    }
    let mut windows = bytes.windows(TAIL).enumerate();
    windows.find_map(|(at, window)| {
        let marked = marks[usize::from(window[0]) << 8 | usize::from(window[1])];
        let is_one =
            || starts.get(&window[..4]).is_some_and(|tails| tails.iter().any(|tail| tail.as_slice() == window));
        (marked && is_one()).then_some(at)
    })
}

#[allow(clippy::needless_pass_by_value, reason = "it is what is mapped over")]
fn failed(error: DbErr) -> String {
    format!("the database cannot be looked at: {error}")
}
