//! Members: who can sign in, what they may do, and who has been invited. Plain forms only: nothing of it is compiled for the
//! browser.

use super::shown;
use crate::{
    api::members::{
        ChangeMemberRole, DisableMember, EnableMember, RemoveMember, ResetSecondFactor, WithdrawInvitation,
        read_members,
    },
    components::{
        dialog::ConfirmDialog,
        form::{CopyButton, ReturnedError, returned_error},
        icon::{Icon, PEOPLE},
        moment::{Ago, Moment},
        opened::opened,
    },
    model::{
        identity::Role,
        people::{Invitation, Mail, MemberList, Person},
    },
    problem,
};
use leptos::{prelude::*, server_fn::ServerFn};

const INVITE: &str = "/settings/members/invite";

#[component]
pub fn MembersPage() -> impl IntoView {
    let list = OnceResource::new(read_members());
    let failed = problem::returned()
        .or_else(returned_error::<ChangeMemberRole>)
        .or_else(returned_error::<DisableMember>)
        .or_else(returned_error::<EnableMember>)
        .or_else(returned_error::<RemoveMember>)
        .or_else(returned_error::<ResetSecondFactor>)
        .or_else(returned_error::<WithdrawInvitation>);
    view! {
        {super::tab_title("Members")}
        <div>
            <h2>"Members"</h2>
            <p class="lede">
                "Everybody who can sign in. Administrators may also change members, and the key that protects the data."
            </p>
        </div>
        <ReturnedError error=failed/>
        {shown::invitation().map(|fresh| view! { <Fresh fresh/> })}
        {opened(list, None, |list, _| view! { <List list/> }.into_any())}
        <super::ownerless::OwnerlessWorkspaces/>
    }
}

/// The link of an invitation that has just been made.
#[component]
fn Fresh(fresh: shown::Fresh) -> impl IntoView {
    let mail = match fresh.mail {
        Mail::Sent => "We have sent it by email too.",
        Mail::Failed => "The email could not be sent. Give them the link yourself.",
        Mail::NotSetUp => "Give them the link yourself, in a way that only they can read.",
    };
    let class = if fresh.mail == Mail::Failed { "notice warn" } else { "notice good" };
    view! {
        <section class=class aria-labelledby="fresh-invitation" role="status">
            <h3 class="wrap" id="fresh-invitation">
                "Link for " {fresh.email}
            </h3>
            <p>"It works once, until " <Moment at=fresh.expires_at/> ". It is shown only now. " {mail}</p>
            <div class="code">
                <pre class="commands" tabindex="0" aria-label="Link">{fresh.link.clone()}</pre>
                <CopyButton label="Copy link" text=fresh.link/>
            </div>
        </section>
    }
}

#[component]
fn List(list: MemberList) -> impl IntoView {
    let MemberList { people, invitations, may_change, sends_mail } = list;
    let alone = people.len() == 1 && invitations.is_empty();
    let people = people.into_iter().map(|person| view! { <Row person may_change/> }).collect_view();
    let open = invitations.into_iter().map(|invitation| view! { <Open invitation/> }).collect_view();
    view! {
        {may_change.then(|| view! { <Invite sends_mail/> })}
        <section class="card" aria-label="Members">
            <ul class="people" aria-label="List of members">
                {people} {open}
            </ul>
            {(alone && may_change)
                .then(|| {
                    view! {
                        <div class="empty">
                            <Icon paths=PEOPLE/>
                            <p class="lede">"You are alone here. Invite somebody, best also a second administrator."</p>
                        </div>
                    }
                })}
        </section>
        {(!may_change).then(|| view! { <p class="small soft">"Only administrators can invite or change members."</p> })}
    }
}

#[component]
fn Invite(sends_mail: bool) -> impl IntoView {
    let is_administrator =
        problem::typed("role").as_deref() == Some("administrator") && problem::typed("member").is_none();
    let hint = if sends_mail {
        "They get an email with a link, which works once and for 7 days. You get the same link here."
    } else {
        "You get a link to give to them, which works once and for 7 days."
    };
    view! {
        <section class="card" aria-labelledby="invite">
            <header>
                <h3 id="invite">"Invite somebody"</h3>
            </header>
            <form class="body" method="post" action=INVITE data-grave="administrator">
                <div class="field">
                    <label for="invite-email">"Email"</label>
                    <input
                        class="input"
                        id="invite-email"
                        name="email"
                        type="email"
                        required
                        autocomplete="off"
                        value=problem::typed("email")
                        aria-describedby="invite-hint"
                    />
                    <p class="hint" id="invite-hint">
                        {hint}
                    </p>
                </div>
                <div class="field">
                    <label for="invite-role">"Role"</label>
                    <RoleSelect id="invite-role" chosen=if is_administrator { Role::Administrator } else { Role::Member }/>
                </div>
                <div class="row">
                    <button class="button primary" type="submit">
                        "Invite"
                    </button>
                </div>
            </form>
        </section>
    }
}

#[component]
fn RoleSelect(#[prop(into)] id: String, chosen: Role) -> impl IntoView {
    let option = |role: Role, word: &'static str| {
        view! {
            <option value=word selected=role == chosen>
                {role.label()}
            </option>
        }
    };
    view! {
        <select class="input" id=id name="role">
            {option(Role::Member, "member")} {option(Role::Administrator, "administrator")}
        </select>
    }
}

