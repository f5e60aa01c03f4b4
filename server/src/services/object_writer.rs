//! Writing one object: note, sealing, parts, completion.
//!
//! What must stay true: before the first byte is written the note is in the database, and it is renewed until a row points
//! at the object or the writer has given up. Memory stays bounded: one part being filled and one being written. What fits in
//! one part is written whole.

use super::{
    failure::Failure,
    ids::new_id,
    object_storage::ObjectStorage,
    object_upload::{ObjectUpload, Part},
    part_buffers::PartBuffers,
};
use crate::store::{
    Store,
    objects::{WRITING_FOR, WritingNote},
};
use app::model::error::ApiError;
use object_store::PutPayload;
use sea_orm::DatabaseTransaction;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinHandle;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;
use vault::{DataKey, Leash, Place, Scope, Sealer, Vault};

/// The smallest part: at least what S3 asks for, and small enough to keep memory bounded.
const PART: usize = 8 << 20;
/// S3 takes 10,000 parts; some are kept in reserve.
const PARTS: u64 = 9_000;

/// What every writer needs.
#[derive(Clone)]
pub struct ObjectWriting {
    pub store: Store,
    pub storage: ObjectStorage,
    pub vault: Arc<Vault>,
    /// The id of this server, which owns the notes of its writers.
    pub server: Uuid,
}

/// An object that is being written.
pub struct ObjectWriter {
    object: NotedObject,
    sealer: Sealer,
    /// Begun with the first part that is full.
    upload: Option<ObjectUpload>,
    part: Vec<u8>,
    buffers: PartBuffers,
    part_size: usize,
    under_way: Option<JoinHandle<Result<Part, object_store::Error>>>,
    opened: u64,
}

/// An object that is complete in the store, and that no row points at yet.
pub struct WrittenObject {
    object: NotedObject,
    pub size: u64,
}

/// The note of an object, renewed for as long as this lives; without [`Self::keep`] the object becomes garbage in the end.
struct NotedObject {
    writing: ObjectWriting,
    note: WritingNote,
    id: Uuid,
    lost: Arc<AtomicBool>,
    redeemed: bool,
    _renewal: AbortOnDropHandle<()>,
}

impl ObjectWriter {
    /// Puts the note down and begins to write, under `key`. `expected` is the size before sealing, if it is known.
    pub async fn begin(
        writing: &ObjectWriting,
        scope: Scope,
        key: &DataKey,
        expected: Option<u64>,
    ) -> Result<Self, Failure> {
        let id = new_id(&writing.vault)?;
        let place = Place::object(writing.vault.deployment(), scope, id);
        let (sealer, prefix) = Sealer::new(key, &place, writing.vault.entropy())?;
        let note = WritingNote {
            place: ObjectStorage::place(scope.as_uuid(), id),
            owner: writing.server,
            scope: scope.as_uuid(),
            data_key_id: key.id().0,
        };
        note.insert(writing.store.write()).await?;
        crate::crash::point("object.noted");
        let object = NotedObject::new(writing.clone(), note, id);
        let part_size = usize::try_from(expected.unwrap_or(0) / PARTS).unwrap_or(PART).max(PART);
        let whole = expected.and_then(|size| usize::try_from(vault::sealed_len(size)).ok()).unwrap_or(part_size);
        let buffers = PartBuffers::new(whole.min(part_size) + 2 * vault::SEALED_CHUNK_LEN);
        let mut part = buffers.take();
        part.extend_from_slice(&prefix);
        Ok(Self { object, sealer, upload: None, part, buffers, part_size, under_way: None, opened: 0 })
    }

    /// What ties the object to its lease.
    pub fn leash(&self) -> Leash {
        self.sealer.leash()
    }

    /// Bytes written so far, before sealing.
    pub fn opened(&self) -> u64 {
        self.opened
    }

    /// Seals and writes some bytes.
    pub async fn write(&mut self, mut plaintext: &[u8]) -> Result<(), Failure> {
        while !plaintext.is_empty() {
            let sealed = self.seal(plaintext)?;
            plaintext = &plaintext[sealed..];
            self.send_if_full().await?;
        }
        Ok(())
    }

    /// The first half of [`Self::write`], which keeps a processor busy: seals until a part is full, and says how much.
    pub fn seal(&mut self, plaintext: &[u8]) -> Result<usize, Failure> {
        self.object.still_noted()?;
        let mut sealed = 0;
        // In small pieces, so that a part never outgrows its buffer: growing would double it.
        for piece in plaintext.chunks(vault::CHUNK_LEN) {
            self.sealer.push(piece, &mut self.part)?;
            sealed += piece.len();
            if self.part.len() >= self.part_size {
                break;
            }
        }
        self.opened += sealed as u64;
        Ok(sealed)
    }

    /// The second half, which waits for the store.
    pub async fn send_if_full(&mut self) -> Result<(), Failure> {
        if self.part.len() >= self.part_size { self.send_part().await } else { Ok(()) }
    }

    async fn send_part(&mut self) -> Result<(), Failure> {
        self.settle().await?;
        let next = self.buffers.take();
        let full = self.buffers.lend(std::mem::replace(&mut self.part, next));
        let sent = self.upload().await?.put_part(PutPayload::from(full));
        self.under_way = Some(tokio::spawn(sent));
        Ok(())
    }

