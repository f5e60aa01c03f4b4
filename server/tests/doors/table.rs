//! The table: each door, whose it is, and what it answers to those whose it is.

use crate::scene::Actor;

/// Whose a door is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    Anyone,
    SignedIn,
    Administrators,
    /// Members of the workspace, from this role on. For everybody else the workspace does not exist.
    Readers,
    Editors,
    Owners,
}

/// How it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// A person's GET.
    Page,
    /// A program's GET.
    Get,
    /// A program's POST, with what it asks for in the query.
    Post,
    /// An upload.
    Upload,
    /// A server function, called as a script does.
    Call,
    /// The same, which ends the session that it is called in.
    LastCall,
}

/// One door. In braces, in the path and in values, stand things of the scene: see `Scene::filled`.
#[derive(Debug)]
pub struct Door {
    /// As the router or the application lists it.
    pub path: &'static str,
    pub how: How,
    /// What is asked for there: query or fields.
    pub fields: &'static [(&'static str, &'static str)],
    pub whose: Whose,
    /// The status for those whose it is.
    pub good: u16,
}

impl Door {
    /// The status that `actor` must get.
    pub fn expected(&self, actor: Actor) -> u16 {
        let signed_out = if self.how == How::Page { 302 } else { 401 };
        match (self.whose, actor) {
            (Whose::Anyone, _) => self.good,
            (_, Actor::Nobody) => signed_out,
            (Whose::SignedIn, _) | (Whose::Administrators, Actor::Administrator) => self.good,
            (
                Whose::Readers | Whose::Editors | Whose::Owners,
                Actor::Outsider | Actor::Elsewhere | Actor::Administrator,
            ) => 404,
            (Whose::Administrators, _)
            | (Whose::Editors | Whose::Owners, Actor::Reader)
            | (Whose::Owners, Actor::Editor) => 403,
            (Whose::Readers | Whose::Editors | Whose::Owners, Actor::Reader | Actor::Editor | Actor::Owner) => {
                self.good
            }
        }
    }

    pub fn is_in_a_workspace(&self) -> bool {
        matches!(self.whose, Whose::Readers | Whose::Editors | Whose::Owners)
    }
}

const fn page(path: &'static str, whose: Whose) -> Door {
    Door { path, how: How::Page, fields: &[], whose, good: 200 }
}

const fn get(path: &'static str, fields: &'static [(&'static str, &'static str)], whose: Whose, good: u16) -> Door {
    Door { path, how: How::Get, fields, whose, good }
}

const fn call(path: &'static str, fields: &'static [(&'static str, &'static str)], whose: Whose, good: u16) -> Door {
    Door { path, how: How::Call, fields, whose, good }
}

/// No key is changed here: an ARN that is none is refused, after it was asked who is asking.
const NO_ARN: &[(&str, &str)] = &[("arn", "none")];
const NO_MEMBER: &[(&str, &str)] = &[("member", "none")];
const NO_FILTER: &[(&str, &str)] =
    &[("filter[from]", ""), ("filter[to]", ""), ("filter[actor]", ""), ("filter[action]", ""), ("filter[outcome]", "")];
const WORKSPACE: &[(&str, &str)] = &[("workspace", "{workspace}")];

