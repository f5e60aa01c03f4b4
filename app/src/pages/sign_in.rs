//! The sign-in page.

use crate::{
    api::session::{SignIn, SignInCode, owes_code, sign_in},
    browser::page::{self, Fields},
    components::{
        form::{FieldError, FieldNote, PostForm, SendButton, returned_error},
        icon::{Icon, SHIELD},
        redirect::GoTo,
    },
    model::error::{ApiError, Invalid},
    problem,
};
use leptos::{prelude::*, server_fn::ServerFn, task::spawn_local};
use leptos_router::hooks::use_query_map;

#[component]
pub fn SignInPage() -> impl IntoView {
    let next = use_query_map().with_untracked(|query| query.get("next")).unwrap_or_default();
    let organization = OnceResource::new(crate::organization_name());
    let failed = returned_error::<SignIn>();
    let joined = problem::typed("joined").is_some();
    view! {
        {super::tab_title("Sign in")}
        <main class="gate">
            <section class="card">
                <div class="body">
                    <div class="brand">
                        <Icon paths=SHIELD/>
                        <span>
                            "Keystead"
                            <Suspense>
                                {move || Suspend::new(async move { view! { <small>{organization.await}</small> } })}
                            </Suspense>
                        </span>
                    </div>
                    <h1>"Sign in"</h1>
                    {joined
                        .then(|| {
                            view! {
                                <p class="notice good" role="status">
                                    "Your account is ready. Sign in with the password that you have just set."
                                </p>
                            }
                        })}
                    <SignInForm next failed/>
                </div>
            </section>
        </main>
    }
}

/// Where the code of a second factor is asked for, after the password.
#[component]
pub fn CodePage() -> impl IntoView {
    let next = problem::typed("next").unwrap_or_default();
    let failed = returned_error::<SignInCode>();
    let owed = OnceResource::new(owes_code());
    view! {
        {super::tab_title("Sign in")}
        <main class="gate">
            <section class="card">
                <div class="body">
                    <div class="brand">
                        <Icon paths=SHIELD/>
                        <span>"Keystead"</span>
                    </div>
                    <h1>"Enter your code"</h1>
                    <Suspense>
                        {move || {
                            let (next, failed) = (next.clone(), failed.clone());
                            Suspend::new(async move {
                                if owed.await == Ok(true) {
                                    view! { <CodeForm next failed/> }.into_any()
                                } else {
                                    view! { <GoTo path="/sign-in"/> }.into_any()
                                }
                            })
                        }}
                    </Suspense>
                </div>
            </section>
        </main>
    }
}

/// A plain form, with scripts too.
#[component]
fn CodeForm(next: String, failed: Option<ApiError>) -> impl IntoView {
    view! {
        <p class="lede">"Your authenticator app shows it. A recovery code works too."</p>
        <form class="stack" method="post" action=SignInCode::PATH>
            <input type="hidden" name="next" value=next/>
            <div class="field">
                <label for="code">"Code"</label>
                <input
                    class="input mono"
                    id="code"
                    name="code"
                    type="text"
                    autocomplete="one-time-code"
                    autocapitalize="off"
                    spellcheck="false"
                    maxlength="24"
                    required
                    autofocus
                    aria-invalid=failed.is_some().then_some("true")
                    aria-describedby="code-error"
                />
                <FieldNote id="code-error" error=failed/>
            </div>
            <div class="row">
                <button class="button primary" type="submit">
                    "Sign in"
                </button>
                <a class="button" href="/sign-in">
                    "Start again"
                </a>
            </div>
        </form>
    }
}

/// The form. `failed` is what went wrong when it was last sent without scripts.
#[island]
fn SignInForm(next: String, failed: Option<ApiError>) -> impl IntoView {
    let error = RwSignal::new(failed);
    let busy = RwSignal::new(false);
    let send = move |fields: Fields| {
        let (email, password, next) = (fields.text("email"), fields.text("password"), fields.text("next"));
        if busy.get_untracked() {
            return;
        }
        let problem = if email.trim().is_empty() {
            Some(Invalid::EmailMissing)
        } else if password.is_empty() {
            Some(Invalid::PasswordMissing)
        } else {
            None
        };
        error.set(problem.map(ApiError::from));
        if problem.is_some() {
            return page::focus(if email.trim().is_empty() { "email" } else { "password" });
        }
        busy.set(true);
        spawn_local(async move {
            // When it goes well, the answer says where to go.
            if let Err(refused) = sign_in(email, password, next).await {
                error.set(Some(refused));
                page::focus("password");
            }
            busy.set(false);
        });
    };
    let wrong = move || error.with(|error| matches!(error, Some(ApiError::WrongCredentials)).then_some("true"));
    view! {
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
                    aria-invalid=wrong
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
                    aria-invalid=wrong
                    aria-describedby="sign-in-error"
                />
            </div>
            <div class="field">
                <FieldError id="sign-in-error" error=error/>
            </div>
            <SendButton label="Sign in" busy/>
        </PostForm>
    }
}
