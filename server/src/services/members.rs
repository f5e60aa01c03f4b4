//! The organization's members: who they are, what they may do, and who may come in.
//!
//! What must stay true: there is always an administrator who can sign in, whatever two of them do at once; each change is one
//! transaction; and what takes something from somebody, or gives somebody the keys, asks for fresh proof.

use super::{
    access,
    accounts::{Accounts, end_sessions, role, second_factors, stored_role},
    audit::{Action, Audit, Entry, Object},
    failure::Failure,
    invitations::Invitations,
    proof,
};
use crate::store::{
    Store,
    entities::user::{self, Role as StoredRole},
};
use app::{
    model::{
        error::{ApiError, MemberRefused},
        identity::Role,
        people::{FreshInvitation, InvitationView, MemberList, Person},
    },
    ports::{MembersPort, Principal},
};
use async_trait::async_trait;
use sea_orm::{
    ActiveEnum, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockType},
};
use std::sync::Arc;
use uuid::Uuid;
use vault::Clock;

/// The members.
pub struct Members {
    pub store: Store,
    pub accounts: Arc<Accounts>,
    pub clock: Arc<dyn Clock>,
    pub invitations: Invitations,
}

impl Members {
    async fn listed(&self, who: &Principal) -> Result<MemberList, Failure> {
        let me = access::user_id(who)?;
        let users = user::Entity::find()
            .order_by_asc(user::Column::Name)
            .order_by_asc(user::Column::Id)
            .all(self.store.read())
            .await?;
        let may_change = access::administrator(who).is_ok();
        let people = users.into_iter().map(|user| person(user, me)).collect();
        let invitations = if may_change { self.invitations.list().await? } else { Vec::new() };
        Ok(MemberList { people, invitations, may_change, sends_mail: self.invitations.mailer.is_some() })
    }

    /// The one it is about, if `who` may do something grave now.
    fn grave(&self, who: &Principal, member: &str) -> Result<Uuid, Failure> {
        access::administrator(who)?;
        let member = access::parse(member)?;
        proof::fresh(who, self.clock.wall_ms())?;
        Ok(member)
    }

    async fn with_role(&self, who: &Principal, member: &str, wanted: Role) -> Result<(), Failure> {
        let member = self.grave(who, member)?;
        let transaction = self.store.begin().await?;
        let row = taken(&transaction, member).await?;
        if row.role == stored_role(wanted) {
            return Ok(());
        }
        if wanted != Role::Administrator {
            leaves_another(&transaction, &row).await?;
        }
        user::Entity::update_many()
            .col_expr(user::Column::Role, Expr::value(stored_role(wanted).to_value()))
            .filter(user::Column::Id.eq(member))
            .exec(&transaction)
            .await?;
        let entry = Entry::by(who, Action::MemberRoleChanged).on(&Object::User(member)).detail(wanted);
        Audit::commit(transaction, entry).await?;
        tracing::info!(event = "role_changed", user = %member, by = who.user_id, role = wanted.label(), "a role was changed");
        Ok(())
    }

    async fn switched(&self, who: &Principal, member: &str, disabled: bool) -> Result<(), Failure> {
        let member = self.grave(who, member)?;
        let transaction = self.store.begin().await?;
        let row = taken(&transaction, member).await?;
        if row.disabled_at.is_some() == disabled {
            return Ok(());
        }
        if disabled {
            leaves_another(&transaction, &row).await?;
            end_sessions(&transaction, member).await?;
        }
        user::Entity::update_many()
            .col_expr(user::Column::DisabledAt, Expr::value(disabled.then(|| self.clock.wall_ms())))
            .filter(user::Column::Id.eq(member))
            .exec(&transaction)
            .await?;
        let action = if disabled { Action::MemberDisabled } else { Action::MemberEnabled };
        let entry = Entry::by(who, action).on(&Object::User(member));
        Audit::commit(transaction, entry).await?;
        tracing::info!(event = "member_switched", user = %member, by = who.user_id, disabled, "a member was disabled or enabled");
        Ok(())
    }

    async fn removed(&self, who: &Principal, member: &str) -> Result<(), Failure> {
        let member = self.grave(who, member)?;
        let transaction = self.store.begin().await?;
        let row = taken(&transaction, member).await?;
        leaves_another(&transaction, &row).await?;
        // Sessions and recovery codes go with the row.
        user::Entity::delete_by_id(member).exec(&transaction).await?;
        let entry = Entry::by(who, Action::MemberRemoved).on(&Object::User(member));
        Audit::commit(transaction, entry).await?;
        tracing::info!(event = "member_removed", user = %member, by = who.user_id, "a member was removed");
        Ok(())
    }

