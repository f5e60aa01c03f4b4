//! Whether the audit log is as it was written: every entry is read once, in order, and its hash is computed anew.
//!
//! What the hashes alone show: an entry that was edited, removed, inserted or moved. Whoever can write the database can also
//! write all hashes after an edit anew, and cut off the end together with the row that says where it was. Against the former
//! stand the signed heads, which need the provider key; against the latter a head that was kept outside, as from the log of a
//! server. Servers do not sign what does not go on from what they knew (`witness.rs`), so whoever wants a signature for what was
//! written anew must remove heads and wait until no server remembers them: a long stretch of entries without a signed head is
//! told. It is a hint and no proof: KMS is asked for the newest head alone, and somebody may have made others up, with their times;
//! a head from outside is proof. What must stay true: a signed head counts only if it opens under a key that the caller has named, never under one
//! that only the database names; and what could not be confirmed is never called confirmed.
//!
//! Cost: one pass over the entries by their primary key, whose length is the only thing it grows with; memory is that of a few
//! batches, which are read at once. Of KMS one call if all is well, and the logarithm of the number of heads if not.

mod heads;
mod report;

pub use report::{Finding, Report, Unsigned, Vouched};

use super::chain::{self, FIRST};
use crate::store::{
    Store,
    entities::{audit_entry, audit_head, audit_signed},
};
use futures::{TryStreamExt, stream};
use report::Findings;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QueryResult,
    QuerySelect, Statement,
};
use std::{collections::BTreeMap, pin::pin};
use vault::{DeploymentId, Kms};

/// How many entries a batch has, and how many of these are read at once.
const BATCH: u64 = 2_000;
const AT_ONCE: usize = 4;
/// Milliseconds within which entries are signed, unless KMS or the database does not answer (`keeper.rs`).
const SIGNED_WITHIN: i64 = 5 * 60 * 1_000;

/// Verifies the log of one deployment.
pub struct Verifier {
    pub store: Store,
    pub kms: Kms,
    pub deployment: DeploymentId,
    /// The ARNs of keys under which a signed head counts: the provider key, and such as were it before.
    pub keys: Vec<String>,
}

/// A head that was kept outside of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outside {
    pub sequence: i64,
    pub hash: [u8; 32],
}

/// The pass over the entries.
struct Pass {
    last: i64,
    /// The hash that is stored in the last entry, and the one that it should have.
    stored: [u8; 32],
    computed: [u8; 32],
    entries: u64,
    findings: Findings,
    /// Heads from outside by their sequence, each until its entry has come.
    outside: BTreeMap<i64, Vec<[u8; 32]>>,
    confirmed_outside: Option<i64>,
    /// The keys under which a head counts.
    keys: Vec<String>,
    /// The first entry after the last signed head, and when it was written.
    unsigned: Option<(i64, i64)>,
    longest_unsigned: Option<Unsigned>,
}

/// What is compared on the way: entries, and the heads that lie among them, each with its hash, when it was signed, and by which
/// key.
type Batch = (Vec<audit_entry::Model>, Vec<(i64, Vec<u8>, i64, String)>);

impl Verifier {
    /// Reads the whole log.
    ///
    /// # Errors
    /// When the database fails. What is wrong with the log is in the report.
    pub async fn verify(&self, outside: &[Outside]) -> Result<Report, DbErr> {
        // What is appended meanwhile is verified too; what there is now must be there then.
        let head = audit_head::Entity::find_by_id(1).one(self.store.read()).await?;
        let mut pass = Pass::new(outside, head.as_ref(), &self.keys);
        let ranges = stream::try_unfold(0, |after| async move {
            let until = self.end_of_batch(after).await?;
            Ok(until.map(|until| ((after, until), until)))
        });
        // Each on a task of its own: taking rows apart is what takes most of the time.
        let batches = ranges.map_ok(|(after, until)| {
            let reading = tokio::spawn(batch(self.store.clone(), after, until));
            async { reading.await.unwrap_or_else(|error| Err(DbErr::Custom(format!("a batch broke off: {error}")))) }
        });
        let mut batches = pin!(batches.try_buffered(AT_ONCE));
        while let Some(batch) = batches.try_next().await? {
            pass.take(batch);
        }
        pass.end();
        // A pass begins with the first entry; the page would show what claims to be before it.
        let before = audit_entry::Entity::find().filter(audit_entry::Column::Sequence.lt(1));
        let before = before.count(self.store.read()).await?;
        if before > 0 {
            pass.findings.add(Finding::BeforeTheFirst(before));
        }
        self.confirm(pass).await
    }

