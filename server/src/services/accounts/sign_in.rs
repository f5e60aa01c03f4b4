//! Checking who somebody is: when they sign in, before something grave, and when they change their password.

use super::{
    Accounts, Known, Method, check_own_password, end_sessions, normalized, second_factors::looks_like_a_code,
    unavailable,
};
use crate::{
    services::{
        audit::{Action, Audit, Entry, Object, Outcome},
        single_sign_on,
        throttle::{Address, Guess},
    },
    store::entities::user,
};
use app::{
    model::error::{ApiError, Invalid},
    ports::Principal,
};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, sea_query::Expr};
use serde::Serialize;
use uuid::Uuid;

/// Of so many addresses it is noted each time how many attempts were turned away.
const NOTED_ADDRESSES: usize = 20;

/// What was wrong although the password, or the session, was right.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrong {
    WrongCode,
    AccountDisabled,
    WrongProof,
    WrongPassword,
}

impl Accounts {
    /// The user with this e-mail and password, asked for `from` somewhere.
    ///
    /// # Errors
    /// [`ApiError::WrongCredentials`] if they do not belong together, [`ApiError::AccountDisabled`] if they do but the user may
    /// not sign in, [`ApiError::TooManyAttempts`] or [`ApiError::Busy`] if others have to be let through first.
    pub async fn check_sign_in(&self, email: &str, password: &str, from: &Address) -> Result<Known, ApiError> {
        let email = normalized(email);
        let found = user::Entity::find()
            .filter(user::Column::Email.eq(&email))
            .one(self.store.read())
            .await
            .map_err(|error| unavailable(&error))?;
        let matches = self.password_matches(&email, password, found.as_ref(), from).await?;
        let Some(user) = found.filter(|_| matches) else {
            let entry = Entry::by_nobody(Action::SignInFailed, Some(from.to_string())).outcome(Outcome::Refused);
            self.note(entry).await?;
            return Err(ApiError::WrongCredentials);
        };
        if user.disabled_at.is_some() {
            self.note_wrong(&user, Action::SignInFailed, Wrong::AccountDisabled, from).await?;
            return Err(ApiError::AccountDisabled);
        }
        Ok(self.known(user))
    }

    /// Whether the password is that of `user`. The work is the same for nobody, and so is the account of attempts.
    async fn password_matches(
        &self,
        email: &str,
        password: &str,
        user: Option<&user::Model>,
        from: &Address,
    ) -> Result<bool, ApiError> {
        let attempt = self.throttle.admit(Guess::Password, email, from).await?;
        tokio::time::sleep(attempt.hold).await;
        let matches = self.passwords.verify(password, user.and_then(user::Model::password)).await?;
        if matches {
            self.throttle.passed(&attempt).await?;
        }
        Ok(matches)
    }

    /// Notes that somebody has signed in, with everything that was asked of them.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] if the database does not answer.
    pub async fn signed_in(&self, principal: &Principal, method: Method, from: &Address) -> Result<(), ApiError> {
        let id = Uuid::try_parse(&principal.user_id).map_err(|_| ApiError::SignedOut)?;
        let noted = async {
            let transaction = self.store.begin().await?;
            user::Entity::update_many()
                .col_expr(user::Column::LastSignInAt, Expr::value(self.clock.wall_ms()))
                .filter(user::Column::Id.eq(id))
                .exec(&transaction)
                .await?;
            let entry = Entry::by(principal, Action::SignIn).from_address(Some(from.to_string())).detail(method);
            Audit::commit(transaction, entry).await
        };
        noted.await.map_err(|error| unavailable(&error))?;
        self.throttle.remember(&principal.email, from).await
    }

