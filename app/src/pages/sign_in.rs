//! The sign-in page.

use crate::{
    api::session::SignIn,
    browser::page,
    components::{
        form::{FieldError, PostForm, SendButton, last_error},
        icon::{Icon, SHIELD},
    },
    model::error::{ApiError, Invalid},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

#[component]
pub fn SignInPage() -> impl IntoView {
    let action = ServerAction::<SignIn>::new();
    let error = last_error(|| action.value().get());
    Effect::new(move |_| {
        if let Some(Err(latest)) = action.value().get() {
            error.set(Some(latest));
            page::focus("password");
        }
    });
    let next = use_query_map().with_untracked(|query| query.get("next")).unwrap_or_default();
    let send = move |fields: page::Fields| {
        let (email, password) = (fields.text("email"), fields.text("password"));
        if action.pending().get_untracked() {
            return;
        }
        if email.trim().is_empty() {
            error.set(Some(Invalid::EmailMissing.into()));
            page::focus("email");
        } else if password.is_empty() {
            error.set(Some(Invalid::PasswordMissing.into()));
            page::focus("password");
        } else {
            error.set(None);
            action.dispatch(SignIn { email, password, next: fields.text("next") });
        }
    };
    let is_wrong = move |field: &'static str| {
        error.with(|error| {
            let wrong = match error {
                Some(ApiError::WrongCredentials) => true,
                Some(ApiError::Invalid(Invalid::EmailMissing)) => field == "email",
                Some(ApiError::Invalid(Invalid::PasswordMissing)) => field == "password",
                _ => false,
            };
            wrong.then_some("true")
        })
    };
    view! {
        {super::tab_title("Sign in")}
        <main class="gate">
            <section class="card">
                <div class="body">
                    <div class="brand">
                        <Icon paths=SHIELD/>
                        <span>"Keystead" <small>{organization()}</small></span>
                    </div>
                    <h1>"Sign in"</h1>
                    <PostForm url=SignIn::PATH on_send=send>
                        <input type="hidden" name="next" value=next/>
                        <div class="field">
                            <label for="email">"Email"</label>
                            <input
                                class="input"
                                id="email"
                                name="email"
                                type="email"
                                autocomplete="username"
                                required
                                aria-invalid=move || is_wrong("email")
                                aria-describedby="sign-in-error"
                            />
                        </div>
                        <div class="field">
                            <label for="password">"Password"</label>
                            <input
                                class="input"
                                id="password"
                                name="password"
                                type="password"
                                autocomplete="current-password"
                                required
                                aria-invalid=move || is_wrong("password")
                                aria-describedby="sign-in-error"
                            />
                        </div>
                        <div class="field">
                            <FieldError id="sign-in-error" error=error/>
                        </div>
                        <SendButton label="Sign in" busy=action.pending()/>
                    </PostForm>
                </div>
            </section>
        </main>
    }
}

/// Whose deployment this is. Nobody is signed in yet, so the browser reads it from what the server wrote into the page.
fn organization() -> String {
    #[cfg(feature = "ssr")]
    return crate::organization_name();
    #[cfg(not(feature = "ssr"))]
    return page::organization();
}