    /// Where the batch ends that begins after `after`; `None` if nothing comes any more.
    async fn end_of_batch(&self, after: i64) -> Result<Option<i64>, DbErr> {
        let on = self.store.read();
        let later = || {
            let query = audit_entry::Entity::find().select_only().column(audit_entry::Column::Sequence);
            query.filter(audit_entry::Column::Sequence.gt(after)).limit(1)
        };
        let full = later().order_by_asc(audit_entry::Column::Sequence).offset(BATCH - 1);
        if let Some(until) = full.into_tuple().one(on).await? {
            return Ok(Some(until));
        }
        later().order_by_desc(audit_entry::Column::Sequence).into_tuple().one(on).await
    }
}

/// The entries after `after` up to `until`, with the heads among them.
async fn batch(store: Store, after: i64, until: i64) -> Result<Batch, DbErr> {
    let on = store.read();
    let backend = on.get_database_backend();
    let (first, second) = if backend == DbBackend::Postgres { ("$1", "$2") } else { ("?1", "?2") };
    let sql = format!(
        "SELECT sequence, at, action, outcome, operation, actor, actor_name, actor_email, address, object_kind, object_id, \
         detail, amount, key_arn, region, request_id, server, hash FROM audit_entries \
         WHERE sequence > {first} AND sequence <= {second} ORDER BY sequence"
    );
    let rows = on.query_all_raw(Statement::from_sql_and_values(backend, sql, [after.into(), until.into()])).await?;
    let entries = rows.iter().map(read_as_far_as_can_be).collect::<Result<Vec<_>, _>>()?;
    let heads = audit_signed::Entity::find()
        .select_only()
        .columns([
            audit_signed::Column::Sequence,
            audit_signed::Column::Hash,
            audit_signed::Column::SignedAt,
            audit_signed::Column::KeyArn,
        ])
        .filter(audit_signed::Column::Sequence.gt(after))
        .filter(audit_signed::Column::Sequence.lte(until))
        .order_by_asc(audit_signed::Column::Sequence);
    Ok((entries, heads.into_tuple().all(on).await?))
}

/// `SQLite` holds any kind of value in any column. An entry with one that cannot be ours does not fit its hash; it is no reason to
/// look no further.
fn read_as_far_as_can_be(row: &QueryResult) -> Result<audit_entry::Model, DbErr> {
    if let Ok(entry) = read(row) {
        return Ok(entry);
    }
    Ok(audit_entry::Model {
        sequence: row.try_get_by_index(0)?,
        at: 0,
        action: String::new(),
        outcome: String::new(),
        operation: None,
        actor: String::new(),
        actor_name: None,
        actor_email: None,
        address: None,
        object_kind: None,
        object_id: None,
        detail: None,
        amount: None,
        key_arn: None,
        region: None,
        request_id: None,
        server: None,
        hash: row.try_get_by_index(17).unwrap_or_default(),
    })
}