    /// Checks a password, or a code of the second factor, of somebody who is signed in.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] if it is neither.
    pub async fn check_proof(&self, id: Uuid, secret: &str, from: &Address) -> Result<(), ApiError> {
        let user = self.row(id).await?;
        let is_right = if user.totp_secret.is_some() && looks_like_a_code(secret) {
            match self.second_factor().check(&user, secret, from).await {
                Ok(()) => true,
                // A password may look like a recovery code.
                Err(ApiError::Invalid(Invalid::CodeWrong)) => {
                    self.password_matches(&user.email, secret, Some(&user), from).await?
                }
                Err(error) => return Err(error),
            }
        } else {
            self.password_matches(&user.email, secret, Some(&user), from).await?
        };
        if is_right {
            return Ok(());
        }
        self.note_wrong(&user, Action::ProofGiven, Wrong::WrongProof, from).await?;
        Err(Invalid::ProofWrong.into())
    }

    /// Notes that somebody who has a password or a session of `user` had not all that was asked for.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] if the database does not answer.
    pub async fn note_wrong(
        &self,
        user: &user::Model,
        action: Action,
        wrong: Wrong,
        from: &Address,
    ) -> Result<(), ApiError> {
        let entry = Entry::by_nobody(action, Some(from.to_string())).on(&Object::User(user.id));
        self.note(entry.detail(wrong).outcome(Outcome::Refused)).await
    }

    /// Appends an entry to the audit log that tells of nothing else in the database.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] if the database does not answer.
    pub async fn note(&self, entry: Entry) -> Result<(), ApiError> {
        let noted = async { Audit::commit(self.store.begin().await?, entry).await };
        noted.await.map_err(|error| unavailable(&error))
    }

    /// Gives somebody another password, and gives the number of the sessions that may go on: all others end.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] if the current one is wrong or the new one cannot be used.
    pub async fn change_password(
        &self,
        who: &Principal,
        current: &str,
        new: &str,
        from: &Address,
    ) -> Result<i64, ApiError> {
        let user = self.row(Uuid::try_parse(&who.user_id).map_err(|_| ApiError::SignedOut)?).await?;
        if !self.password_matches(&user.email, current, Some(&user), from).await? {
            self.note_wrong(&user, Action::PasswordChanged, Wrong::WrongPassword, from).await?;
            return Err(Invalid::PasswordWrong.into());
        }
        if current == new {
            return Err(Invalid::PasswordSame.into());
        }
        self.set_password(&user, new, Entry::by(who, Action::PasswordChanged)).await
    }

    /// The same without asking for the current one: the operator's way.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] if it cannot be used.
    pub async fn set_password(&self, user: &user::Model, new: &str, entry: Entry) -> Result<i64, ApiError> {
        check_own_password(new, &[&user.email, &user.name]).map_err(|error| error.told())?;
        let hash = self.passwords.hash(new).await.ok_or(ApiError::Internal)?;
        let changing = async {
            let transaction = self.store.begin().await?;
            user::Entity::update_many()
                .col_expr(user::Column::PasswordHash, Expr::value(hash))
                .col_expr(user::Column::PasswordChangedAt, Expr::value(self.clock.wall_ms()))
                .filter(user::Column::Id.eq(user.id))
                .exec(&transaction)
                .await?;
            let epoch = end_sessions(&transaction, user.id).await?;
            Audit::commit(transaction, entry).await?;
            Ok(epoch)
        };
        changing.await.map_err(|error: DbErr| unavailable(&error))
    }

    /// Forgets the attempts to sign in that have no effect any more, and notes how many were turned away since the last time:
    /// an entry for each of them would be a flood of its own.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep(&self) -> Result<(), DbErr> {
        for (from, count) in self.throttle.turned_away(NOTED_ADDRESSES) {
            let entry = Entry::by_nobody(Action::SignInThrottled, Some(from));
            Audit::commit(self.store.begin().await?, entry.outcome(Outcome::Refused).amount(count)).await?;
        }
        single_sign_on::sweep(&self.store, self.clock.wall_ms()).await?;
        self.throttle.sweep().await
    }
}
