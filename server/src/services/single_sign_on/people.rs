//! Who a person at the identity provider is here.
//!
//! What must stay true: a person is known by issuer and subject. Nobody gets an account that exists because of its e-mail address:
//! whoever owns it connects it, signed in with its password. The claim decides the role at each sign-in, but never takes the last
//! administrator away.

use super::{
    SingleSignOn,
    provider::Person,
    roles::{self, Told},
};
use crate::{
    services::{
        accounts::{
            CreateUserError, Known, check_email, checked_name, end_sessions, normalized, principal, stored_role,
        },
        audit::{Action, Audit, Entry, Object, Outcome},
        failure::Failure,
        members::{leaves_another, taken, withdraw_links_to_administrators},
    },
    store::entities::{identity, invitation, user},
};
use app::{
    model::{
        error::ApiError, identity::Role, single_sign_on::SingleSignOnRefused as Refused, workspace::limits::NAME_CHARS,
    },
    ports::Principal,
};
use sea_orm::{
    ActiveEnum, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, SqlErr,
    sea_query::Expr,
};
use uuid::Uuid;

/// As long as the column for it.
const SUBJECT_BYTES: usize = 255;

impl SingleSignOn {
    /// The account of a person, made if there is none, with the role that the provider gives.
    pub(super) async fn account_of(&self, person: &Person, address: Option<String>) -> Result<Known, Failure> {
        if person.subject.len() > SUBJECT_BYTES {
            return Err(refused(Refused::NotVerified));
        }
        let told = roles::told(&self.config, &person.claims);
        let id = match self.user_of(person).await? {
            Some(id) => {
                self.take_over_role(id, told, address).await?;
                id
            }
            None => match self.make(person, told, address.clone()).await {
                // Somebody may have come back twice at once.
                Err(Failure::Refused(ApiError::SingleSignOn(Refused::AccountExists))) => {
                    self.user_of(person).await?.ok_or_else(|| refused(Refused::AccountExists))?
                }
                made => made?,
            },
        };
        self.accounts.find(id).await?.ok_or(Failure::Refused(ApiError::AccountDisabled))
    }

    /// Whose account the person's is.
    pub(super) async fn user_of(&self, person: &Person) -> Result<Option<Uuid>, DbErr> {
        let key = (self.config.issuer.clone(), person.subject.clone());
        let found = identity::Entity::find_by_id(key).one(self.accounts.store().read()).await?;
        Ok(found.map(|row| row.user_id))
    }

