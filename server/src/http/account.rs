//! One's own account: password, sessions, second factor.

use super::{
    principal::{RequestSession, unavailable},
    session::{EPOCH, Listed, PROVEN},
};
use crate::services::{
    accounts::{
        end_sessions,
        second_factors::{self, picture},
    },
    audit::{Action, Audit, Entry, Object},
};
use app::{
    model::{
        error::{ApiError, Invalid},
        people::{Account, SecondFactor, SessionEntry, SetUp},
    },
    ports::AccountPort,
};
use async_trait::async_trait;
use uuid::Uuid;

impl RequestSession {
    /// The session goes on under a new id and the user's new number; all others have ended.
    async fn go_on(&self, epoch: i64) -> Result<(), ApiError> {
        self.session.cycle_id().await.map_err(unavailable)?;
        self.put(EPOCH, epoch).await?;
        self.put(PROVEN, self.clock.wall_ms()).await
    }
}

#[async_trait]
impl AccountPort for RequestSession {
    async fn account(&self) -> Result<Account, ApiError> {
        let known = self.known().await?.ok_or(ApiError::SignedOut)?;
        let id = Uuid::try_parse(&known.principal.user_id).map_err(|_| ApiError::Internal)?;
        let row = self.accounts.row(id).await?;
        let listed = self.sessions.of_user(id, known.epoch, self.session.id()).await.map_err(unavailable)?;
        let second_factor = match row.totp_since.filter(|_| row.totp_secret.is_some()) {
            Some(since) => SecondFactor::On { since, codes_left: self.accounts.second_factor().codes_left(id).await? },
            None => SecondFactor::Off,
        };
        Ok(Account {
            me: known.principal.me(),
            password_changed_at: row.password_changed_at.unwrap_or(row.created_at),
            sessions: listed.into_iter().map(entry).collect(),
            second_factor,
        })
    }

    async fn change_password(&self, current: &str, new: &str) -> Result<(), ApiError> {
        if current.is_empty() {
            return Err(Invalid::PasswordMissing.into());
        }
        let who = self.who().await?;
        let epoch = self.accounts.change_password(&who, current, new, &self.from).await?;
        tracing::info!(event = "password_changed", user = who.user_id, "a password was changed");
        self.go_on(epoch).await
    }

    async fn end_session(&self, id: &str) -> Result<(), ApiError> {
        let user = self.user_id().await?;
        if !self.sessions.end(user, id).await.map_err(unavailable)? {
            return Err(ApiError::NotFound);
        }
        // The beginning of the hash says which one it was, and nothing else.
        let session = Object::Session(id.chars().take(16).collect());
        self.accounts.note(Entry::by(&self.who().await?, Action::SessionEnded).on(&session)).await
    }

    async fn end_other_sessions(&self) -> Result<(), ApiError> {
        let user = self.user_id().await?;
        let this = self.session.id().ok_or(ApiError::SignedOut)?;
        let ended = self.sessions.end_others(user, &this).await.map_err(unavailable)?;
        self.accounts.note(Entry::by(&self.who().await?, Action::SessionEnded).amount(ended)).await
    }

    async fn begin_second_factor(&self) -> Result<(), ApiError> {
        let user = self.proven_user_id().await?;
        self.accounts.second_factor().begin(&self.accounts.row(user).await?).await
    }

    async fn cancel_second_factor(&self) -> Result<(), ApiError> {
        let user = self.user_id().await?;
        self.accounts.second_factor().cancel(user).await
    }

    async fn second_factor_set_up(&self) -> Result<Option<SetUp>, ApiError> {
        let row = self.accounts.row(self.user_id().await?).await?;
        let Some(secret) = row.totp_pending else { return Ok(None) };
        let organization = self.organization.now().await.map_err(unavailable)?;
        let (path, width) =
            picture::drawn(&picture::address(&organization, &row.email, &secret)).ok_or(ApiError::Internal)?;
        Ok(Some(SetUp { secret, path, width }))
    }

    async fn confirm_second_factor(&self, code: &str) -> Result<Vec<String>, ApiError> {
        if code.trim().is_empty() {
            return Err(Invalid::CodeMissing.into());
        }
        let who = self.who().await?;
        let user = self.user_id().await?;
        let row = self.accounts.row(user).await?;
        let transaction = self.accounts.store().begin().await.map_err(unavailable)?;
        let codes = self.accounts.second_factor().confirm(&transaction, &row, code).await?;
        let entry = Entry::by(&who, Action::SecondFactorAdded);
        Audit::commit(transaction, entry).await.map_err(unavailable)?;
        tracing::info!(event = "second_factor_on", user = %user, "a second factor was set up");
        Ok(codes)
    }

    async fn new_recovery_codes(&self) -> Result<Vec<String>, ApiError> {
        let user = self.proven_user_id().await?;
        let who = self.who().await?;
        if self.accounts.row(user).await?.totp_secret.is_none() {
            return Err(ApiError::NotFound);
        }
        let transaction = self.accounts.store().begin().await.map_err(unavailable)?;
        let codes = self.accounts.second_factor().new_codes(&transaction, user).await?;
        Audit::commit(transaction, Entry::by(&who, Action::RecoveryCodesMade)).await.map_err(unavailable)?;
        Ok(codes)
    }

    async fn remove_second_factor(&self) -> Result<(), ApiError> {
        let user = self.proven_user_id().await?;
        let who = self.who().await?;
        let removed = async {
            let transaction = self.accounts.store().begin().await?;
            if !second_factors::switch_off(&transaction, user).await? {
                return Ok(None);
            }
            let epoch = end_sessions(&transaction, user).await?;
            Audit::commit(transaction, Entry::by(&who, Action::SecondFactorRemoved).on(&Object::User(user))).await?;
            Ok(Some(epoch))
        };
        match removed.await.map_err(|error: sea_orm::DbErr| unavailable(error))? {
            Some(epoch) => {
                tracing::info!(event = "second_factor_off", user = %user, "a second factor was switched off");
                self.go_on(epoch).await
            }
            None => Ok(()),
        }
    }
}

fn entry(listed: Listed) -> SessionEntry {
    SessionEntry {
        id: listed.id,
        device: device(&listed.device),
        address: listed.address,
        since: listed.created_at,
        last_seen_at: listed.last_seen_at,
        is_this: listed.is_this,
    }
}

/// A browser and a system in plain words, from what the browser says of itself. It may say anything, so this only helps people
/// to recognize their own.
fn device(told: &str) -> String {
    // Most name others too, so the order matters.
    const BROWSERS: [(&str, &str); 6] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("CriOS/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 7] = [
        ("iPhone", "an iPhone"),
        ("iPad", "an iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "a Mac"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    let named =
        |list: &[(&str, &'static str)]| list.iter().find(|(mark, _)| told.contains(mark)).map(|(_, name)| *name);
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) => format!("A program on {system}"),
        (None, None) => "An unknown program".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::device;

    #[test]
    fn devices_are_told_in_plain_words() {
        for (told, words) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on an iPhone",
            ),
            ("curl/8.5.0", "An unknown program"),
            ("", "An unknown program"),
        ] {
            assert_eq!(device(told), words);
        }
    }
}
