//! Deleting a workspace with everything in it. It needs no plaintext, so it also works while the data is locked.
//!
//! What must stay true: nobody writes in a workspace that is being deleted, and its data keys go last, when no row names
//! them any more.

use super::{
    access::{self, Doomed, Owning},
    audit::{Action, Audit, Entry, Object},
    failure::Failure,
    proof,
    workspaces::Workspaces,
};
use crate::store::{
    database_now,
    entities::{data_key, file, note, object_note, workspace},
    house, objects,
};
use app::{model::error::ApiError, ports::Principal};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};

/// What the audit log says of a deletion by an administrator.
const REFUSED: &str = "key_refused";

impl Workspaces {
    /// An owner deletes their workspace.
    pub(super) async fn delete_workspace(&self, who: &Principal, id: &str) -> Result<(), Failure> {
        let transaction = self.store.begin().await?;
        house::lock(&transaction).await?;
        let doomed = access::workspace::<Owning>(&transaction, who, id).await?.doomed();
        self.delete_under_lock(transaction, doomed, deletion(who, doomed)).await
    }

    /// An administrator deletes a workspace whose data key KMS refuses.
    pub(super) async fn delete_refused_workspace(&self, who: &Principal, id: &str) -> Result<(), Failure> {
        access::administrator(who)?;
        proof::fresh(who, self.keys.vault().clock().wall_ms())?;
        // Outside of the transaction: KMS may be asked.
        let doomed = access::refused_workspace(who, id, self.keys.unwrapping()).await?;
        let transaction = self.store.begin().await?;
        house::lock(&transaction).await?;
        self.delete_under_lock(transaction, doomed, deletion(who, doomed).detail(REFUSED)).await
    }

    async fn delete_under_lock(
        &self,
        transaction: DatabaseTransaction,
        doomed: Doomed,
        entry: Entry,
    ) -> Result<(), Failure> {
        // Whoever writes in the workspace holds one of its data keys first. Taking them all waits for those writers, and
        // those who come later find no key and so no workspace.
        house::take_keys(&transaction, doomed.scope()).await?;
        delete_rows(&transaction, doomed).await?;
        house::next_generation(&transaction).await?;
        Audit::commit(transaction, entry).await?;
        self.keys.vault().revoke(doomed.scope());
        self.keys.unwrapping().locks.forget(doomed.id());
        self.files.collect_soon();
        Ok(())
    }
}

fn deletion(who: &Principal, doomed: Doomed) -> Entry {
    Entry::by(who, Action::WorkspaceDeleted).on(&Object::Workspace(doomed.id()))
}

/// Its members go with the workspace's own row.
async fn delete_rows(transaction: &DatabaseTransaction, doomed: Doomed) -> Result<(), Failure> {
    let (id, now) = (doomed.id(), database_now(transaction).await?);
    file::Entity::delete_many().filter(file::Column::Scope.eq(id)).exec(transaction).await?;
    objects::discard_all(transaction, Some(id), now).await?;
    // Uploads into the workspace lose their note, and with it the right to finish.
    object_note::Entity::update_many()
        .set(objects::discarded())
        .filter(object_note::Column::Scope.eq(id))
        .exec(transaction)
        .await?;
    note::Entity::delete_many().filter(note::Column::Scope.eq(id)).exec(transaction).await?;
    let deleted = workspace::Entity::delete_by_id(id).exec(transaction).await?;
    if deleted.rows_affected == 0 {
        return Err(ApiError::NotFound.into());
    }
    data_key::Entity::delete_many().filter(data_key::Column::Scope.eq(id)).exec(transaction).await?;
    Ok(())
}
