//! Queries on objects and the notes about their paths.
//!
//! What must stay true: a path is written to only while a note says so; the transaction that points a row at it removes the
//! note; a path that no row points at any more has a note until the object is gone.

use super::{
    VALUES_AT_ONCE, database_now,
    entities::{
        object,
        object_note::{self, ObjectNoteState},
    },
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, Query},
};
use uuid::Uuid;

/// How long a note of somebody who writes is good for, unless they renew it; milliseconds.
pub const WRITING_FOR: i64 = 60_000;

/// How many contents are being written under one of these data keys, or are written and not yet shown; or were being written by
/// a server that has died, until the collector comes by.
pub async fn written_under(on: &impl ConnectionTrait, keys: &[Uuid]) -> Result<u64, DbErr> {
    let mut written = 0;
    for keys in keys.chunks(VALUES_AT_ONCE) {
        let named = object_note::Column::DataKeyId.is_in(keys.iter().copied());
        written += object_note::Entity::find().filter(named).count(on).await?;
    }
    Ok(written)
}

/// Somebody writes to a path, under a data key.
#[derive(Clone, Debug)]
pub struct WritingNote {
    pub place: String,
    /// The server that writes.
    pub owner: Uuid,
    pub scope: Uuid,
    pub data_key_id: Uuid,
}

impl WritingNote {
    /// Puts the note down. From here on the data key cannot be destroyed while the note is there.
    pub async fn insert(&self, on: &impl ConnectionTrait) -> Result<(), DbErr> {
        let now = database_now(on).await?;
        let note = object_note::ActiveModel {
            place: Set(self.place.clone()),
            state: Set(ObjectNoteState::Writing),
            owner: Set(Some(self.owner)),
            expires_at: Set(now + WRITING_FOR),
            scope: Set(Some(self.scope)),
            data_key_id: Set(Some(self.data_key_id)),
            created_at: Set(now),
            upload_id: Set(None),
        };
        object_note::Entity::insert(note).exec_without_returning(on).await?;
        Ok(())
    }

    /// Notes the id by which the store keeps what is being written; `false` if the note is gone.
    pub async fn note_upload(&self, on: &impl ConnectionTrait, id: &str) -> Result<bool, DbErr> {
        let noted = object_note::Entity::update_many()
            .col_expr(object_note::Column::UploadId, Expr::value(id))
            .filter(self.is_this())
            .exec(on)
            .await?;
        Ok(noted.rows_affected == 1)
    }

    /// Makes the note good for another [`WRITING_FOR`]; `false` if it is gone, and with it the right to finish.
    pub async fn renew(&self, on: &impl ConnectionTrait) -> Result<bool, DbErr> {
        let now = database_now(on).await?;
        let renewed = object_note::Entity::update_many()
            .col_expr(object_note::Column::ExpiresAt, Expr::value(now + WRITING_FOR))
            .filter(self.is_this())
            .exec(on)
            .await?;
        Ok(renewed.rows_affected == 1)
    }

    /// Takes the note away because a row now points at the path; `false` if it was gone: then nothing may point there.
    pub async fn redeem(&self, transaction: &DatabaseTransaction) -> Result<bool, DbErr> {
        let deleted = object_note::Entity::delete_many().filter(self.is_this()).exec(transaction).await?;
        Ok(deleted.rows_affected == 1)
    }

    /// Leaves the path to the collector.
    pub async fn give_up(&self, on: &impl ConnectionTrait) -> Result<(), DbErr> {
        object_note::Entity::update_many().set(discarded()).filter(self.is_this()).exec(on).await?;
        Ok(())
    }

    fn is_this(&self) -> Condition {
        Condition::all()
            .add(object_note::Column::Place.eq(self.place.as_str()))
            .add(object_note::Column::State.eq(ObjectNoteState::Writing))
            .add(object_note::Column::Owner.eq(self.owner))
    }
}

/// What a note becomes when nobody writes to its path any more: garbage that names no data key.
pub fn discarded() -> object_note::ActiveModel {
    object_note::ActiveModel {
        state: Set(ObjectNoteState::Garbage),
        owner: Set(None),
        scope: Set(None),
        data_key_id: Set(None),
        ..Default::default()
    }
}

/// Notes that the object at `place` is garbage, in the transaction in which the last row stops pointing at it.
pub async fn discard(transaction: &DatabaseTransaction, place: &str) -> Result<(), DbErr> {
    let now = database_now(transaction).await?;
    let note = object_note::ActiveModel {
        place: Set(place.to_owned()),
        expires_at: Set(now),
        created_at: Set(now),
        ..discarded()
    };
    object_note::Entity::insert(note).exec_without_returning(transaction).await?;
    Ok(())
}

/// Notes that every object of a workspace is garbage, and removes their rows; those of all workspaces if none is named.
pub async fn discard_all(transaction: &DatabaseTransaction, workspace: Option<Uuid>, now: i64) -> Result<(), DbErr> {
    let of_it = Condition::all().add_option(workspace.map(|id| Expr::col(object::Column::Scope).eq(id)));
    let places = Query::select()
        .column(object::Column::Place)
        .expr(Expr::value("garbage"))
        .expr(Expr::value(now))
        .expr(Expr::value(now))
        .from(object::Entity)
        .cond_where(of_it.clone())
        .to_owned();
    let mut insert = Query::insert();
    insert.into_table(object_note::Entity).columns([
        object_note::Column::Place,
        object_note::Column::State,
        object_note::Column::ExpiresAt,
        object_note::Column::CreatedAt,
    ]);
    insert.select_from(places).map_err(|error| DbErr::Custom(error.to_string()))?;
    transaction.execute(&insert).await?;
    object::Entity::delete_many().filter(of_it).exec(transaction).await?;
    Ok(())
}
