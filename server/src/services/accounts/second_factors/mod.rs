//! Second factors: codes of an authenticator app, and recovery codes for when it is lost.
//!
//! What must stay true: a code is good once, on all servers together; guesses are counted like those of passwords; and of
//! recovery codes only hashes are stored.

pub mod picture;
pub mod totp;

use super::unavailable;
use crate::{
    services::{
        audit::{Action, Actor, Audit, Entry},
        throttle::{Address, Guess, Throttle},
    },
    store::{
        Store,
        entities::{recovery_code, user},
    },
};
use app::model::error::{ApiError, Invalid};
use data_encoding::BASE32_NOPAD;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait,
    QueryFilter, sea_query::Expr,
};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use uuid::Uuid;
use vault::{Clock, Entropy};

/// How many recovery codes somebody has.
pub const CODES: usize = 10;
/// Random bytes of one: sixteen letters and digits.
const CODE_BYTES: usize = 10;
const CODE_CHARS: usize = 16;

/// The second factors of everybody.
pub struct SecondFactor<'a> {
    pub(super) store: &'a Store,
    pub(super) clock: &'a Arc<dyn Clock>,
    pub(super) entropy: &'a Arc<dyn Entropy>,
    pub(super) throttle: &'a Throttle,
}

impl SecondFactor<'_> {
    /// Makes a secret that is not in force yet. One that was made before counts no more: somebody else may have seen it.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] if the database does not answer.
    pub async fn begin(&self, user: &user::Model) -> Result<(), ApiError> {
        if user.totp_secret.is_some() {
            return Ok(());
        }
        let mut secret = [0; totp::SECRET_BYTES];
        self.entropy.fill(&mut secret).map_err(|_| ApiError::Internal)?;
        self.write_pending(user.id, Some(totp::written(&secret))).await
    }

    /// Forgets it again.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] if the database does not answer.
    pub async fn cancel(&self, user: Uuid) -> Result<(), ApiError> {
        self.write_pending(user, None).await
    }

    async fn write_pending(&self, user: Uuid, secret: Option<String>) -> Result<(), ApiError> {
        let update = user::Entity::update_many()
            .col_expr(user::Column::TotpPending, Expr::value(secret))
            .filter(user::Column::Id.eq(user));
        update.exec(self.store.write()).await.map_err(|error| unavailable(&error))?;
        Ok(())
    }

    /// Puts the secret in force that was begun with, if `code` shows that the app has it. Gives the recovery codes.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] if the code is wrong, [`ApiError::NotFound`] if nothing was begun.
    pub async fn confirm(
        &self,
        on: &DatabaseTransaction,
        user: &user::Model,
        code: &str,
    ) -> Result<Vec<String>, ApiError> {
        let pending = user.totp_pending.as_ref().ok_or(ApiError::NotFound)?;
        let now = self.clock.wall_ms();
        let step = totp::matching_step(pending, &plain(code), now, 0).ok_or(Invalid::CodeWrong)?;
        let put = user::Entity::update_many()
            .col_expr(user::Column::TotpSecret, Expr::value(Some(pending.clone())))
            .col_expr(user::Column::TotpPending, Expr::value(None::<String>))
            .col_expr(user::Column::TotpSince, Expr::value(Some(now)))
            .col_expr(user::Column::TotpLastStep, Expr::value(step))
            .filter(user::Column::Id.eq(user.id))
            .filter(user::Column::TotpPending.eq(pending))
            .filter(user::Column::TotpSecret.is_null());
        let put = put.exec(on).await.map_err(|error| unavailable(&error))?;
        if put.rows_affected == 0 {
            return Err(ApiError::Conflict);
        }
        self.new_codes(on, user.id).await
    }

    /// Ten recovery codes instead of those there were.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] if the database does not answer.
    pub async fn new_codes(&self, on: &DatabaseTransaction, user: Uuid) -> Result<Vec<String>, ApiError> {
        let mut codes = Vec::with_capacity(CODES);
        for _ in 0..CODES {
            let mut random = [0; CODE_BYTES];
            self.entropy.fill(&mut random).map_err(|_| ApiError::Internal)?;
            codes.push(BASE32_NOPAD.encode(&random));
        }
        let rows = codes.iter().map(|code| recovery_code::ActiveModel {
            code_hash: Set(hashed(user, code)),
            user_id: Set(user),
            used_at: Set(None),
        });
        let replaced = async {
            forget_codes(on, user).await?;
            recovery_code::Entity::insert_many(rows).exec_without_returning(on).await
        };
        replaced.await.map_err(|error| unavailable(&error))?;
        Ok(codes.iter().map(|code| in_groups(code)).collect())
    }

    /// How many recovery codes are left.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] if the database does not answer.
    pub async fn codes_left(&self, user: Uuid) -> Result<u64, ApiError> {
        let unused = recovery_code::Entity::find()
            .filter(recovery_code::Column::UserId.eq(user))
            .filter(recovery_code::Column::UsedAt.is_null());
        unused.count(self.store.read()).await.map_err(|error| unavailable(&error))
    }

    /// Checks a code of the app, or a recovery code, and makes it worthless.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] if it is neither or was used, [`ApiError::TooManyAttempts`] after too many of them.
    pub async fn check(&self, user: &user::Model, code: &str, from: &Address) -> Result<(), ApiError> {
        let attempt = self.throttle.admit(Guess::Code, &user.email, from).await?;
        let code = plain(code);
        let is_right = match code.len() {
            CODE_CHARS => self.use_recovery(user, &code, from).await,
            _ => self.use_totp(user, &code).await,
        };
        if !is_right.map_err(|error| unavailable(&error))? {
            return Err(Invalid::CodeWrong.into());
        }
        self.throttle.passed(&attempt).await
    }

    async fn use_totp(&self, user: &user::Model, code: &str) -> Result<bool, DbErr> {
        let Some(secret) = &user.totp_secret else { return Ok(false) };
        let now = self.clock.wall_ms();
        let Some(step) = totp::matching_step(secret, code, now, user.totp_last_step) else { return Ok(false) };
        // The same code may be given on another server in this moment: the row decides.
        let taken = user::Entity::update_many()
            .col_expr(user::Column::TotpLastStep, Expr::value(step))
            .filter(user::Column::Id.eq(user.id))
            .filter(user::Column::TotpSecret.eq(secret))
            .filter(user::Column::TotpLastStep.lt(step));
        Ok(taken.exec(self.store.write()).await?.rows_affected == 1)
    }

    async fn use_recovery(&self, user: &user::Model, code: &str, from: &Address) -> Result<bool, DbErr> {
        let transaction = self.store.begin().await?;
        let taken = recovery_code::Entity::update_many()
            .col_expr(recovery_code::Column::UsedAt, Expr::value(Some(self.clock.wall_ms())))
            .filter(recovery_code::Column::CodeHash.eq(hashed(user.id, code)))
            .filter(recovery_code::Column::UserId.eq(user.id))
            .filter(recovery_code::Column::UsedAt.is_null());
        if taken.exec(&transaction).await?.rows_affected != 1 {
            return Ok(false);
        }
        let actor = Actor::Member { id: user.id.to_string(), name: user.name.clone(), email: user.email.clone() };
        let entry = Entry::new(Action::RecoveryCodeUsed, actor).from_address(Some(from.to_string()));
        Audit::commit(transaction, entry).await?;
        Ok(true)
    }
}