    /// The upload; begun now if it was not. Its id is in the note before anything is sent.
    async fn upload(&mut self) -> Result<&mut ObjectUpload, Failure> {
        if self.upload.is_none() {
            let begun = self.object.writing.storage.write(&self.object.note.place).await?;
            crate::crash::point("object.upload_begun");
            let upload = self.upload.insert(begun);
            if let Some(id) = upload.id() {
                self.object.note_upload(id).await?;
                crate::crash::point("object.upload_noted");
            }
        }
        self.upload.as_mut().ok_or(Failure::Inconsistent("an upload has not begun"))
    }

    async fn settle(&mut self) -> Result<(), Failure> {
        if let Some(part) = self.under_way.take() {
            let part = part.await.map_err(|error| object_store::Error::JoinError { source: error })??;
            if let Some(upload) = &mut self.upload {
                upload.took(part);
                crate::crash::point("object.part_sent");
            }
        }
        Ok(())
    }

    /// Seals and writes the end, and completes the object in the store.
    pub async fn complete(mut self) -> Result<WrittenObject, Failure> {
        self.settle().await?;
        crate::crash::point("object.before_completing");
        self.sealer.finish(&mut self.part)?;
        let last = std::mem::take(&mut self.part);
        if let Some(mut upload) = self.upload.take() {
            let part = upload.put_part(PutPayload::from(last)).await?;
            upload.took(part);
            // Asked now, not at the next renewal: without a note nobody would find the object again.
            self.object.renew_now().await?;
            upload.complete().await?;
        } else {
            self.object.renew_now().await?;
            self.object.writing.storage.put(&self.object.note.place, last).await?;
        }
        crate::crash::point("object.completed");
        let written = WrittenObject { object: self.object, size: self.opened };
        if let Err(failure) = written.object.renew_now().await {
            written.remove_unnoted().await?;
            return Err(failure);
        }
        Ok(written)
    }

    /// Stops, and leaves what was written to the collector.
    pub async fn abort(mut self) -> Result<(), Failure> {
        // A part under way must not land after the abort.
        let settled = self.settle().await;
        let aborted = match self.upload.take() {
            Some(upload) => upload.abort().await,
            None => Ok(()),
        };
        self.object.give_up().await?;
        settled?;
        Ok(aborted?)
    }
}

impl WrittenObject {
    /// The id that is bound into the sealing.
    pub fn id(&self) -> Uuid {
        self.object.id
    }

    /// The path.
    pub fn place(&self) -> &str {
        &self.object.note.place
    }

    /// The data key it is sealed under.
    pub fn data_key_id(&self) -> Uuid {
        self.object.note.data_key_id
    }

    /// Takes the note away in the transaction that makes a row point at the object.
    ///
    /// # Errors
    /// [`ApiError::Conflict`] if the note is gone: then no row may point there.
    pub async fn redeem(&self, transaction: &DatabaseTransaction) -> Result<(), Failure> {
        if self.object.note.redeem(transaction).await? { Ok(()) } else { Err(ApiError::Conflict.into()) }
    }

    /// The transaction has been committed: the object is here to stay.
    pub fn keep(mut self) {
        self.object.redeemed = true;
    }

    /// Removes an object whose note is gone, so that no row can ever point at it.
    pub async fn remove_unnoted(&self) -> Result<(), Failure> {
        Ok(self.object.writing.storage.remove(&self.object.note.place).await?)
    }

    /// No row will point at it: the collector removes it.
    pub async fn discard(mut self) -> Result<(), Failure> {
        self.object.give_up().await
    }
}

impl NotedObject {
    fn new(writing: ObjectWriting, note: WritingNote, id: Uuid) -> Self {
        let lost = Arc::new(AtomicBool::new(false));
        let renewal = tokio::spawn(renew(writing.store.clone(), note.clone(), Arc::clone(&lost)));
        let renewal = AbortOnDropHandle::new(renewal);
        Self { writing, note, id, lost, redeemed: false, _renewal: renewal }
    }

    fn still_noted(&self) -> Result<(), Failure> {
        if self.lost.load(Ordering::Acquire) { Err(ApiError::Conflict.into()) } else { Ok(()) }
    }

    async fn note_upload(&self, id: &str) -> Result<(), Failure> {
        let noted = self.note.note_upload(self.writing.store.write(), id).await?;
        if noted { Ok(()) } else { Err(ApiError::Conflict.into()) }
    }

    async fn renew_now(&self) -> Result<(), Failure> {
        if self.note.renew(self.writing.store.write()).await? { Ok(()) } else { Err(ApiError::Conflict.into()) }
    }

    async fn give_up(&mut self) -> Result<(), Failure> {
        self.note.give_up(self.writing.store.write()).await?;
        self.redeemed = true;
        Ok(())
    }
}

impl Drop for NotedObject {
    fn drop(&mut self) {
        if self.redeemed {
            return;
        }
        // If this does not get through, the note expires and the collector finds it then.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (store, note) = (self.writing.store.clone(), self.note.clone());
            runtime.spawn(async move {
                if let Err(error) = note.give_up(store.write()).await {
                    tracing::warn!(event = "note_not_given_up", %error, "an unfinished object is left to its expiry");
                }
            });
        }
    }
}

/// Renews a note three times as often as needed; an outage of the database is survived until the note has run out.
async fn renew(store: Store, note: WritingNote, lost: Arc<AtomicBool>) {
    let every = Duration::from_millis(WRITING_FOR.unsigned_abs() / 3);
    loop {
        tokio::time::sleep(every).await;
        match note.renew(store.write()).await {
            Ok(true) => {}
            Ok(false) => {
                lost.store(true, Ordering::Release);
                return;
            }
            Err(error) => tracing::warn!(event = "note_not_renewed", %error, "the note of an object was not renewed"),
        }
    }
}
