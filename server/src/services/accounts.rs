//! People who can sign in, and the check of their passwords.
//!
//! What must stay true: a wrong password and an unknown e-mail look and take the same, and a password is never logged, kept
//! or compared outside of Argon2id. A user who is disabled is found by nobody who asks for somebody who may act.

mod passwords;
mod rules;
pub mod second_factors;
mod sign_in;

pub use rules::{check_email, check_own_password, check_password, normalized};
pub use second_factors::SecondFactor;
pub use sign_in::Wrong;

use super::{
    audit::{Action, Audit, Entry, Object},
    throttle::Throttle,
};
use crate::{
    config::FirstAdmin,
    store::{
        Store,
        entities::{
            session,
            user::{self, Role as StoredRole},
        },
    },
};
use app::{
    model::{
        error::{ApiError, Invalid, MemberRefused},
        identity::Role,
        workspace::limits::NAME_CHARS,
    },
    ports::Principal,
};
use passwords::Passwords;
use rules::{EMAIL_MAX_BYTES, PASSWORD_MAX_CHARS, PASSWORD_MIN_CHARS};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, SqlErr,
    sea_query::{Expr, ExprTrait},
};
use serde::Serialize;
use std::sync::Arc;
use thiserror::Error;
use uuid::{Builder, Uuid};
use vault::{Clock, Entropy};

/// Why a user was not created.
#[derive(Debug, Error)]
pub enum CreateUserError {
    #[error("the e-mail address must be one address of at most {EMAIL_MAX_BYTES} characters, such as ada@example.com")]
    EmailInvalid,
    #[error("there is already a user with this e-mail address")]
    EmailTaken,
    #[error("the name must have 1 to {NAME_CHARS} characters")]
    NameInvalid,
    #[error("the password must have at least {PASSWORD_MIN_CHARS} characters")]
    PasswordTooShort,
    #[error("the password must have at most {PASSWORD_MAX_CHARS} characters")]
    PasswordTooLong,
    #[error("the password is one of those that are guessed first: choose another, such as several words")]
    PasswordCommon,
    #[error("the password could not be hashed")]
    Hashing,
    #[error("the database failed: {0}")]
    Database(#[from] DbErr),
}

/// The password checks could not be prepared.
#[derive(Debug, Error)]
#[error("the password hash could not be prepared")]
pub struct PrepareError;

/// The accounts of the deployment.
pub struct Accounts {
    store: Store,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    passwords: Passwords,
    throttle: Throttle,
}

/// How somebody has shown who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    Password,
    /// With a password and a code of the second factor.
    SecondFactor,
    SingleSignOn,
}

/// Somebody who has shown that they know the password, or is known to the identity provider.
pub struct Known {
    pub principal: Principal,
    /// Sessions that begin now belong to this one.
    pub epoch: i64,
    /// Whether a code has to be given too.
    pub second_factor: bool,
}

