//! Invitations: a link that lets one person make an account, once, within seven days.
//!
//! What must stay true: of the token only a hash is stored, so the link is known to whoever made it and whoever got it; it is
//! neither logged nor told again; and only one of two who use it at once comes in.

use super::{
    access,
    accounts::{Accounts, check_email, check_own_password, checked_name, normalized, role, stored_role},
    audit::{Action, Audit, Entry, Object},
    failure::Failure,
    mail::Mailer,
    organization::OrganizationName,
    people,
};
use crate::store::{
    Store,
    entities::{invitation, user},
};
use app::{
    model::{
        error::{ApiError, MemberRefused},
        identity::Role,
        people::{FreshInvitation, Invitation, InvitationView, Mail},
    },
    ports::Principal,
};
use data_encoding::BASE64URL_NOPAD;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, SqlErr, sea_query::ExprTrait,
};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use uuid::{Builder, Uuid};
use vault::{Clock, Entropy};

/// For so long a link is good, in milliseconds.
pub const GOOD_FOR: i64 = 7 * 24 * 60 * 60 * 1_000;
const TOKEN_BYTES: usize = 32;

/// The invitations that are open.
pub struct Invitations {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub mailer: Option<Mailer>,
    /// The origin of links.
    pub public_url: String,
    pub organization: OrganizationName,
}

impl Invitations {
    /// Those that are open or have run out, newest first. What ran out long ago is not worth showing.
    pub async fn list(&self) -> Result<Vec<Invitation>, Failure> {
        let now = self.clock.wall_ms();
        let rows = invitation::Entity::find()
            .filter(invitation::Column::ExpiresAt.gt(now - GOOD_FOR))
            .order_by_desc(invitation::Column::CreatedAt)
            .order_by_desc(invitation::Column::Id)
            .all(self.store.read())
            .await?;
        let names = people::names(self.store.read(), rows.iter().filter_map(|row| row.invited_by)).await?;
        let shown = rows.into_iter().map(|row| Invitation {
            invited_by: people::name(&names, row.invited_by),
            id: row.id.to_string(),
            email: row.email,
            role: role(row.role),
            expires_at: row.expires_at,
            is_over: row.expires_at <= now,
        });
        Ok(shown.collect())
    }

    /// Whom an invitation is for.
    pub async fn find(&self, id: Uuid) -> Result<(String, Role), Failure> {
        let row = invitation::Entity::find_by_id(id).one(self.store.read()).await?;
        let row = row.ok_or(Failure::Refused(ApiError::NotFound))?;
        Ok((row.email, role(row.role)))
    }

    /// Makes a link for somebody who is no member yet and has not been invited: a link that somebody else has just made, and is
    /// giving away, must not become worthless without a word. `earlier` is the invitation whose link this one replaces.
    pub async fn invite(
        &self,
        who: &Principal,
        email: &str,
        role: Role,
        earlier: Option<Uuid>,
    ) -> Result<FreshInvitation, Failure> {
        let email = normalized(email);
        check_email(&email).map_err(|error| error.told())?;
        let token = self.token()?;
        let (now, id, by) = (self.clock.wall_ms(), self.new_id()?, access::user_id(who)?);
        let transaction = self.store.begin().await?;
        if user::Entity::find().filter(user::Column::Email.eq(&email)).count(&transaction).await? > 0 {
            return Err(Failure::Refused(ApiError::MemberRefused(MemberRefused::AlreadyMember)));
        }
        if let Some(earlier) = earlier
            && invitation::Entity::delete_by_id(earlier).exec(&transaction).await?.rows_affected == 0
        {
            // Somebody else was faster: it was replaced, withdrawn or accepted.
            return Err(ApiError::Conflict.into());
        }
        let forgotten = invitation::Column::ExpiresAt.lt(now - GOOD_FOR);
        let over = invitation::Column::Email.eq(&email).and(invitation::Column::ExpiresAt.lte(now)).or(forgotten);
        invitation::Entity::delete_many().filter(over).exec(&transaction).await?;
        let row = invitation::ActiveModel {
            id: Set(id),
            email: Set(email.clone()),
            role: Set(stored_role(role)),
            token_hash: Set(hashed(&token)),
            invited_by: Set(Some(by)),
            created_at: Set(now),
            expires_at: Set(now + GOOD_FOR),
        };
        match invitation::Entity::insert(row).exec_without_returning(&transaction).await {
            Ok(_) => {}
            // One invitation an address: the database decides between two who invite it in the same moment.
            Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {
                return Err(Failure::Refused(ApiError::MemberRefused(MemberRefused::AlreadyInvited)));
            }
            Err(error) => return Err(error.into()),
        }
        let entry = Entry::by(who, Action::MemberInvited).on(&Object::Invitation(id)).detail(role);
        Audit::commit(transaction, entry).await?;
        tracing::info!(event = "member_invited", by = %by, role = role.label(), "somebody was invited");
        let link = format!("{}/invitations/{token}", self.public_url);
        let mail = self.send(&who.name, &email, &link).await;
        Ok(FreshInvitation { email, link, expires_at: now + GOOD_FOR, mail })
    }