    async fn without_second_factor(&self, who: &Principal, member: &str) -> Result<(), Failure> {
        let member = self.grave(who, member)?;
        let transaction = self.store.begin().await?;
        taken(&transaction, member).await?;
        if !second_factors::switch_off(&transaction, member).await? {
            return Ok(());
        }
        end_sessions(&transaction, member).await?;
        let entry = Entry::by(who, Action::SecondFactorRemoved).on(&Object::User(member));
        Audit::commit(transaction, entry).await?;
        tracing::info!(event = "second_factor_reset", user = %member, by = who.user_id, "a second factor was reset");
        Ok(())
    }

    fn may_invite(&self, who: &Principal, role: Role) -> Result<(), Failure> {
        access::administrator(who)?;
        if role == Role::Administrator { proof::fresh(who, self.clock.wall_ms()) } else { Ok(()) }
    }

    async fn invited(&self, who: &Principal, email: &str, role: Role) -> Result<FreshInvitation, Failure> {
        self.may_invite(who, role)?;
        self.invitations.invite(who, email, role, None).await
    }

    async fn invited_again(&self, who: &Principal, invitation: &str) -> Result<FreshInvitation, Failure> {
        access::administrator(who)?;
        let earlier = access::parse(invitation)?;
        let (email, role) = self.invitations.find(earlier).await?;
        self.may_invite(who, role)?;
        self.invitations.invite(who, &email, role, Some(earlier)).await
    }
}

/// The row of a member, held until the transaction ends, with the rows of all who can act as administrators: whoever else
/// wants to take one of them away waits here, and then sees who is left.
async fn taken(transaction: &DatabaseTransaction, member: Uuid) -> Result<user::Model, Failure> {
    administrators(transaction).await?;
    let row = user::Entity::find_by_id(member).lock(LockType::Update).one(transaction).await?;
    row.ok_or(Failure::Refused(ApiError::NotFound))
}

/// Somebody else must stay who can act as an administrator.
async fn leaves_another(transaction: &DatabaseTransaction, row: &user::Model) -> Result<(), Failure> {
    let others = administrators(transaction).await?;
    if row.role == StoredRole::Administrator && row.disabled_at.is_none() && others.iter().all(|id| *id == row.id) {
        return Err(Failure::Refused(ApiError::MemberRefused(MemberRefused::LastAdministrator)));
    }
    Ok(())
}

async fn administrators(transaction: &DatabaseTransaction) -> Result<Vec<Uuid>, Failure> {
    let ids = user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::Role.eq(StoredRole::Administrator))
        .filter(user::Column::DisabledAt.is_null())
        .order_by_asc(user::Column::Id)
        .lock(LockType::Update)
        .into_tuple()
        .all(transaction)
        .await?;
    Ok(ids)
}

fn person(user: user::Model, me: Uuid) -> Person {
    Person {
        is_me: user.id == me,
        id: user.id.to_string(),
        name: user.name,
        email: user.email,
        role: role(user.role),
        last_sign_in_at: user.last_sign_in_at,
        disabled_at: user.disabled_at,
        second_factor: user.totp_secret.is_some(),
    }
}

fn told<T>(outcome: Result<T, Failure>) -> Result<T, ApiError> {
    outcome.map_err(|failure| failure.tell(None))
}

#[async_trait]
impl MembersPort for Members {
    async fn list(&self, who: &Principal) -> Result<MemberList, ApiError> {
        told(self.listed(who).await)
    }

    async fn change_role(&self, who: &Principal, member: &str, role: Role) -> Result<(), ApiError> {
        told(self.with_role(who, member, role).await)
    }

    async fn set_disabled(&self, who: &Principal, member: &str, disabled: bool) -> Result<(), ApiError> {
        told(self.switched(who, member, disabled).await)
    }

    async fn remove(&self, who: &Principal, member: &str) -> Result<(), ApiError> {
        told(self.removed(who, member).await)
    }

    async fn reset_second_factor(&self, who: &Principal, member: &str) -> Result<(), ApiError> {
        told(self.without_second_factor(who, member).await)
    }

    async fn invite(&self, who: &Principal, email: &str, role: Role) -> Result<FreshInvitation, ApiError> {
        told(self.invited(who, email, role).await)
    }

    async fn invite_again(&self, who: &Principal, invitation: &str) -> Result<FreshInvitation, ApiError> {
        told(self.invited_again(who, invitation).await)
    }

    async fn withdraw(&self, who: &Principal, invitation: &str) -> Result<(), ApiError> {
        let withdrawn = async {
            access::administrator(who)?;
            self.invitations.withdraw(who, access::parse(invitation)?).await
        };
        told(withdrawn.await)
    }

    async fn invitation(&self, token: &str) -> Result<InvitationView, ApiError> {
        told(self.invitations.view(token).await)
    }

    async fn accept(&self, token: &str, name: &str, password: &str) -> Result<(), ApiError> {
        told(self.invitations.accept(&self.accounts, token, name, password).await)
    }
}
