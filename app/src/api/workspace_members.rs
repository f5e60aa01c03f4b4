//! Who is a member of a workspace. All of it works by plain forms.

use crate::model::{
    error::ApiError,
    membership::{OwnerlessWorkspace, WorkspaceMembers},
};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::{
    api::answer::{answer, ask_for_proof},
    model::{error::Invalid, workspace::WorkspaceRole},
    ports::authenticated,
    problem,
};

/// Where administrators look after workspaces that nobody owns.
pub const OWNERLESS_PAGE: &str = "/settings/members";

/// The page of the members of a workspace.
pub fn members_page(workspace: &str) -> String {
    format!("/workspaces/{workspace}/members")
}

#[cfg(feature = "ssr")]
fn chosen(role: &str) -> Result<WorkspaceRole, ApiError> {
    WorkspaceRole::of_word(role).ok_or(Invalid::RoleMissing.into())
}

/// A page of the members, for owners.
#[server(prefix = "/api", endpoint = "workspace_members")]
pub async fn read_workspace_members(workspace: String, after: Option<String>) -> Result<WorkspaceMembers, ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.workspace_members.members(&who, &workspace, after.as_deref()).await
    })
    .await
}

/// Adds somebody of the organization by their e-mail.
#[server(prefix = "/api", endpoint = "add_workspace_member")]
pub async fn add_workspace_member(workspace: String, email: String, role: String) -> Result<(), ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.workspace_members.add_member(&who, &workspace, &email, chosen(&role)?).await?;
        leptos_axum::redirect(&members_page(&workspace));
        Ok(())
    })
    .await
}

/// Gives a member another role.
#[server(prefix = "/api", endpoint = "change_workspace_role")]
pub async fn change_workspace_role(workspace: String, user: String, role: String) -> Result<(), ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.workspace_members.change_role(&who, &workspace, &user, chosen(&role)?).await?;
        leptos_axum::redirect(&members_page(&workspace));
        Ok(())
    })
    .await
}

/// Takes a member out.
#[server(prefix = "/api", endpoint = "remove_workspace_member")]
pub async fn remove_workspace_member(workspace: String, user: String) -> Result<(), ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        let is_gone_oneself = ports.workspace_members.remove_member(&who, &workspace, &user).await?;
        leptos_axum::redirect(&if is_gone_oneself { "/workspaces".to_owned() } else { members_page(&workspace) });
        Ok(())
    })
    .await
}

/// Takes oneself out.
#[server(prefix = "/api", endpoint = "leave_workspace")]
pub async fn leave_workspace(workspace: String) -> Result<(), ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.workspace_members.remove_member(&who, &workspace, &who.user_id).await?;
        leptos_axum::redirect("/workspaces");
        Ok(())
    })
    .await
}

/// Workspaces without an owner, for administrators.
#[server(prefix = "/api", endpoint = "ownerless_workspaces")]
pub async fn ownerless_workspaces() -> Result<Vec<OwnerlessWorkspace>, ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ports.workspace_members.ownerless(&who).await
    })
    .await
}

/// Names an owner for a workspace that has none.
#[server(prefix = "/api", endpoint = "give_workspace_owner")]
pub async fn give_workspace_owner(workspace: String, email: String) -> Result<(), ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        let given = ports.workspace_members.give_owner(&who, &workspace, &email).await;
        let back = problem::address(OWNERLESS_PAGE, &[("workspace", &workspace), ("owner", &email)], None);
        ask_for_proof(given, &back)?;
        leptos_axum::redirect(OWNERLESS_PAGE);
        Ok(())
    })
    .await
}

/// Deletes a workspace whose data key AWS refuses, for administrators.
#[server(prefix = "/api", endpoint = "delete_refused_workspace")]
pub async fn delete_refused_workspace(workspace: String) -> Result<(), ApiError> {
    answer(async {
        let (ports, who) = authenticated().await?;
        ask_for_proof(ports.workspace_members.delete_refused(&who, &workspace).await, super::encryption::PAGE)?;
        leptos_axum::redirect(super::encryption::PAGE);
        Ok(())
    })
    .await
}