#[component]
fn Row(person: Person, may_change: bool) -> impl IntoView {
    let badge = if person.role == Role::Administrator { "badge good" } else { "badge" };
    let shown = person.clone();
    view! {
        <li>
            <div class="who-is">
                <p class="wrap">
                    <strong>{person.name}</strong>
                    {person.is_me.then_some(" (you)")}
                </p>
                <p class="small soft wrap">{person.email}</p>
            </div>
            <p class="row">
                <span class=badge>{person.role.label()}</span>
                {person.disabled_at.map(|_| view! { <span class="badge bad">"Disabled"</span> })}
                {person.second_factor.then(|| view! { <span class="badge good">"Second factor"</span> })}
            </p>
            <p class="small soft">
                "Last sign-in: "
                {match person.last_sign_in_at {
                    Some(at) => view! { <Ago at/> }.into_any(),
                    None => "never".into_any(),
                }}
            </p>
            {may_change.then(|| view! { <Changes person=shown/> })}
        </li>
    }
}

/// What an administrator may do to a member.
#[component]
fn Changes(person: Person) -> impl IntoView {
    let is_open = problem::typed("member").as_ref() == Some(&person.id);
    let wanted = match problem::typed("role").as_deref() {
        Some("administrator") if is_open => Role::Administrator,
        Some("member") if is_open => Role::Member,
        _ => person.role,
    };
    let Person { id, name, disabled_at, second_factor, is_me, .. } = person;
    let (select, removal) = (format!("role-{id}"), format!("remove-{id}"));
    let (url, verb, meaning) = if disabled_at.is_some() {
        (EnableMember::PATH, "Enable", "They can sign in again.")
    } else {
        (DisableMember::PATH, "Disable", "They are signed out everywhere and cannot sign in until you enable them.")
    };
    view! {
        <details open=is_open>
            <summary aria-label=format!("Change {name}")>"Change"</summary>
            <div class="stack">
                <form class="row" method="post" action=ChangeMemberRole::PATH data-grave="always">
                    <input type="hidden" name="member" value=id.clone()/>
                    <label for=select.clone()>"Role"</label>
                    <RoleSelect id=select chosen=wanted/>
                    <button class="button" type="submit" aria-label=format!("Save role of {name}")>
                        "Save role"
                    </button>
                </form>
                <form class="row" method="post" action=url data-grave="always">
                    <input type="hidden" name="member" value=id.clone()/>
                    <button class="button" type="submit" aria-label=format!("{verb} {name}")>
                        {verb}
                    </button>
                    <span class="small soft">{meaning}</span>
                </form>
                {(second_factor && !is_me)
                    .then(|| {
                        view! {
                            <form class="row" method="post" action=ResetSecondFactor::PATH data-grave="always">
                                <input type="hidden" name="member" value=id.clone()/>
                                <button class="button" type="submit" aria-label=format!("Reset second factor of {name}")>
                                    "Reset second factor"
                                </button>
                                <span class="small soft">
                                    "For somebody who has lost it. They sign in with their password alone, and can set it up again."
                                </span>
                            </form>
                        }
                    })}
                <div class="row">
                    <button
                        class="button destroy"
                        type="button"
                        popovertarget=removal.clone()
                        aria-label=format!("Remove {name}")
                    >
                        "Remove"
                    </button>
                    <span class="small soft">"Their account is deleted. What they wrote stays."</span>
                </div>
                <ConfirmDialog
                    id=removal
                    title="Remove this member?"
                    question=format!("{name} is signed out everywhere and has no account any more.")
                    answer="Remove"
                    url=RemoveMember::PATH
                    fields=vec![("member", id)]
                    grave=true
                />
            </div>
        </details>
    }
}

/// An invitation that has not been accepted.
#[component]
fn Open(invitation: Invitation) -> impl IntoView {
    let (state, class) = if invitation.is_over { ("Expired", "badge warn") } else { ("Invited", "badge") };
    let grave = if invitation.role == Role::Administrator { "always" } else { "never" };
    view! {
        <li>
            <div class="who-is">
                <p class="wrap">
                    <strong>{invitation.email.clone()}</strong>
                </p>
                <p class="small soft wrap">"Invited by " {invitation.invited_by}</p>
            </div>
            <p class="row">
                <span class="badge">{invitation.role.label()}</span>
                <span class=class>{state}</span>
            </p>
            <p class="small soft">
                {if invitation.is_over { "The link ended on " } else { "The link works until " }}
                <Moment at=invitation.expires_at/>
            </p>
            <div class="row">
                <form method="post" action=INVITE data-grave=grave>
                    <input type="hidden" name="invitation" value=invitation.id.clone()/>
                    <button class="button small" type="submit" aria-label=format!("New link for {}", invitation.email)>
                        "New link"
                    </button>
                </form>
                <form method="post" action=WithdrawInvitation::PATH>
                    <input type="hidden" name="invitation" value=invitation.id/>
                    <button
                        class="button small destroy"
                        type="submit"
                        aria-label=format!("Withdraw the invitation of {}", invitation.email)
                    >
                        "Withdraw"
                    </button>
                </form>
            </div>
        </li>
    }
}