/// Switches a second factor off, with all that belongs to it; `false` if there was none.
///
/// # Errors
/// When the database fails.
pub async fn switch_off(on: &DatabaseTransaction, user: Uuid) -> Result<bool, DbErr> {
    let off = user::Entity::update_many()
        .col_expr(user::Column::TotpSecret, Expr::value(None::<String>))
        .col_expr(user::Column::TotpPending, Expr::value(None::<String>))
        .col_expr(user::Column::TotpSince, Expr::value(None::<i64>))
        .filter(user::Column::Id.eq(user))
        .filter(user::Column::TotpSecret.is_not_null());
    let off = off.exec(on).await?.rows_affected == 1;
    forget_codes(on, user).await?;
    Ok(off)
}

async fn forget_codes(on: &impl ConnectionTrait, user: Uuid) -> Result<(), DbErr> {
    recovery_code::Entity::delete_many().filter(recovery_code::Column::UserId.eq(user)).exec(on).await?;
    Ok(())
}

/// Whether it can only be meant as a code, and not as a password.
pub fn looks_like_a_code(text: &str) -> bool {
    let code = plain(text);
    let digits = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
    let recovery = code.len() == CODE_CHARS && text.trim().len() == CODE_CHARS + 3 && text.matches('-').count() == 3;
    digits || recovery
}

/// A code without what people put between its parts, in capitals.
fn plain(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace() && *c != '-').take(CODE_CHARS + 1).collect::<String>().to_uppercase()
}

fn in_groups(code: &str) -> String {
    let parts = [&code[..4], &code[4..8], &code[8..12], &code[12..]];
    parts.join("-")
}

fn hashed(user: Uuid, code: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(user.as_bytes());
    hash.update(code.as_bytes());
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_write_them() {
        assert_eq!(plain(" 123 456\n"), "123456");
        assert_eq!(plain("abcd-efgh-ijkl-mnop"), "ABCDEFGHIJKLMNOP");
        assert_eq!(in_groups("ABCDEFGHIJKLMNOP"), "ABCD-EFGH-IJKL-MNOP");
        assert!(looks_like_a_code("123 456") && looks_like_a_code("ABCD-EFGH-IJKL-MNOP"));
        assert!(!looks_like_a_code("correct horse battery staple") && !looks_like_a_code("sixteen letters!"));
    }
}
