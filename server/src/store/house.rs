//! The lock of the house, and the queries on root key and data keys that are made under it.
//!
//! Creating a data key, the swap, making fresh data keys, finishing, turning a job round and deleting a workspace's keys
//! each begin with [`lock`]. Together with the foreign keys on `data_keys` that orders everything; nothing else needs to.

use super::{
    VALUES_AT_ONCE,
    entities::{
        data_key::{self, DataKeyState},
        encryption,
    },
};
use sea_orm::{
    ActiveEnum, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, FromQueryResult, QueryFilter,
    QueryOrder, QuerySelect, Select,
    sea_query::{Expr, ExprTrait, LockType, Query, SimpleExpr},
};
use std::collections::HashSet;
use uuid::Uuid;
use vault::Scope;

/// Takes the lock of the house: nobody else gets past this line until the transaction ends.
///
/// # Errors
/// [`DbErr::RecordNotFound`] before the first start has written the row.
pub async fn lock(transaction: &DatabaseTransaction) -> Result<encryption::Model, DbErr> {
    encryption::Entity::update_many()
        .col_expr(encryption::Column::Turn, Expr::col(encryption::Column::Turn).add(1))
        .filter(encryption::Column::Id.eq(1))
        .exec(transaction)
        .await?;
    root(transaction).await
}

/// The root key in force.
pub async fn root(on: &impl ConnectionTrait) -> Result<encryption::Model, DbErr> {
    let row = encryption::Entity::find_by_id(1).one(on).await?;
    row.ok_or_else(|| DbErr::RecordNotFound("the row of `encryption`".to_owned()))
}

/// Notes a change of data keys. Only under the lock.
pub async fn next_generation(transaction: &DatabaseTransaction) -> Result<i64, DbErr> {
    encryption::Entity::update_many()
        .col_expr(encryption::Column::Generation, Expr::col(encryption::Column::Generation).add(1))
        .exec(transaction)
        .await?;
    Ok(root(transaction).await?.generation)
}

/// Puts a root key in force, with a generation of its own, which is given back. Only under the lock. `now` is in Unix
/// milliseconds; `by` is the user who asked for it.
pub async fn put_in_force(
    transaction: &DatabaseTransaction,
    arn: &str,
    kind: encryption::RootKind,
    now: i64,
    by: Option<Uuid>,
) -> Result<i64, DbErr> {
    let generation = next_generation(transaction).await?;
    encryption::Entity::update_many()
        .col_expr(encryption::Column::RootKeyArn, Expr::value(arn))
        .col_expr(encryption::Column::RootKind, Expr::value(kind.to_value()))
        .col_expr(encryption::Column::Since, Expr::value(now))
        .col_expr(encryption::Column::SetBy, Expr::value(by))
        .exec(transaction)
        .await?;
    Ok(generation)
}

/// The id of the scope's current data key, held until the transaction ends: it can become retiring, but not be destroyed.
/// `None` if the scope does not exist (any more).
pub async fn hold_current_key(transaction: &DatabaseTransaction, scope: Scope) -> Result<Option<Uuid>, DbErr> {
    current_key_query(scope).lock(LockType::KeyShare).into_tuple().one(transaction).await
}

/// The id of the scope's current data key, as a first guess. It may be another by the time it is used.
pub async fn current_key(on: &impl ConnectionTrait, scope: Scope) -> Result<Option<Uuid>, DbErr> {
    current_key_query(scope).into_tuple().one(on).await
}

/// Holds a data key until the transaction ends, so that it cannot be destroyed before; `false` if it is gone already.
pub async fn hold_key(transaction: &DatabaseTransaction, id: Uuid) -> Result<bool, DbErr> {
    let held: Option<Uuid> = data_key::Entity::find_by_id(id)
        .select_only()
        .column(data_key::Column::Id)
        .lock(LockType::KeyShare)
        .into_tuple()
        .one(transaction)
        .await?;
    Ok(held.is_some())
}

/// Takes all data keys of a scope for destruction: waits for everybody who holds one.
pub async fn take_keys(transaction: &DatabaseTransaction, scope: Scope) -> Result<(), DbErr> {
    take(transaction, data_key::Entity::find().filter(data_key::Column::Scope.eq(scope.as_uuid()))).await
}

