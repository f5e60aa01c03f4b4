//! The frame around every page but the sign-in page: where you are, who you are, and the way to the settings.

use crate::{
    api::session::SignOut,
    components::{
        form::PostForm,
        icon::{EXIT, GEAR, Icon, SHIELD, TILES},
        redirect::GoToSignIn,
    },
    live::Live,
    model::error::ApiError,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::{components::Outlet, hooks::use_location};

/// The frame, with the page inside.
#[component]
pub fn FrameAroundPage() -> impl IntoView {
    let frame = Live::provide().frame;
    let path = use_location().pathname;
    let here = move |area: &'static str| path.with(|path| path.starts_with(area)).then_some("page");
    view! {
        <a class="skip" href="#content" rel="external">
            "Skip to content"
        </a>
        <div class="shell">
            <aside class="side">
                <a class="brand nav-item" href="/workspaces">
                    <Icon paths=SHIELD/>
                    <span>
                        "Keystead" <small>
                            <Suspense>
                                {Suspend::new(async move {
                                    frame.await.ok().map(|frame| {
                                        let place = frame.deployment;
                                        view! { {place.organization} " · " {place.region} }
                                    })
                                })}
                            </Suspense>
                        </small>
                    </span>
                </a>
                <nav aria-label="Main">
                    <a class="nav-item" href="/workspaces" aria-current=move || here("/workspaces")>
                        <Icon paths=TILES/>
                        "Workspaces"
                    </a>
                </nav>
                <div class="side-foot">
                    <a
                        class="icon-button"
                        href="/settings"
                        aria-label="Settings"
                        title="Settings"
                        aria-current=move || here("/settings")
                    >
                        <Icon paths=GEAR/>
                    </a>
                    <div class="who">
                        <Suspense>
                            {Suspend::new(async move {
                                match frame.await {
                                    Ok(frame) => {
                                        view! { {frame.me.name} <span>{frame.me.role.label()}</span> }.into_any()
                                    }
                                    Err(ApiError::SignedOut) => view! { <GoToSignIn/> }.into_any(),
                                    Err(_) => ().into_any(),
                                }
                            })}
                        </Suspense>
                    </div>
                    <SignOutButton/>
                </div>
            </aside>
            <main class="page" id="content" tabindex="-1">
                <div class="inner">
                    <Outlet/>
                </div>
            </main>
        </div>
    }
}

#[component]
fn SignOutButton() -> impl IntoView {
    let action = ServerAction::<SignOut>::new();
    view! {
        <PostForm
            url=SignOut::PATH
            class="bare"
            on_send=move |_| {
                action.dispatch(SignOut {});
            }
        >
            <button class="icon-button" type="submit" aria-label="Sign out" title="Sign out">
                <Icon paths=EXIT/>
            </button>
        </PostForm>
    }
}
