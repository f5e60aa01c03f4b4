//! What the link of an invitation opens: name and password, and one is a member.

use crate::{
    api::members::{AcceptInvitation, read_invitation},
    components::{
        form::ReturnedError,
        icon::{Icon, SHIELD},
        redirect::{page_status, tell_nobody},
    },
    model::{error::ApiError, people::InvitationView},
    pages::account::NewPassword,
    problem,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_params_map;

#[component]
pub fn InvitationPage() -> impl IntoView {
    tell_nobody();
    let token = use_params_map().with_untracked(|params| params.get("token")).unwrap_or_default();
    let found = OnceResource::new(read_invitation(token.clone()));
    view! {
        {super::tab_title("Invitation")}
        <main class="gate">
            <section class="card">
                <div class="body">
                    <div class="brand">
                        <Icon paths=SHIELD/>
                        <span>"Keystead"</span>
                    </div>
                    <Suspense>
                        {move || {
                            let token = token.clone();
                            Suspend::new(async move {
                                match found.await {
                                    Ok(invitation) => view! { <Join token invitation/> }.into_any(),
                                    Err(error) => view! { <Gone error/> }.into_any(),
                                }
                            })
                        }}
                    </Suspense>
                </div>
            </section>
        </main>
    }
}

#[component]
fn Join(token: String, invitation: InvitationView) -> impl IntoView {
    view! {
        <h1 class="wrap">"Join " {invitation.organization}</h1>
        <p class="lede wrap">"You will sign in as " <strong>{invitation.email.clone()}</strong> "."</p>
        <ReturnedError error=problem::returned()/>
        <form class="stack" method="post" action=AcceptInvitation::PATH>
            <input type="hidden" name="token" value=token/>
            // For password managers, which keep it under this name.
            <input type="hidden" name="email" autocomplete="username" value=invitation.email/>
            <div class="field">
                <label for="name">"Your name"</label>
                <input
                    class="input"
                    id="name"
                    name="name"
                    type="text"
                    autocomplete="name"
                    maxlength="120"
                    required
                    value=problem::typed("name")
                />
            </div>
            <NewPassword label="Password" name="password"/>
            <button class="button primary" type="submit">
                "Join"
            </button>
        </form>
    }
}

#[component]
fn Gone(error: ApiError) -> impl IntoView {
    let is_gone = error == ApiError::NotFound;
    if is_gone {
        page_status(404);
    }
    view! {
        <h1>{if is_gone { "This invitation does not work" } else { "This could not be shown" }}</h1>
        <p class="lede">
            {if is_gone {
                "It was used already, was withdrawn, or is older than 7 days. Ask an administrator of your organization for a new link."
            } else {
                error.message()
            }}
        </p>
        <p>
            <a class="button" href="/sign-in">
                "Sign in"
            </a>
        </p>
    }
}
