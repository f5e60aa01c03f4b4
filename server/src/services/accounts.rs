//! People who can sign in, and the check of their passwords.
//!
//! What must stay true: a wrong password and an unknown e-mail look and take the same, and a password is never logged, kept
//! or compared outside of Argon2id.

mod passwords;

use crate::{
    config::FirstAdmin,
    store::{
        Store,
        entities::user::{self, Role as StoredRole},
    },
};
use app::{
    model::{
        error::ApiError,
        identity::{MemberEntry, Role},
        workspace::limits::NAME_CHARS,
    },
    ports::Principal,
};
use passwords::Passwords;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, SqlErr, sea_query::Expr,
};
use std::sync::Arc;
use thiserror::Error;
use uuid::{Builder, Uuid};
use vault::{Clock, Entropy};

/// The shortest password a user may be created with, in characters.
pub const PASSWORD_MIN_CHARS: usize = 12;
/// The longest password that is accepted, in bytes.
pub const PASSWORD_MAX_BYTES: usize = 1024;
/// The longest e-mail address, in bytes (RFC 5321 §4.5.3.1.3).
const EMAIL_MAX_BYTES: usize = 254;
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
    #[error("the password must have at most {PASSWORD_MAX_BYTES} bytes")]
    PasswordTooLong,
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
}