    /// Since when an account is connected.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn connected_at(&self, user: Uuid) -> Result<Option<i64>, DbErr> {
        let found = identity::Entity::find()
            .filter(identity::Column::UserId.eq(user))
            .filter(identity::Column::Issuer.eq(&self.config.issuer))
            .one(self.accounts.store().read())
            .await?;
        Ok(found.map(|row| row.connected_at))
    }

    async fn take_over_role(&self, id: Uuid, told: Told, address: Option<String>) -> Result<(), Failure> {
        let row = self.accounts.row(id).await.map_err(|error| match error {
            ApiError::SignedOut => ApiError::AccountDisabled,
            error => error,
        })?;
        let wanted = match told {
            Told::NoRole => return Err(refused(Refused::NoRole)),
            Told::Role(wanted) if stored_role(wanted) != row.role => wanted,
            Told::Role(_) | Told::Nothing => return Ok(()),
        };
        let transaction = self.accounts.store().begin().await?;
        let row = taken(&transaction, id).await?;
        if stored_role(wanted) == row.role {
            return Ok(());
        }
        let entry = Entry::by(&principal(row.clone(), 0), Action::RoleChangedBySingleSignOn)
            .from_address(address)
            .on(&Object::User(id));
        let allowed = if wanted == Role::Administrator { Ok(()) } else { leaves_another(&transaction, &row).await };
        if let Err(failure) = allowed {
            let Failure::Refused(_) = failure else { return Err(failure) };
            Audit::commit(transaction, entry.detail(wanted).outcome(Outcome::Refused)).await?;
            tracing::warn!(event = "last_administrator_kept", user = %id, "single sign-on would leave no administrator");
            return Ok(());
        }
        if wanted != Role::Administrator {
            withdraw_links_to_administrators(&transaction, id).await?;
        }
        user::Entity::update_many()
            .col_expr(user::Column::Role, Expr::value(stored_role(wanted).to_value()))
            .filter(user::Column::Id.eq(id))
            .exec(&transaction)
            .await?;
        Audit::commit(transaction, entry.detail(wanted)).await?;
        tracing::info!(event = "role_changed", user = %id, role = wanted.label(), "single sign-on has changed a role");
        Ok(())
    }

    async fn make(&self, person: &Person, told: Told, address: Option<String>) -> Result<Uuid, Failure> {
        let role = match told {
            Told::NoRole => return Err(refused(Refused::NoRole)),
            Told::Role(role) => role,
            Told::Nothing => Role::Member,
        };
        let email = normalized(person.email.as_deref().unwrap_or_default());
        if check_email(&email).is_err() {
            return Err(refused(Refused::EmailMissing));
        }
        if person.email_verified == Some(false) {
            return Err(refused(Refused::EmailUnverified));
        }
        let name = name_for(person, &email);
        let transaction = self.accounts.store().begin().await?;
        // It could not be accepted any more. Before the user, as whoever accepts one does it.
        let withdrawn = invitation::Entity::delete_many().filter(invitation::Column::Email.eq(&email));
        withdrawn.exec(&transaction).await?;
        let made = self.accounts.insert_user(&transaction, email.clone(), name, role, String::new()).await;
        let made = made.map_err(|error| match error {
            CreateUserError::EmailTaken => refused(Refused::AccountExists),
            error => Failure::Refused(error.told()),
        })?;
        let id = Uuid::try_parse(&made.user_id).map_err(|_| ApiError::Internal)?;
        self.note_identity(&transaction, person, id, Refused::AccountExists).await?;
        let entry = Entry::by(&made, Action::UserAddedBySingleSignOn).from_address(address);
        Audit::commit(transaction, entry.on(&Object::User(id)).detail(role)).await?;
        tracing::info!(event = "user_added", user = %id, role = role.label(), "single sign-on has added somebody");
        Ok(id)
    }

    /// Connects the account of somebody who is signed in.
    pub(super) async fn connect(&self, who: &Principal, id: Uuid, person: &Person) -> Result<(), Failure> {
        if person.subject.len() > SUBJECT_BYTES {
            return Err(refused(Refused::NotVerified));
        }
        if self.user_of(person).await? == Some(id) {
            return Ok(());
        }
        let transaction = self.accounts.store().begin().await?;
        self.note_identity(&transaction, person, id, Refused::ConnectedElsewhere).await?;
        Audit::commit(transaction, Entry::by(who, Action::SingleSignOnConnected).on(&Object::User(id))).await?;
        tracing::info!(event = "single_sign_on_connected", user = %id, "an account was connected");
        Ok(())
    }

    /// Lets the account be signed in to with its password alone. Gives the number of the sessions that may go on; `None` if it was
    /// not connected.
    ///
    /// # Errors
    /// [`Refused::OnlyWay`] if there is no password.
    pub async fn disconnect(&self, who: &Principal, id: Uuid) -> Result<Option<i64>, Failure> {
        if self.accounts.row(id).await?.password().is_none() {
            return Err(refused(Refused::OnlyWay));
        }
        let transaction = self.accounts.store().begin().await?;
        // The row of the user first, as whoever removes them does it.
        let epoch = end_sessions(&transaction, id).await?;
        let gone = identity::Entity::delete_many()
            .filter(identity::Column::UserId.eq(id))
            .filter(identity::Column::Issuer.eq(&self.config.issuer))
            .exec(&transaction)
            .await?;
        if gone.rows_affected == 0 {
            return Ok(None);
        }
        Audit::commit(transaction, Entry::by(who, Action::SingleSignOnDisconnected).on(&Object::User(id))).await?;
        tracing::info!(event = "single_sign_on_disconnected", user = %id, "an account was disconnected");
        Ok(Some(epoch))
    }

    async fn note_identity(
        &self,
        on: &impl ConnectionTrait,
        person: &Person,
        user: Uuid,
        otherwise: Refused,
    ) -> Result<(), Failure> {
        let row = identity::ActiveModel {
            issuer: Set(self.config.issuer.clone()),
            subject: Set(person.subject.clone()),
            user_id: Set(user),
            connected_at: Set(self.accounts.clock().wall_ms()),
        };
        match identity::Entity::insert(row).exec_without_returning(on).await {
            Ok(_) => Ok(()),
            Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
                Err(refused(otherwise))
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn refused(refused: Refused) -> Failure {
    Failure::Refused(refused.into())
}

/// A name that others can read: what the provider tells, as far as it fits, or what stands before the @.
fn name_for(person: &Person, email: &str) -> String {
    let told: String = person.name.iter().flat_map(|name| name.chars()).filter(|c| !c.is_control()).collect();
    let cut: String = told.trim().chars().take(NAME_CHARS).collect();
    checked_name(&cut)
        .unwrap_or_else(|_| email.split('@').next().unwrap_or_default().chars().take(NAME_CHARS).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_the_provider_tells_or_stands_before_the_at() {
        let person = |name: Option<&str>| Person {
            subject: "1".to_owned(),
            email: None,
            email_verified: None,
            name: name.map(str::to_owned),
            asked_at: None,
            claims: serde_json::Map::new(),
        };
        let of = |name| name_for(&person(name), "ada@example.com");
        assert_eq!(of(Some(" Ada\u{7} Lovelace ")), "Ada Lovelace");
        assert_eq!((of(None), of(Some(" "))), ("ada".to_owned(), "ada".to_owned()));
        assert_eq!(of(Some(&"é".repeat(500))).chars().count(), NAME_CHARS);
    }
}
