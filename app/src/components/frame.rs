//! The frame around every page but the sign-in page: where you are, who you are, and the way to the settings.

use crate::{
    api::session::SignOut,
    components::{
        icon::{EXIT, GEAR, Icon, QUESTION, SHIELD, TILES, WARNING},
        moment::Moment,
        more::{HELP, More, Section},
        opened::PageFrame,
        proof::ProofDialog,
        redirect::GoToSignIn,
    },
    model::{error::ApiError, identity::Frame, lock::KeyNotice},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::{components::Outlet, hooks::use_location};

/// The frame, with the page inside.
#[component]
pub fn FrameAroundPage() -> impl IntoView {
    let PageFrame(frame) = PageFrame::provide();
    let path = use_location().pathname;
    let here = move |area: &'static str| path.with_untracked(|path| path.starts_with(area)).then_some("page");
    view! {
        <a class="skip" href="#content">
            "Skip to content"
        </a>
        <div class="shell" data-framed="true">
            <aside class="side">
                <a class="brand nav-item" href="/workspaces">
                    <Icon paths=SHIELD/>
                    <span>"Keystead" <small><Place frame/></small></span>
                </a>
                <nav aria-label="Main">
                    <a class="nav-item" href="/workspaces" aria-current=here("/workspaces")>
                        <Icon paths=TILES/>
                        "Workspaces"
                    </a>
                    <a class="nav-item" href=HELP>
                        <Icon paths=QUESTION/>
                        "Help"
                    </a>
                </nav>
                <div class="side-foot">
                    <a
                        class="icon-button"
                        href="/settings"
                        aria-label="Settings"
                        title="Settings"
                        aria-current=here("/settings")
                    >
                        <Icon paths=GEAR/>
                    </a>
                    <div class="who"><Person frame here=here("/account").is_some()/></div>
                    <form class="bare" method="post" action=SignOut::PATH>
                        <button class="icon-button" type="submit" aria-label="Sign out" title="Sign out">
                            <Icon paths=EXIT/>
                        </button>
                    </form>
                </div>
            </aside>
            <main class="page" id="content" tabindex="-1">
                <div class="inner">
                    <div data-part="key-notice">
                        <Warning frame/>
                    </div>
                    <Outlet/>
                </div>
                <Proof frame/>
            </main>
        </div>
    }
}

/// What an administrator should know about the key before it bites.
#[component]
fn Warning(frame: OnceResource<Result<Frame, ApiError>>) -> impl IntoView {
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                frame.await.ok().and_then(|frame| frame.notice).map(|notice| view! { <Banner notice/> })
            })}
        </Suspense>
    }
}

#[component]
fn Banner(notice: KeyNotice) -> impl IntoView {
    let class = match notice {
        KeyNotice::PendingDeletion { .. } => "notice bad banner",
        KeyNotice::MaterialExpires { .. } => "notice warn banner",
    };
    view! {
        <section class=class aria-labelledby="key-notice">
            <Icon paths=WARNING/>
            <div>
                <strong id="key-notice">{notice.title()}</strong>
                <p>
                    {notice.event()} " " <strong>
                        <Moment at=notice.at()/>
                    </strong> ". " {notice.meaning()} " " {notice.remedy()}
                </p>
                <p class="row">
                    <a href="/settings/data-encryption">"Open Data Encryption"</a>
                    <More about=Section::States/>
                </p>
            </div>
        </section>
    }
}

/// Whose deployment this is, and where.
#[component]
fn Place(frame: OnceResource<Result<Frame, ApiError>>) -> impl IntoView {
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                frame.await.ok().map(|frame| format!("{} · {}", frame.deployment.organization, frame.deployment.region))
            })}
        </Suspense>
    }
}

/// The dialog that asks for proof of who it is, before something grave.
#[component]
fn Proof(frame: OnceResource<Result<Frame, ApiError>>) -> impl IntoView {
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                frame.await.ok().map(|frame| view! { <ProofDialog left=frame.proof_left ways=frame.proof_ways/> })
            })}
        </Suspense>
    }
}

/// Who is signed in. Nobody is sent to the sign-in page.
#[component]
fn Person(frame: OnceResource<Result<Frame, ApiError>>, here: bool) -> impl IntoView {
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match frame.await {
                    Ok(frame) => {
                        view! {
                            <a href="/account" title="Your account" aria-current=here.then_some("page")>
                                {frame.me.name}
                            </a>
                            <span>{frame.me.role.label()}</span>
                        }
                            .into_any()
                    }
                    Err(ApiError::SignedOut) => view! { <GoToSignIn/> }.into_any(),
                    Err(_) => ().into_any(),
                }
            })}
        </Suspense>
    }
}