impl Accounts {
    /// Prepares the checks. Takes as long as one password hash.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new(store: Store, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Result<Self, PrepareError> {
        let passwords = Passwords::new(entropy.clone()).ok_or(PrepareError)?;
        Ok(Self { store, clock, entropy, passwords })
    }

    /// The user with this e-mail and password. Notes the time of the sign-in.
    ///
    /// # Errors
    /// [`ApiError::WrongCredentials`] if they do not belong together, [`ApiError::Busy`] if too many wait already.
    pub async fn sign_in(&self, email: &str, password: &str) -> Result<Principal, ApiError> {
        let found = user::Entity::find()
            .filter(user::Column::Email.eq(normalized(email)))
            .one(self.store.read())
            .await
            .map_err(|error| unavailable(&error))?;
        let stored = found.as_ref().map(|user| user.password_hash.as_str());
        let matches = self.passwords.verify(password, stored).await?;
        let Some(user) = found.filter(|_| matches) else {
            return Err(ApiError::WrongCredentials);
        };
        user::Entity::update_many()
            .col_expr(user::Column::LastSignInAt, Expr::value(self.clock.wall_ms()))
            .filter(user::Column::Id.eq(user.id))
            .exec(self.store.write())
            .await
            .map_err(|error| unavailable(&error))?;
        Ok(principal(user))
    }

    /// The user with this id, as it is in the database now.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] if the database does not answer.
    pub async fn find(&self, id: Uuid) -> Result<Option<Principal>, ApiError> {
        let found = user::Entity::find_by_id(id).one(self.store.read()).await.map_err(|error| unavailable(&error))?;
        Ok(found.map(principal))
    }

    /// Every member, by name.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] if the database does not answer.
    pub async fn members(&self) -> Result<Vec<MemberEntry>, ApiError> {
        let users = user::Entity::find()
            .order_by_asc(user::Column::Name)
            .order_by_asc(user::Column::Id)
            .all(self.store.read())
            .await
            .map_err(|error| unavailable(&error))?;
        Ok(users.into_iter().map(member).collect())
    }

    /// The administrator who was created first.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] if the database does not answer.
    pub async fn first_administrator(&self) -> Result<Option<Principal>, ApiError> {
        let found = user::Entity::find()
            .filter(user::Column::Role.eq(StoredRole::Administrator))
            .order_by_asc(user::Column::CreatedAt)
            .order_by_asc(user::Column::Id)
            .one(self.store.read())
            .await
            .map_err(|error| unavailable(&error))?;
        Ok(found.map(principal))
    }

    /// Creates the first administrator if there is no user at all. Says whether it did.
    ///
    /// # Errors
    /// As [`Accounts::create_user`].
    pub async fn ensure_first_administrator(&self, first: &FirstAdmin) -> Result<bool, CreateUserError> {
        if user::Entity::find().count(self.store.read()).await? > 0 {
            return Ok(false);
        }
        match self.create_user(&first.email, "Administrator", Role::Administrator, &first.password).await {
            Ok(_) => Ok(true),
            // Another server that started at the same time was first.
            Err(CreateUserError::EmailTaken) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Creates a user.
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
        let email = normalized(email);
        check_email(&email)?;
        let name = name.trim().to_owned();
        if name.is_empty() || name.chars().count() > NAME_CHARS {
            return Err(CreateUserError::NameInvalid);
        }
        check_password(password)?;
        let row = user::Model {
            id: self.new_id()?,
            email,
            name,
            password_hash: self.passwords.hash(password).await.ok_or(CreateUserError::Hashing)?,
            role: stored_role(role),
            created_at: self.clock.wall_ms(),
            last_sign_in_at: None,
        };
        let insert = user::ActiveModel {
            id: Set(row.id),
            email: Set(row.email.clone()),
            name: Set(row.name.clone()),
            password_hash: Set(row.password_hash.clone()),
            role: Set(row.role),
            created_at: Set(row.created_at),
            last_sign_in_at: Set(None),
        };
        match user::Entity::insert(insert).exec_without_returning(self.store.write()).await {
            Ok(_) => Ok(principal(row)),
            Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
                Err(CreateUserError::EmailTaken)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A new id: a UUID of version 7, so that ids are in the order of their making.
    fn new_id(&self) -> Result<Uuid, CreateUserError> {
        let mut random = [0; 10];
        self.entropy.fill(&mut random).map_err(|_| CreateUserError::Hashing)?;
        let now = u64::try_from(self.clock.wall_ms()).unwrap_or_default();
        Ok(Builder::from_unix_timestamp_millis(now, &random).into_uuid())
    }
}

/// Checks what a user or the configuration gives as an e-mail address: the shape only, nobody is written to.
///
/// # Errors
/// [`CreateUserError::EmailInvalid`].
pub fn check_email(email: &str) -> Result<(), CreateUserError> {
    let email = email.trim();
    let plain = email.len() <= EMAIL_MAX_BYTES && !email.chars().any(|c| c.is_whitespace() || c.is_control());
    match email.split_once('@') {
        Some((person, host)) if plain && !person.is_empty() && !host.is_empty() && !host.contains('@') => Ok(()),
        _ => Err(CreateUserError::EmailInvalid),
    }
}

/// Checks a password that is to be set.
///
/// # Errors
/// [`CreateUserError::PasswordTooShort`] or [`CreateUserError::PasswordTooLong`].
pub fn check_password(password: &str) -> Result<(), CreateUserError> {
    if password.chars().count() < PASSWORD_MIN_CHARS {
        return Err(CreateUserError::PasswordTooShort);
    }
    if password.len() > PASSWORD_MAX_BYTES {
        return Err(CreateUserError::PasswordTooLong);
    }
    Ok(())
}

fn normalized(email: &str) -> String {
    email.trim().to_lowercase().replace('\0', "\u{fffd}")
}

fn unavailable(error: &DbErr) -> ApiError {
    tracing::error!(event = "database_failed", %error, "accounts could not be read or written");
    ApiError::Unavailable
}

fn role(stored: StoredRole) -> Role {
    match stored {
        StoredRole::Administrator => Role::Administrator,
        StoredRole::Member => Role::Member,
    }
}

fn stored_role(role: Role) -> StoredRole {
    match role {
        Role::Administrator => StoredRole::Administrator,
        Role::Member => StoredRole::Member,
    }
}

fn principal(user: user::Model) -> Principal {
    Principal { user_id: user.id.to_string(), name: user.name, email: user.email, role: role(user.role) }
}

fn member(user: user::Model) -> MemberEntry {
    MemberEntry {
        id: user.id.to_string(),
        name: user.name,
        email: user.email,
        role: role(user.role),
        last_sign_in_at: user.last_sign_in_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vault::{SystemClock, SystemEntropy, Zeroizing};

    async fn accounts() -> Accounts {
        let store = Store::connect("sqlite::memory:").await.unwrap();
        store.migrate().await.unwrap();
        Accounts::new(store, Arc::new(SystemClock), Arc::new(SystemEntropy::new())).unwrap()
    }

    #[tokio::test]
    async fn the_right_password_signs_in_whatever_the_case_of_the_email() {
        let accounts = accounts().await;
        accounts.create_user(" Ada@Example.com ", "Ada", Role::Member, "correct horse battery").await.unwrap();
        let ada = accounts.sign_in("ADA@example.com", "correct horse battery").await.unwrap();
        assert_eq!((ada.email.as_str(), ada.role), ("ada@example.com", Role::Member));
        assert!(accounts.members().await.unwrap()[0].last_sign_in_at.is_some());
    }

    #[tokio::test]
    async fn a_wrong_password_and_an_unknown_email_get_the_same_answer() {
        let accounts = accounts().await;
        accounts.create_user("ada@example.com", "Ada", Role::Member, "correct horse battery").await.unwrap();
        let wrong = accounts.sign_in("ada@example.com", "incorrect horse").await.unwrap_err();
        let unknown = accounts.sign_in("eve@example.com", "incorrect horse").await.unwrap_err();
        assert_eq!((wrong, unknown), (ApiError::WrongCredentials, ApiError::WrongCredentials));
    }

    #[tokio::test]
    async fn the_first_administrator_is_created_once() {
        let accounts = accounts().await;
        let first = FirstAdmin {
            email: "root@example.com".to_owned(),
            password: Zeroizing::new("correct horse battery".to_owned()),
        };
        assert!(accounts.ensure_first_administrator(&first).await.unwrap());
        assert!(!accounts.ensure_first_administrator(&first).await.unwrap());
        assert_eq!(accounts.first_administrator().await.unwrap().unwrap().email, "root@example.com");
    }

    #[tokio::test]
    async fn what_is_not_as_it_must_be_is_refused_with_its_reason() {
        let accounts = accounts().await;
        let long = "correct horse battery";
        let create = async |email: &str, name: &str, password: &str| {
            accounts.create_user(email, name, Role::Member, password).await.unwrap_err()
        };
        assert!(matches!(create("ada", "Ada", long).await, CreateUserError::EmailInvalid));
        assert!(matches!(create("a b@example.com", "Ada", long).await, CreateUserError::EmailInvalid));
        assert!(matches!(create("ada@example.com", " ", long).await, CreateUserError::NameInvalid));
        assert!(matches!(create("ada@example.com", "Ada", "short").await, CreateUserError::PasswordTooShort));
        accounts.create_user("ada@example.com", "Ada", Role::Member, long).await.unwrap();
        assert!(matches!(create("Ada@example.com", "Ada", long).await, CreateUserError::EmailTaken));
    }
}