/// Every door of the program.
pub const DOORS: &[Door] = &[
    // Routes.
    get("/healthz", &[], Whose::Anyone, 200),
    get("/readyz", &[], Whose::Anyone, 200),
    get("/help", &[], Whose::Anyone, 200),
    get("/help/customer-managed-keys", &[], Whose::Anyone, 200),
    get("/{folder}/{file}", &[], Whose::Anyone, 404),
    get("/state", &[], Whose::SignedIn, 200),
    get("/state", WORKSPACE, Whose::Readers, 200),
    get("/settings/data-encryption/events", &[], Whose::SignedIn, 200),
    get("/settings/data-encryption/jobs/{job}/report", &[], Whose::Administrators, 404),
    get("/settings/data-encryption/key-policy/{format}", &[], Whose::SignedIn, 200),
    get("/workspaces/{id}/files/{file}", &[], Whose::Readers, 200),
    Door { path: "/workspaces/{id}/files", how: How::Upload, fields: &[], whose: Whose::Editors, good: 201 },
    // Pages.
    Door { path: "/", how: How::Page, fields: &[], whose: Whose::Anyone, good: 302 },
    page("/sign-in", Whose::Anyone),
    // Nobody owes a code here, and nobody is invited.
    Door { path: "/sign-in/code", how: How::Page, fields: &[], whose: Whose::Anyone, good: 302 },
    Door { path: "/invitations/{token}", how: How::Page, fields: &[], whose: Whose::Anyone, good: 404 },
    page("/account", Whose::SignedIn),
    Door { path: "/account/two-factor", how: How::Page, fields: &[], whose: Whose::SignedIn, good: 302 },
    page("/account/confirm", Whose::SignedIn),
    page("/account/confirmed", Whose::SignedIn),
    page("/workspaces", Whose::SignedIn),
    page("/workspaces/{id}", Whose::Readers),
    page("/workspaces/{id}/members", Whose::Owners),
    page("/settings", Whose::SignedIn),
    page("/settings/members", Whose::SignedIn),
    page("/settings/data-encryption", Whose::SignedIn),
    page("/settings/audit-log", Whose::Administrators),
    Door {
        path: "/settings/audit-log/export",
        how: How::Post,
        fields: &[("format", "csv")],
        whose: Whose::Administrators,
        good: 200,
    },
    call("/api/audit_log", NO_FILTER, Whose::Administrators, 200),
    // Whose key protects the data.
    call("/api/data_encryption", &[], Whose::SignedIn, 200),
    call("/api/test_key", NO_ARN, Whose::Administrators, 422),
    call("/api/activate_key", NO_ARN, Whose::Administrators, 422),
    call("/api/delete_key", NO_ARN, Whose::Administrators, 422),
    call("/api/pause_job", &[], Whose::Administrators, 422),
    call("/api/resume_job", &[], Whose::Administrators, 422),
    call("/api/retry_set_aside", &[], Whose::Administrators, 422),
    // The organization.
    call("/api/general", &[], Whose::SignedIn, 200),
    call("/api/rename_organization", &[("name", "")], Whose::Administrators, 422),
    // People and sessions.
    call("/api/frame", &[], Whose::SignedIn, 200),
    call("/api/members", &[], Whose::SignedIn, 200),
    call("/api/sign_in", &[("email", "nobody@example.com"), ("password", ""), ("next", "")], Whose::Anyone, 422),
    call("/api/sign_in_code", &[("code", "000000"), ("next", "")], Whose::Anyone, 401),
    call("/api/owes_code", &[], Whose::Anyone, 200),
    // Nothing of single sign-on is there where it is not set up.
    get("/sign-in/provider", &[], Whose::Anyone, 404),
    get("/sign-in/callback", &[], Whose::Anyone, 404),
    call("/account/single-sign-on/connect", &[], Whose::SignedIn, 404),
    get("/account/single-sign-on/connect", &[], Whose::Anyone, 303),
    call("/account/single-sign-on/confirm", &[("then", "")], Whose::SignedIn, 404),
    get("/account/single-sign-on/confirm", &[], Whose::Anyone, 303),
    call("/api/disconnect_single_sign_on", &[], Whose::SignedIn, 404),
    call("/api/proof_left", &[], Whose::SignedIn, 200),
    call("/api/give_proof", &[("secret", ""), ("then", "")], Whose::SignedIn, 422),
    call("/api/account", &[], Whose::SignedIn, 200),
    call("/api/change_password", &[("current", ""), ("new", "")], Whose::SignedIn, 422),
    call("/api/end_session", &[("session", "none")], Whose::SignedIn, 404),
    call("/api/end_other_sessions", &[], Whose::SignedIn, 200),
    call("/api/begin_second_factor", &[], Whose::SignedIn, 200),
    call("/api/second_factor_set_up", &[], Whose::SignedIn, 200),
    call("/api/cancel_second_factor", &[], Whose::SignedIn, 200),
    call("/api/remove_second_factor", &[], Whose::SignedIn, 200),
    // Sent back to the page with what was wrong.
    call("/account/two-factor/confirm", &[("code", "")], Whose::SignedIn, 303),
    get("/account/two-factor/confirm", &[], Whose::Anyone, 303),
    call("/account/two-factor/codes", &[], Whose::SignedIn, 303),
    get("/account/two-factor/codes", &[], Whose::Anyone, 303),
    call("/settings/members/invite", &[("email", "none"), ("role", "member")], Whose::Administrators, 303),
    get("/settings/members/invite", &[], Whose::Anyone, 303),
    call("/api/change_member_role", &[("member", "none"), ("role", "member")], Whose::Administrators, 404),
    call("/api/disable_member", NO_MEMBER, Whose::Administrators, 404),
    call("/api/enable_member", NO_MEMBER, Whose::Administrators, 404),
    call("/api/remove_member", NO_MEMBER, Whose::Administrators, 404),
    call("/api/reset_second_factor", NO_MEMBER, Whose::Administrators, 404),
    call("/api/withdraw_invitation", &[("invitation", "none")], Whose::Administrators, 404),
    call("/api/invitation", &[("token", "none")], Whose::Anyone, 404),
    call("/api/accept_invitation", &[("token", "none"), ("name", "x"), ("password", "x")], Whose::Anyone, 404),
    Door { path: "/api/sign_out", how: How::LastCall, fields: &[], whose: Whose::Anyone, good: 200 },
    // Workspaces.
    call("/api/list_workspaces", &[], Whose::SignedIn, 200),
    call("/api/create_workspace", &[("name", "Another"), ("description", "")], Whose::SignedIn, 200),
    call("/api/open_workspace", WORKSPACE, Whose::Readers, 200),
    call(
        "/api/update_workspace",
        &[("workspace", "{workspace}"), ("rev", "1"), ("name", "Renamed"), ("description", "")],
        Whose::Owners,
        200,
    ),
    call(
        "/api/update_workspace",
        &[("workspace", "{workspace}"), ("rev", "1"), ("description", "what for")],
        Whose::Editors,
        200,
    ),
    call("/api/delete_workspace", WORKSPACE, Whose::Owners, 200),
    call("/api/create_note", &[("workspace", "{workspace}"), ("text", "new")], Whose::Editors, 200),
    call(
        "/api/update_note",
        &[("workspace", "{workspace}"), ("note", "{note}"), ("rev", "1"), ("text", "new")],
        Whose::Editors,
        200,
    ),
    call("/api/delete_note", &[("workspace", "{workspace}"), ("note", "{note}")], Whose::Editors, 200),
    call(
        "/api/rename_file",
        &[("workspace", "{workspace}"), ("file", "{file}"), ("name", "new.txt")],
        Whose::Editors,
        200,
    ),
    call("/api/delete_file", &[("workspace", "{workspace}"), ("file", "{file}")], Whose::Editors, 200),
    // Their members.
    call("/api/workspace_members", WORKSPACE, Whose::Owners, 200),
    call(
        "/api/add_workspace_member",
        &[("workspace", "{workspace}"), ("email", "{email}"), ("role", "reader")],
        Whose::Owners,
        200,
    ),
    call(
        "/api/change_workspace_role",
        &[("workspace", "{workspace}"), ("user", "{user}"), ("role", "reader")],
        Whose::Owners,
        200,
    ),
    call("/api/remove_workspace_member", &[("workspace", "{workspace}"), ("user", "{user}")], Whose::Owners, 200),
    call("/api/leave_workspace", WORKSPACE, Whose::Readers, 200),
    // What administrators may do without being members. This workspace has an owner, and its data key works.
    call("/api/ownerless_workspaces", &[], Whose::Administrators, 200),
    call(
        "/api/give_workspace_owner",
        &[("workspace", "{workspace}"), ("email", "{email}")],
        Whose::Administrators,
        404,
    ),
    call("/api/delete_refused_workspace", WORKSPACE, Whose::Administrators, 404),
];