    async fn send(&self, by: &str, email: &str, link: &str) -> Mail {
        let Some(mailer) = &self.mailer else { return Mail::NotSetUp };
        let organization = match self.organization.now().await {
            Ok(name) => name,
            Err(error) => {
                tracing::warn!(event = "mail_not_sent", %error, "an invitation was not sent by e-mail");
                return Mail::Failed;
            }
        };
        let subject = format!("Join {organization} on Keystead");
        let text = format!(
            "{by} has invited you to {organization} on Keystead.\n\nOpen this link to set your name and password:\n\n{link}\n\n\
             It can be used once, within 7 days. If you did not expect it, do nothing.\n",
        );
        match mailer.send(email, &subject, text).await {
            Ok(()) => Mail::Sent,
            Err(error) => {
                tracing::warn!(event = "mail_not_sent", %error, "an invitation was not sent by e-mail");
                Mail::Failed
            }
        }
    }

    /// Makes an invitation worthless.
    pub async fn withdraw(&self, who: &Principal, id: Uuid) -> Result<(), Failure> {
        let transaction = self.store.begin().await?;
        let gone = invitation::Entity::delete_by_id(id).exec(&transaction).await?;
        if gone.rows_affected == 0 {
            return Err(Failure::Refused(ApiError::NotFound));
        }
        let entry = Entry::by(who, Action::InvitationWithdrawn).on(&Object::Invitation(id));
        Audit::commit(transaction, entry).await?;
        tracing::info!(event = "invitation_withdrawn", invitation = %id, "an invitation was withdrawn");
        Ok(())
    }

    /// What the one who follows the link is told.
    pub async fn view(&self, token: &str) -> Result<InvitationView, Failure> {
        let row = self.open(token).await?;
        Ok(InvitationView { organization: self.organization.now().await?, email: row.email })
    }

    /// Makes the account of whoever was invited.
    pub async fn accept(&self, accounts: &Accounts, token: &str, name: &str, password: &str) -> Result<(), Failure> {
        let row = self.open(token).await?;
        let name = checked_name(name).map_err(|error| error.told())?;
        check_own_password(password, &[&row.email, &name]).map_err(|error| error.told())?;
        let hash = accounts.hash(password).await.ok_or(ApiError::Internal)?;
        let transaction = self.store.begin().await?;
        let used = invitation::Entity::delete_many()
            .filter(invitation::Column::Id.eq(row.id))
            .filter(invitation::Column::TokenHash.eq(&row.token_hash))
            .filter(invitation::Column::ExpiresAt.gt(self.clock.wall_ms()))
            .exec(&transaction)
            .await?;
        if used.rows_affected != 1 {
            return Err(Failure::Refused(ApiError::NotFound));
        }
        let made = accounts.insert_user(&transaction, row.email, name, role(row.role), hash).await;
        let made = made.map_err(|error| error.told())?;
        let entry = Entry::by(&made, Action::InvitationAccepted).on(&Object::Invitation(row.id));
        Audit::commit(transaction, entry).await?;
        tracing::info!(event = "invitation_accepted", user = made.user_id, "somebody has joined");
        Ok(())
    }

    /// The invitation of a token, if it is good. One that never was, was used, was withdrawn or ran out looks the same.
    async fn open(&self, token: &str) -> Result<invitation::Model, Failure> {
        let row = invitation::Entity::find()
            .filter(invitation::Column::TokenHash.eq(hashed(token)))
            .filter(invitation::Column::ExpiresAt.gt(self.clock.wall_ms()))
            .one(self.store.read())
            .await?;
        row.ok_or(Failure::Refused(ApiError::NotFound))
    }

    fn token(&self) -> Result<String, Failure> {
        let mut random = [0; TOKEN_BYTES];
        self.entropy.fill(&mut random)?;
        Ok(BASE64URL_NOPAD.encode(&random))
    }

    fn new_id(&self) -> Result<Uuid, Failure> {
        let mut random = [0; 10];
        self.entropy.fill(&mut random)?;
        let now = u64::try_from(self.clock.wall_ms()).unwrap_or_default();
        Ok(Builder::from_unix_timestamp_millis(now, &random).into_uuid())
    }
}

fn hashed(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}