/// By position: by name it would take twice as long.
fn read(row: &QueryResult) -> Result<audit_entry::Model, DbErr> {
    Ok(audit_entry::Model {
        sequence: row.try_get_by_index(0)?,
        at: row.try_get_by_index(1)?,
        action: row.try_get_by_index(2)?,
        outcome: row.try_get_by_index(3)?,
        operation: row.try_get_by_index(4)?,
        actor: row.try_get_by_index(5)?,
        actor_name: row.try_get_by_index(6)?,
        actor_email: row.try_get_by_index(7)?,
        address: row.try_get_by_index(8)?,
        object_kind: row.try_get_by_index(9)?,
        object_id: row.try_get_by_index(10)?,
        detail: row.try_get_by_index(11)?,
        amount: row.try_get_by_index(12)?,
        key_arn: row.try_get_by_index(13)?,
        region: row.try_get_by_index(14)?,
        request_id: row.try_get_by_index(15)?,
        server: row.try_get_by_index(16)?,
        hash: row.try_get_by_index(17)?,
    })
}

impl Pass {
    fn new(outside: &[Outside], head: Option<&audit_head::Model>, keys: &[String]) -> Self {
        let mut by_sequence: BTreeMap<i64, Vec<[u8; 32]>> = BTreeMap::new();
        for Outside { sequence, hash } in outside {
            by_sequence.entry(*sequence).or_default().push(*hash);
        }
        let mut pass = Self {
            last: 0,
            stored: FIRST,
            computed: FIRST,
            entries: 0,
            findings: Findings::new(head.map(|head| (head.sequence, head.hash.clone()))),
            outside: by_sequence,
            confirmed_outside: None,
            keys: keys.to_vec(),
            unsigned: None,
            longest_unsigned: None,
        };
        if head.is_none() {
            pass.findings.add(Finding::NoHead);
        }
        pass
    }

    fn take(&mut self, (entries, heads): Batch) {
        let mut heads = heads.into_iter().peekable();
        for entry in entries {
            self.entry(&entry);
            while let Some((sequence, hash, at, key)) = heads.next_if(|(sequence, ..)| *sequence <= entry.sequence) {
                if sequence != entry.sequence || hash != entry.hash {
                    self.findings.add(Finding::SignedHead(sequence));
                }
                if self.keys.contains(&key) {
                    self.signed(sequence, at);
                }
            }
        }
    }

    /// The entries up to here were signed at this time.
    fn signed(&mut self, to: i64, at: i64) {
        let Some((from, since)) = self.unsigned.take() else { return };
        let waited = at - since;
        if waited > SIGNED_WITHIN && self.longest_unsigned.is_none_or(|longest| longest.waited < waited) {
            self.longest_unsigned = Some(Unsigned { from, to, waited });
        }
    }

    fn entry(&mut self, entry: &audit_entry::Model) {
        self.entries += 1;
        let sequence = entry.sequence;
        self.unsigned.get_or_insert((sequence, entry.at));
        let follows = sequence == self.last + 1;
        if !follows {
            self.findings.add(Finding::Missing { from: self.last + 1, to: sequence - 1 });
        }
        // What the entry before should have been is as good as what it says: else its successor would be called changed, too.
        let computed = chain::hash(&self.stored, entry);
        let fits = |hash: &[u8; 32]| hash.as_slice() == entry.hash.as_slice();
        if follows && !fits(&computed) && !fits(&chain::hash(&self.computed, entry)) {
            self.findings.add(Finding::Changed(sequence));
        }
        self.computed = computed;
        self.stored = entry.hash.as_slice().try_into().unwrap_or(FIRST);
        self.last = sequence;
        self.findings.head(sequence, &entry.hash);
        for hash in self.outside.remove(&sequence).unwrap_or_default() {
            if fits(&hash) {
                self.confirmed_outside = Some(sequence);
            } else {
                self.findings.add(Finding::OutsideHead(sequence));
            }
        }
    }

    /// Nothing comes any more.
    fn end(&mut self) {
        let known = self.outside.keys().next_back().copied().unwrap_or(0).max(self.findings.head_sequence());
        if known > self.last {
            self.findings.add(Finding::CutOff { from: self.last + 1, to: known });
        }
        // Whatever of an outside head is left had no entry.
        let beyond: Vec<i64> = self.outside.keys().copied().filter(|sequence| *sequence <= self.last).collect();
        for sequence in beyond {
            self.findings.add(Finding::OutsideHead(sequence));
        }
    }
}