/// Takes these data keys, which are in the order of their ids, in the same way.
pub async fn take_these_keys(transaction: &DatabaseTransaction, keys: &[Uuid]) -> Result<(), DbErr> {
    for keys in keys.chunks(VALUES_AT_ONCE) {
        take(transaction, data_key::Entity::find().filter(data_key::Column::Id.is_in(keys.iter().copied()))).await?;
    }
    Ok(())
}

/// Takes every data key of the deployment in the same way.
pub async fn take_all_keys(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    take(transaction, data_key::Entity::find()).await
}

async fn take(transaction: &DatabaseTransaction, keys: Select<data_key::Entity>) -> Result<(), DbErr> {
    let keys = keys.select_only().column(data_key::Column::Id).order_by_asc(data_key::Column::Id);
    keys.lock(LockType::Update).into_tuple::<Uuid>().all(transaction).await?;
    Ok(())
}

fn current_key_query(scope: Scope) -> Select<data_key::Entity> {
    data_key::Entity::find()
        .select_only()
        .column(data_key::Column::Id)
        .filter(data_key::Column::Scope.eq(scope.as_uuid()))
        .filter(data_key::Column::State.eq(DataKeyState::Current))
}

/// A data key together with the root key it is wrapped by.
#[derive(Clone, Debug, FromQueryResult)]
pub struct WrappedKey {
    pub id: Uuid,
    pub scope: Uuid,
    pub wrapped: Vec<u8>,
    pub check_value: Vec<u8>,
    pub root_key_arn: String,
    pub root_kind: encryption::RootKind,
    /// The generation in force, not that of the key.
    pub generation: i64,
}

impl WrappedKey {
    /// Whether an answer about the one is an answer about the other.
    pub fn is_same(&self, other: &Self) -> bool {
        self.id == other.id && self.root_key_arn == other.root_key_arn && self.wrapped == other.wrapped
    }
}

/// The data key `id` and the root key in force, read in one query, so that they belong together.
pub async fn wrapped_key(on: &impl ConnectionTrait, id: Uuid) -> Result<Option<WrappedKey>, DbErr> {
    wrapped_key_where(on, Expr::col((data_key::Entity, data_key::Column::Id)).eq(id)).await
}

/// The organization's current data key and the root key in force, read in one query: what a key check unwraps.
pub async fn organization_key(on: &impl ConnectionTrait) -> Result<Option<WrappedKey>, DbErr> {
    let scope = Expr::col((data_key::Entity, data_key::Column::Scope)).eq(Scope::Organization.as_uuid());
    let current = Expr::col((data_key::Entity, data_key::Column::State)).eq(DataKeyState::Current.to_value());
    wrapped_key_where(on, scope.and(current)).await
}

async fn wrapped_key_where(on: &impl ConnectionTrait, condition: SimpleExpr) -> Result<Option<WrappedKey>, DbErr> {
    let query = Query::select()
        .column((data_key::Entity, data_key::Column::Id))
        .column((data_key::Entity, data_key::Column::Scope))
        .column((data_key::Entity, data_key::Column::Wrapped))
        .column((data_key::Entity, data_key::Column::CheckValue))
        .column((encryption::Entity, encryption::Column::RootKeyArn))
        .column((encryption::Entity, encryption::Column::RootKind))
        .column((encryption::Entity, encryption::Column::Generation))
        .from(data_key::Entity)
        .from(encryption::Entity)
        .and_where(condition)
        .to_owned();
    WrappedKey::find_by_statement(on.get_database_backend().build(&query)).one(on).await
}

/// The ids of every data key.
pub async fn all_key_ids(on: &impl ConnectionTrait) -> Result<HashSet<Uuid>, DbErr> {
    let ids = data_key::Entity::find().select_only().column(data_key::Column::Id).into_tuple::<Uuid>().all(on).await?;
    Ok(ids.into_iter().collect())
}

/// Every data key, in the order of their ids.
pub async fn all_keys(on: &impl ConnectionTrait) -> Result<Vec<data_key::Model>, DbErr> {
    data_key::Entity::find().order_by_asc(data_key::Column::Id).all(on).await
}
