//! What a page shows in place of data: loading, locked, not there, not allowed.

use crate::{
    browser::watch,
    components::{
        icon::{Icon, PADLOCK},
        moment::Moment,
        redirect::{GoToSignIn, page_status},
    },
    live::{ASK_EVERY, Live},
    model::{error::ApiError, identity::Frame, lock::LockFace},
};
use leptos::{prelude::*, server_fn::serde::Serialize, server_fn::serde::de::DeserializeOwned};

/// Shows what `data` holds once it is there, together with the frame; or why it cannot be shown.
pub fn opened<T, Show>(data: Resource<Result<T, ApiError>>, show: Show) -> impl IntoView
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    Show: Fn(T, Frame) -> AnyView + Copy + Send + Sync + 'static,
{
    let frame = Live::here().frame;
    let again = Callback::new(move |()| data.refetch());
    view! {
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match (data.await, frame.await) {
                    (Ok(data), Ok(frame)) => show(data, frame),
                    (Err(error), _) | (_, Err(error)) => view! { <Refusal error again/> }.into_any(),
                }
            })}
        </Transition>
    }
}

/// While data is on its way.
#[component]
pub fn Loading() -> impl IntoView {
    view! {
        <p class="soft" role="status">
            "Loading…"
        </p>
    }
}

/// Why there is no data. `again` asks for it once more.
#[component]
pub fn Refusal(error: ApiError, again: Callback<()>) -> impl IntoView {
    match error {
        ApiError::SignedOut => view! { <GoToSignIn/> }.into_any(),
        ApiError::Locked(face) => view! { <Locked face=*face again/> }.into_any(),
        error => {
            if error == ApiError::NotFound {
                page_status(404);
            }
            view! {
                <section class="card">
                    <div class="empty">
                        <h2>{if error == ApiError::NotFound { "Not found" } else { "This could not be shown" }}</h2>
                        <p class="lede">{error.message()}</p>
                        <div class="row">
                            <button class="button scripted" type="button" on:click=move |_| again.run(())>
                                "Try again"
                            </button>
                            <a class="button" href="/workspaces">
                                "Workspaces"
                            </a>
                        </div>
                    </div>
                </section>
            }
            .into_any()
        }
    }
}

/// The locked face: who or what locked the data, since when, and how access returns.
#[component]
fn Locked(face: LockFace, again: Callback<()>) -> impl IntoView {
    let live = Live::here();
    // The server as a whole is watched by the frame. This is for a single workspace that is locked.
    Effect::new(move |_| {
        watch::every(ASK_EVERY, move || {
            if !live.is_locked.get_untracked() {
                again.run(());
            }
        });
    });
    let kept = if face.cause.keeps_everything() { " Nothing has been lost." } else { "" };
    view! {
        <section class="card" data-locked="true">
            <div class="empty" role="status">
                <Icon paths=PADLOCK/>
                <h2>{face.cause.headline()}</h2>
                <p class="lede">{face.cause.reason()} {kept}</p>
                <p class="lede">{face.cause.remedy()}</p>
                <p class="small soft">
                    "Locked since " <Moment at=face.since seconds=true/>
                    {face.code.map(|code| view! { " · " <span class="mono">{code}</span> })}
                </p>
                <a class="button" href="/settings/data-encryption">
                    "Open Data Encryption"
                </a>
            </div>
        </section>
    }
}