impl Accounts {
    /// Prepares the checks. Takes as long as one password hash.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new(store: Store, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Result<Self, PrepareError> {
        let passwords = Passwords::new(entropy.clone()).ok_or(PrepareError)?;
        let throttle = Throttle::new(store.clone(), Arc::clone(&clock));
        Ok(Self { store, clock, entropy, passwords, throttle })
    }

    /// A new hash for a password that has been checked already.
    pub(super) async fn hash(&self, password: &str) -> Option<String> {
        self.passwords.hash(password).await
    }

    /// The database of everything about accounts.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The clock of everything about accounts.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The second factors of everybody.
    pub fn second_factor(&self) -> SecondFactor<'_> {
        SecondFactor { store: &self.store, clock: &self.clock, entropy: &self.entropy, throttle: &self.throttle }
    }

    /// The user with this id, as it is in the database now, if it is one who may act.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] if the database does not answer.
    pub async fn find(&self, id: Uuid) -> Result<Option<Known>, ApiError> {
        let found = user::Entity::find_by_id(id).one(self.store.read()).await.map_err(|error| unavailable(&error))?;
        Ok(found.filter(|user| user.disabled_at.is_none()).map(|user| self.known(user)))
    }

    /// The row of somebody who may act.
    ///
    /// # Errors
    /// [`ApiError::SignedOut`] if there is none.
    pub async fn row(&self, id: Uuid) -> Result<user::Model, ApiError> {
        let found = user::Entity::find_by_id(id).one(self.store.read()).await.map_err(|error| unavailable(&error))?;
        found.filter(|user| user.disabled_at.is_none()).ok_or(ApiError::SignedOut)
    }

    /// The row of the user with this e-mail.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_email(&self, email: &str) -> Result<Option<user::Model>, DbErr> {
        user::Entity::find().filter(user::Column::Email.eq(normalized(email))).one(self.store.read()).await
    }

    fn known(&self, user: user::Model) -> Known {
        let (epoch, second_factor) = (user.session_epoch, user.totp_secret.is_some());
        Known { epoch, second_factor, principal: principal(user, self.clock.wall_ms()) }
    }

    /// The administrator who was created first.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] if the database does not answer.
    pub async fn first_administrator(&self) -> Result<Option<Principal>, ApiError> {
        let found = user::Entity::find()
            .filter(user::Column::Role.eq(StoredRole::Administrator))
            .filter(user::Column::DisabledAt.is_null())
            .order_by_asc(user::Column::CreatedAt)
            .order_by_asc(user::Column::Id)
            .one(self.store.read())
            .await
            .map_err(|error| unavailable(&error))?;
        Ok(found.map(|user| principal(user, self.clock.wall_ms())))
    }

    /// Creates the first administrator if there is no user at all. Says whether it did.
    ///
    /// # Errors
    /// As [`Accounts::create_user`].
    pub async fn ensure_first_administrator(&self, first: &FirstAdmin) -> Result<bool, CreateUserError> {
        if user::Entity::find().count(self.store.read()).await? > 0 {
            return Ok(false);
        }
        let entry = Entry::by_system(Action::FirstAdministratorMade);
        match self.create(&first.email, "Administrator", Role::Administrator, &first.password, entry).await {
            Ok(_) => Ok(true),
            // Another server that started at the same time was first.
            Err(CreateUserError::EmailTaken) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Creates a user, as an operator does.
    ///
    /// # Errors
    /// When a value is not as it must be, the e-mail is taken, or the database fails.
    pub async fn create_user(
        &self,
        email: &str,
        name: &str,
        role: Role,
        password: &str,
    ) -> Result<Principal, CreateUserError> {
        let entry = Entry::by_operator(Action::UserAddedByOperator);
        self.create(email, name, role, password, entry).await
    }

    async fn create(
        &self,
        email: &str,
        name: &str,
        role: Role,
        password: &str,
        entry: Entry,
    ) -> Result<Principal, CreateUserError> {
        let email = normalized(email);
        check_email(&email)?;
        let name = checked_name(name)?;
        check_own_password(password, &[&email, &name])?;
        let hash = self.passwords.hash(password).await.ok_or(CreateUserError::Hashing)?;
        let transaction = self.store.begin().await?;
        let user = self.insert_user(&transaction, email, name, role, hash).await?;
        let id = Uuid::try_parse(&user.user_id).unwrap_or_default();
        Audit::commit(transaction, entry.on(&Object::User(id)).detail(role)).await?;
        Ok(user)
    }

    /// Writes the row of a user whose values have been checked.
    pub(super) async fn insert_user(
        &self,
        on: &impl ConnectionTrait,
        email: String,
        name: String,
        role: Role,
        password_hash: String,
    ) -> Result<Principal, CreateUserError> {
        let (id, now) = (self.new_id()?, self.clock.wall_ms());
        let insert = user::ActiveModel {
            id: Set(id),
            email: Set(email.clone()),
            name: Set(name.clone()),
            password_hash: Set(password_hash),
            role: Set(stored_role(role)),
            created_at: Set(now),
            last_sign_in_at: Set(None),
            disabled_at: Set(None),
            session_epoch: Set(0),
            password_changed_at: Set(None),
            totp_secret: Set(None),
            totp_pending: Set(None),
            totp_since: Set(None),
            totp_last_step: Set(0),
        };
        match user::Entity::insert(insert).exec_without_returning(on).await {
            Ok(_) => Ok(Principal {
                user_id: id.to_string(),
                name,
                email,
                role,
                address: None,
                proven_at: now,
                confirmed_at: 0,
            }),
            Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
                Err(CreateUserError::EmailTaken)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A new id: a UUID of version 7, so that ids are in the order of their making.
    pub(super) fn new_id(&self) -> Result<Uuid, CreateUserError> {
        let mut random = [0; 10];
        self.entropy.fill(&mut random).map_err(|_| CreateUserError::Hashing)?;
        let now = u64::try_from(self.clock.wall_ms()).unwrap_or_default();
        Ok(Builder::from_unix_timestamp_millis(now, &random).into_uuid())
    }
}

/// A name as it is stored.
///
/// # Errors
/// [`CreateUserError::NameInvalid`].
pub fn checked_name(name: &str) -> Result<String, CreateUserError> {
    let name = name.trim();
    let fits = (1..=NAME_CHARS).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits { Ok(name.to_owned()) } else { Err(CreateUserError::NameInvalid) }
}

/// Ends every session of a user, in the transaction of what is the reason, and gives the number under which new ones begin.
/// A second factor that somebody has begun to set up is forgotten: whoever held a session may know its secret.
///
/// # Errors
/// When the database fails.
pub async fn end_sessions(on: &impl ConnectionTrait, user: Uuid) -> Result<i64, DbErr> {
    user::Entity::update_many()
        .col_expr(user::Column::SessionEpoch, Expr::col(user::Column::SessionEpoch).add(1))
        .col_expr(user::Column::TotpPending, Expr::value(None::<String>))
        .filter(user::Column::Id.eq(user))
        .exec(on)
        .await?;
    session::Entity::delete_many().filter(session::Column::UserId.eq(user)).exec(on).await?;
    let row = user::Entity::find_by_id(user).one(on).await?;
    Ok(row.map_or(0, |row| row.session_epoch))
}

impl CreateUserError {
    /// What people are told of it.
    pub fn told(&self) -> ApiError {
        match self {
            Self::EmailInvalid => Invalid::EmailWrong.into(),
            Self::EmailTaken => ApiError::MemberRefused(MemberRefused::AlreadyMember),
            Self::NameInvalid => Invalid::NameWrong.into(),
            Self::PasswordTooShort => Invalid::PasswordTooShort.into(),
            Self::PasswordTooLong => Invalid::PasswordTooLong.into(),
            Self::PasswordCommon => Invalid::PasswordCommon.into(),
            Self::Hashing => ApiError::Internal,
            Self::Database(error) => unavailable(error),
        }
    }
}

fn unavailable(error: &DbErr) -> ApiError {
    tracing::error!(event = "database_failed", %error, "accounts could not be read or written");
    ApiError::Unavailable
}

pub fn role(stored: StoredRole) -> Role {
    match stored {
        StoredRole::Administrator => Role::Administrator,
        StoredRole::Member => Role::Member,
    }
}

pub fn stored_role(role: Role) -> StoredRole {
    match role {
        Role::Administrator => StoredRole::Administrator,
        Role::Member => StoredRole::Member,
    }
}

pub(super) fn principal(user: user::Model, proven_at: i64) -> Principal {
    let (user_id, role) = (user.id.to_string(), role(user.role));
    Principal { user_id, name: user.name, email: user.email, role, address: None, proven_at, confirmed_at: 0 }
}

#[cfg(test)]
mod tests;
