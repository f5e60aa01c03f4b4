//! The members of the organization, and invitations. All of it works by plain forms.

use crate::model::{
    error::ApiError,
    identity::Role,
    people::{InvitationView, MemberList},
};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::{
    api::answer::{answer, ask_for_proof, is_plain_form},
    ports::{Ports, authenticated},
    problem,
};

/// Where people return to after pressing a button.
pub const PAGE: &str = "/settings/members";

/// Everybody who may sign in, and who has been invited.
#[server(prefix = "/api", endpoint = "members")]
pub async fn read_members() -> Result<MemberList, ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.members.list(&who).await
    })
    .await
}

/// Back to the page, with the member in view; without scripts also by way of proof.
#[cfg(feature = "ssr")]
fn back<T>(outcome: Result<T, ApiError>, member: &str, typed: &[(&str, &str)]) -> Result<T, ApiError> {
    let typed = [&[("member", member)], typed].concat();
    let outcome = ask_for_proof(outcome, &problem::address(PAGE, &typed, None))?;
    leptos_axum::redirect(PAGE);
    Ok(outcome)
}

/// Gives a member another role.
#[server(prefix = "/api", endpoint = "change_member_role")]
pub async fn change_member_role(member: String, role: Role) -> Result<(), ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        let word = if role == Role::Administrator { "administrator" } else { "member" };
        back(ports.members.change_role(&who, &member, role).await, &member, &[("role", word)])
    })
    .await
}

/// Disables a member: their sessions end at once.
#[server(prefix = "/api", endpoint = "disable_member")]
pub async fn disable_member(member: String) -> Result<(), ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        back(ports.members.set_disabled(&who, &member, true).await, &member, &[])
    })
    .await
}

/// Lets a disabled member sign in again.
#[server(prefix = "/api", endpoint = "enable_member")]
pub async fn enable_member(member: String) -> Result<(), ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        back(ports.members.set_disabled(&who, &member, false).await, &member, &[])
    })
    .await
}

/// Removes a member.
#[server(prefix = "/api", endpoint = "remove_member")]
pub async fn remove_member(member: String) -> Result<(), ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        back(ports.members.remove(&who, &member).await, &member, &[])
    })
    .await
}

/// Switches off the second factor of a member who has lost it.
#[server(prefix = "/api", endpoint = "reset_second_factor")]
pub async fn reset_second_factor(member: String) -> Result<(), ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        back(ports.members.reset_second_factor(&who, &member).await, &member, &[])
    })
    .await
}

/// Makes an invitation worthless.
#[server(prefix = "/api", endpoint = "withdraw_invitation")]
pub async fn withdraw_invitation(invitation: String) -> Result<(), ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.members.withdraw(&who, &invitation).await?;
        leptos_axum::redirect(PAGE);
        Ok(())
    })
    .await
}

/// What an invitation is, for the one who has its link.
#[server(prefix = "/api", endpoint = "invitation")]
pub async fn read_invitation(token: String) -> Result<InvitationView, ApiError> {
    answer(async { Ports::current()?.members.invitation(&token).await }).await
}

/// Makes the account of the one who has the link. What was wrong is brought back by an address of ours: the browser does not
/// say which page the form was on, because that would tell the link.
#[server(prefix = "/api", endpoint = "accept_invitation")]
pub async fn accept_invitation(token: String, name: String, password: String) -> Result<(), ApiError> {
    answer(async {
        let accepted = Ports::current()?.members.accept(&token, &name, &password).await;
        match &accepted {
            Ok(()) => leptos_axum::redirect("/sign-in?joined=yes"),
            Err(error) if is_plain_form() => {
                let page = invitation_page(&token);
                leptos_axum::redirect(&problem::address(&page, &[("name", &name)], Some(error)));
            }
            Err(_) => {}
        }
        accepted
    })
    .await
}

/// The page of an invitation. A token is of letters, digits, `-` and `_`; whatever else comes in is no token.
#[cfg(feature = "ssr")]
fn invitation_page(token: &str) -> String {
    let mut page = String::from("/invitations/");
    page.extend(token.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).take(64));
    page
}
